"""Values in the colours of a scale over a picture: what panels show, and what colour bars explain."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from matplotlib.colors import Colormap, ListedColormap, Normalize
from numpy.typing import NDArray
from torch import Tensor

from srlens.attribution.result import Attribution
from srlens.figures.scales import bar_labels, common_limit, density_scale, signed_scale, unit_scale
from srlens.figures.style import Look
from srlens.imaging.terms import worded
from srlens.measures.density import Bandwidth, contribution_density

#: A grey picture below colours runs from here to white: black would hide thin colour.
DARKEST = 0.3


@dataclass(frozen=True, eq=False)
class Shading:
    """Values, their colours, and the picture below them.

    Attributes:
        values: h×w; masked or NaN where there is none.
        norm: the scale.
        colours: of the scale; their alpha is the opacity over the backdrop.
        backdrop: H×W×3 in [0, 1], whose pixels are the panel's units; None for a plain white.
        captions: what may be written beside the colour bar, the fullest first; each with the unit.
        extent: (left, right, bottom, top) of the values in the panel's coordinates; None where a value is one unit.
        dots: (row, column) in the panel's coordinates of what is marked by a dot: effects whose sign is not certain.
    """

    values: NDArray[np.float64]
    norm: Normalize
    colours: Colormap
    backdrop: NDArray[np.float64] | None = None
    captions: Sequence[str] = ()
    extent: tuple[float, float, float, float] | None = None
    dots: Sequence[tuple[float, float]] = ()

    @property
    def bar_colours(self) -> Colormap:
        """The opaque colours in which the scale appears: over the mean of the backdrop."""
        table = self.colours(np.linspace(0, 1, self.colours.N))
        below = 1.0 if self.backdrop is None else self.backdrop.mean()
        opaque = table[:, 3:] * table[:, :3] + (1 - table[:, 3:]) * below
        return ListedColormap(opaque.tolist(), name=f"{self.colours.name}-opaque")


def pixels(image: Tensor) -> NDArray[np.float64]:
    """C×H×W to H×W×3 in [0, 1]; other channel counts than 3 become the grey of their mean."""
    values = image.detach().to("cpu").double().clamp(0, 1).numpy()
    colour = values if values.shape[0] == 3 else np.repeat(values.mean(axis=0, keepdims=True), 3, axis=0)
    return np.ascontiguousarray(colour.transpose(1, 2, 0))


def grey(image: Tensor, darkest: float = DARKEST) -> NDArray[np.float64]:
    """C×H×W to a light grey, H×W×3 from ``darkest`` to 1."""
    return darkest + (1 - darkest) * np.repeat(pixels(image).mean(axis=2, keepdims=True), 3, axis=2)


def shading_of(
    kind: Literal["map", "area"],
    values: NDArray[np.float64],
    look: Look,
    limit: float,
    image: Tensor | None = None,
    unit: str | None = None,
) -> Shading:
    """An attribution map or a contribution area on a common scale, or each divided by its own maximum (paper's look).

    Args:
        kind: ``"map"``: channels summed, signed, on white; ``"area"``: a density ≥ 0 over the grey LR image.
        values: h×w.
        look: the style; the paper's shows absolute values, blended with the LR image.
        limit: end of the common scale; share it between networks.
        image: the LR image, C×h×w; None where it is not at hand.
        unit: of the values, where it is not the usual one.
    """
    labels = bar_labels(kind, normalised=look.normalised, unit=unit)
    captions = [worded(label, look.scale) for label in labels]
    colours = look.map_colours if kind == "map" else look.area_colours
    if look.normalised:
        size = np.abs(values)
        return Shading(size / size.max(), unit_scale(), colours, None if image is None else pixels(image), captions)
    if kind == "map":
        return Shading(values, signed_scale(limit), colours, None, captions)
    return Shading(values, density_scale(limit), colours, None if image is None else grey(image), captions)


def shade(
    results: Sequence[Attribution], image: Tensor | None, look: Look, bandwidth: float | Bandwidth | None
) -> tuple[list[Shading], list[Shading], Bandwidth]:
    """Maps and contribution areas of several networks on common scales, and the bandwidth of the areas.

    Args:
        results: one a network, of one window.
        image: the LR image, C×h×w in [0, 1], where it is at hand.
        look: the style.
        bandwidth: of all areas, in LR pixels; None for each one's own by Scott's rule.
    """
    sums = [result.summed for result in results]
    drawn = [percent_density(result, bandwidth) for result in results]
    limits = common_limit(sums), common_limit(density for density, _ in drawn)
    maps = [
        replace(shading_of("map", values, look, limits[0], image), dots=uncertain_blocks(result))
        for values, result in zip(sums, results, strict=True)
    ]
    areas = [shading_of("area", density, look, limits[1], image) for density, _ in drawn]
    return maps, areas, drawn[0][1]


def uncertain_blocks(result: Attribution) -> list[tuple[float, float]]:
    """The middles (row, column) of blocks whose effect is not 0 and whose interval holds 0, where it has any."""
    uncertain = result.uncertain
    if uncertain is None or result.blocks is None:
        return []
    return [
        ((rows.start + rows.stop) / 2, (columns.start + columns.stop) / 2)
        for rows, columns in result.blocks
        if uncertain[rows.start, columns.start]
    ]


def percent_density(result: Attribution, bandwidth: float | Bandwidth | None) -> tuple[NDArray[np.float64], Bandwidth]:
    """The density of :func:`contribution_density` in percent per LR pixel, and its bandwidth."""
    density, used = contribution_density(result.map, bandwidth)
    return 100 * density, used


def common_bandwidth(results: Sequence[Attribution]) -> float:
    """The geometric mean of Scott's bandwidths, to two digits, as one standard deviation in LR pixels.

    Scott's rule smooths a wide map more than a narrow one; side by side, that would be taken for the networks' doing.
    """
    covariances = [np.array(contribution_density(result.map)[1].covariance) for result in results]
    logarithms = [math.log(float(np.linalg.det(covariance))) / 4 for covariance in covariances]
    return float(f"{math.exp(sum(logarithms) / len(logarithms)):.2g}")
