"""Orders in which the pixels of an LR image are replaced: that of a map, and those that know no map.

Each is an array of h·w numbers of pixels (row by row), first to be replaced first. Equal pixels stand in order of rows.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import uniform_filter
from torch import Tensor

from srlens.imaging.window import Window
from srlens.measures.concentration import absolute_map

Order = NDArray[np.int64]

_SIDE = 3  # LR pixels: of the neighbourhood whose contrast is taken


def map_order(signed: ArrayLike) -> Order:
    """By the absolute map, C×h×w (its channels summed first), largest first.

    Raises:
        NotFiniteError, ZeroMapError: see :func:`srlens.measures.concentration.absolute_map`.
    """
    return _largest_first(absolute_map(signed))


def distance_order(window: Window, scale: int, height: int, width: int) -> Order:
    """By distance to the window, nearest first: to its rectangle on the LR grid, then to the rectangle's centre.

    Distances are Euclidean, from the centres of pixels. A map that does no better says nothing but "near".
    """
    top, left, bottom, right = window.on_lr(scale)
    y, x = np.arange(height)[:, None] + 0.5, np.arange(width) + 0.5
    outside = np.hypot(np.maximum(np.maximum(top - y, y - bottom), 0), np.maximum(np.maximum(left - x, x - right), 0))
    central = np.hypot(y - (top + bottom) / 2, x - (left + right) / 2)
    return np.lexsort((central.ravel(), outside.ravel()))


def contrast_order(image: Tensor) -> Order:
    """By the standard deviation of the channels' mean over 3×3 pixels of the image, C×h×w, largest first."""
    grey = image.double().mean(dim=0).numpy()
    variance = uniform_filter(grey**2, _SIDE) - uniform_filter(grey, _SIDE) ** 2
    return _largest_first(variance)


def random_order(pixels: int, seed: int) -> Order:
    """Any order, seeded."""
    return np.random.default_rng(seed).permutation(pixels)


def _largest_first(values: NDArray[np.float64]) -> Order:
    return np.argsort(-values, axis=None, kind="stable")
