"""Cancellation: how much of a map is left when its signs are allowed to meet.

The diffusion index takes absolute values, so that positive and negative parts far from the window count in full even
where they cancel, and the detector does not change without them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor

import numpy as np
from numpy.typing import ArrayLike, NDArray

from srlens.errors import SettingError
from srlens.measures.concentration import absolute_map, diffusion_index

#: Side in LR pixels of the squares that a map is summed over before its index is taken.
SUMMED_SIDE = 5


@dataclass(frozen=True)
class Shares:
    """What part of a map lies beyond a distance.

    Attributes:
        absolute: of the absolute map, in [0, 1].
        signed: of the map's sum, which is the detector's change where the map is complete; it may be negative or above
            1; None where the sum is 0.
    """

    absolute: float
    signed: float | None


@dataclass(frozen=True)
class Ring:
    """The pixels from one distance to another, and their shares.

    Attributes:
        first: smallest Chebyshev distance from the LR pixels that the window covers, in LR pixels.
        last: largest.
        absolute: see :class:`Shares`.
        signed: see :class:`Shares`.
    """

    first: int
    last: int
    absolute: float
    signed: float | None


def chebyshev_distance(size: Sequence[int], bounds: tuple[float, float, float, float]) -> NDArray[np.int64]:
    """Distance of each LR pixel from those that a window covers, in part or whole: the larger of rows and columns.

    Args:
        size: height and width of the LR image, in pixels.
        bounds: the window on the LR grid, (top, left, bottom, right) in LR pixels, fractions allowed.

    Returns:
        h×w, in LR pixels; 0 within the window.
    """
    top, left, bottom, right = floor(bounds[0]), floor(bounds[1]), ceil(bounds[2]), ceil(bounds[3])
    y, x = (np.arange(side) for side in size)
    down = np.maximum(np.maximum(top - y, y - (bottom - 1)), 0)
    across = np.maximum(np.maximum(left - x, x - (right - 1)), 0)
    return np.maximum(down[:, None], across[None])


def signed_ratio(signed: ArrayLike) -> float:
    """|Σ g| / Σ|g| of the map, channels summed first, in [0, 1]: 1 where all signs agree, 0 where all cancels.

    Raises:
        NotFiniteError, ZeroMapError: see :func:`srlens.measures.concentration.absolute_map`.
    """
    absolute = absolute_map(signed)
    return min(abs(float(np.sum(signed))) / float(absolute.sum()), 1.0)


def shares_beyond(signed: ArrayLike, bounds: tuple[float, float, float, float], radius: int) -> Shares:
    """What part of the map lies farther than a radius from the window.

    Args:
        signed: the map, C×h×w or h×w.
        bounds: see :func:`chebyshev_distance`.
        radius: in LR pixels.

    Raises:
        NotFiniteError, ZeroMapError: see :func:`srlens.measures.concentration.absolute_map`.
    """
    absolute = absolute_map(signed)
    return _shares(signed, absolute, chebyshev_distance(absolute.shape, bounds) > radius)


def rings(signed: ArrayLike, bounds: tuple[float, float, float, float]) -> tuple[Ring, ...]:
    """The map's shares by rings about the window: distance 0, 1, 2, 3–4, 5–8, 9–16, … LR pixels; both sum to 1.

    Arguments and errors are those of :func:`shares_beyond`.
    """
    absolute = absolute_map(signed)
    distance = chebyshev_distance(absolute.shape, bounds)
    first, last, found = 0, 0, list[Ring]()
    while first <= distance.max():
        part = _shares(signed, absolute, (distance >= first) & (distance <= last))
        found.append(Ring(first, min(last, int(distance.max())), part.absolute, part.signed))
        first, last = last + 1, max(1, 2 * last)
    return tuple(found)


def summed_diffusion_index(signed: ArrayLike, side: int = SUMMED_SIDE) -> float:
    """The diffusion index after each pixel was replaced by the sum of the signed map over the square around it.

    What oscillates within a square cancels before the absolute value is taken. The squares spread what does not, so
    that this index is to be compared between maps, not with the diffusion index itself.

    Args:
        signed: the map, C×h×w or h×w.
        side: of the squares in LR pixels, odd; beyond the border there is nothing.

    Raises:
        SettingError: the side is not odd, or below 1.
        NotFiniteError, ZeroMapError: see :func:`srlens.measures.concentration.absolute_map`; also where every square
            cancels.
    """
    from scipy.ndimage import uniform_filter

    if side < 1 or side % 2 == 0:
        raise SettingError(f"The squares that a map is summed over have an odd side of at least 1, got {side}.")
    values = np.asarray(signed, dtype=np.float64)
    flat = values.sum(axis=0) if values.ndim == 3 else values
    absolute_map(flat)
    return diffusion_index(uniform_filter(flat, side, mode="constant"))


def _shares(signed: ArrayLike, absolute: NDArray[np.float64], where: NDArray[np.bool_]) -> Shares:
    values = np.asarray(signed, dtype=np.float64)
    total = float(values.sum())
    part = float(values[..., where].sum()) / total if total else None
    return Shares(float(absolute[where].sum() / absolute.sum()), part)
