"""A measure: the largest share of the detector that a single LR pixel has, in thousandths of the detector's unit."""

import srlens


def peak_density(explained: srlens.Measurable) -> float:
    return 1e3 * float(explained.result.absolute.max())


srlens.add_measure(srlens.Measure("peak_density", "Peak density", peak_density, unit="mD"))
