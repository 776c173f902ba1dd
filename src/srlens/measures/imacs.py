"""IMACS: how well an attention map keeps to a part of the picture (I2AM; Park & Jang, ICLR 2025, arXiv 2407.12331)."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from srlens.errors import ImageError, InputError

_PENALTY = 3  # λ of the paper


def min_max(values: ArrayLike) -> NDArray[np.float64]:
    """An h×w map brought to [0, 1] by its smallest and largest value.

    Raises:
        InputError: all pixels are equal.
    """
    given = np.asarray(values, dtype=np.float64)
    low, high = given.min(), given.max()
    if low == high:
        raise InputError(f"The map is {low:.6g} in every pixel: it has no range to be brought to [0, 1].")
    scaled: NDArray[np.float64] = (given - low) / (high - low)
    return scaled


def imacs(values: ArrayLike, mask: ArrayLike) -> float:
    """Mean of the map inside a mask minus three times its mean outside, the map brought to [0, 1] first.

    Args:
        values: an h×w map.
        mask: h×w, in [0, 1]: how much of each pixel is inside. For a window of the output that is
            :func:`srlens.measures.imacs.footprint`.

    Returns:
        In [−3, 1]; 1 where the map is highest everywhere inside and lowest everywhere outside.

    Raises:
        ImageError: map and mask differ in size.
        InputError: the map is flat, or nothing is inside, or everything.
    """
    inside = np.asarray(mask, dtype=np.float64)
    scaled = min_max(values)
    if inside.shape != scaled.shape:
        raise ImageError(f"The mask is {inside.shape}, the map {scaled.shape}; they must be of one size.")
    outside = 1 - inside
    if not inside.sum() > 0 or not outside.sum() > 0:
        raise InputError("The mask must have pixels inside and outside: otherwise one of the two means does not exist.")
    return float((scaled * inside).sum() / inside.sum() - _PENALTY * (scaled * outside).sum() / outside.sum())


def footprint(edges: tuple[float, float, float, float], height: int, width: int) -> NDArray[np.float64]:
    """How much of each cell of a height×width grid a rectangle covers: in [0, 1].

    Args:
        edges: top, left, bottom, right, in cells; cell i covers [i, i + 1).
        height: of the grid.
        width: of the grid.
    """
    top, left, bottom, right = edges
    down, across = np.arange(height), np.arange(width)
    rows = np.clip(np.minimum(bottom, down + 1) - np.maximum(top, down), 0, 1)
    columns = np.clip(np.minimum(right, across + 1) - np.maximum(left, across), 0, 1)
    return np.outer(rows, columns)
