"""A measure: which share of the absolute map lies outside the window's own LR pixels."""

import numpy as np

import srlens


def share_outside(explained: srlens.Measurable) -> float:
    result = explained.result
    top, left, bottom, right = result.window.on_lr(result.scale)
    inside = result.absolute[int(top) : int(np.ceil(bottom)), int(left) : int(np.ceil(right))].sum()
    return 1 - float(inside / result.absolute.sum())


srlens.add_measure(srlens.Measure("share_outside", "Outside the window", share_outside, format="{:.1%}".format))
