"""Colour scales: cube root for maps, square root for densities.

Attribution is so peaked that a linear scale shows a dot. A root keeps zero at zero, treats both signs alike, and
needs no threshold as a logarithm does. On the cube root a tenth of the maximum has 46 % of its colour, a hundredth
22 %, a thousandth 10 %; smoothed densities need less: 32 %, 10 %, 3 %.
"""

import math
from collections.abc import Iterable

import numpy as np
from matplotlib.colors import FuncNorm, LogNorm, Normalize
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

MAP_SCALE = "cube root"
AREA_SCALE = "square root"


def _cube(values: ArrayLike) -> NDArray[np.float64]:
    return np.asarray(values, dtype=np.float64) ** 3


def _square_root(values: ArrayLike) -> NDArray[np.float64]:
    root: NDArray[np.float64] = np.sqrt(np.maximum(np.asarray(values, dtype=np.float64), 0))
    return root


def common_limit(arrays: Iterable[NDArray[np.float64]]) -> float:
    """The largest absolute value of all arrays: the end of the scale that they share."""
    return max(float(np.abs(values).max()) for values in arrays)


def signed_scale(limit: float) -> Normalize:
    """Cube root from −limit to limit; 0 has the middle colour."""
    return FuncNorm((np.cbrt, _cube), vmin=-limit, vmax=limit)


def linear_scale(limit: float, *, clipped: bool) -> Normalize:
    """Linear from −limit to limit; ``clipped``: what lies beyond has the colours of the ends, which are labelled."""
    return Normalize(-limit, limit, clip=clipped)


def density_scale(limit: float) -> Normalize:
    """Square root from 0 to limit."""
    return FuncNorm((_square_root, np.square), vmin=0, vmax=limit)


def unit_scale() -> Normalize:
    """Linear from 0 to 1, for what has been divided by its maximum."""
    return Normalize(0, 1)


def round_down(value: float) -> float:
    """The largest of 1, 2, 5 times a power of ten that does not exceed a positive value."""
    power = 10.0 ** math.floor(math.log10(value))
    factor = next(f for f in (5.0, 2.0, 1.0, 0.5) if f * power <= value)
    return float(f"{factor * power:.1g}")


def ticks(norm: Normalize) -> list[float]:
    """Where the colour bar of a scale is labelled: round values that stand apart on it."""
    assert norm.vmin is not None
    assert norm.vmax is not None
    if isinstance(norm, LogNorm):
        powers = range(math.ceil(math.log10(norm.vmin)), math.floor(math.log10(norm.vmax)) + 1)
        return [10.0**power for power in powers]
    if norm.clip:
        return [norm.vmin, 0.0, norm.vmax]
    if not isinstance(norm, FuncNorm):
        found = MaxNLocator(2 if norm.vmax == 1 else 4).tick_values(norm.vmin, norm.vmax)
        return [float(value) for value in found if norm.vmin <= value <= norm.vmax]
    upper = [round_down(norm.vmax) / 10, round_down(norm.vmax)]
    return [-upper[1], -upper[0], 0.0, *upper] if norm.vmin < 0 else [0.0, *upper]


def tick_label(value: float) -> str:
    """A number as colour bars show it."""
    return f"{value:g}".replace("-", "−")


def bar_labels(panel: str, *, normalised: bool, unit: str | None = None) -> list[str]:
    """What may be written beside the colour bar of a ``"map"`` or an ``"area"``, the fullest first.

    ``unit`` takes the usual one's place.
    """
    if normalised:
        quantity = "attribution" if panel == "map" else "density"
        return [f"{'absolute ' * (panel == 'map')}{quantity} / its maximum", f"{quantity} / max.", "/ max."]
    usual, scale = ("detector units", MAP_SCALE) if panel == "map" else ("% per LR pixel", AREA_SCALE)
    return [f"{unit or usual}, {scale}", unit or usual]
