"""Which part of a large LR image the maps are shown in."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from srlens.attribution.result import Attribution

_SHARE = 0.99  # of the absolute attribution of every map that a part must hold to stand for the whole
_SMALLEST = 48  # LR pixels: the shorter side of a part
_WORTHWHILE = 0.7  # a part whose sides are longer than this share of the image's is no gain


@dataclass(frozen=True)
class View:
    """A part of the LR image, in LR pixels; ``bottom`` and ``right`` are one past the last row and column.

    Attributes:
        window: the footprint of what is explained: (top, left, bottom, right) in LR pixels.
        share: the smallest share of any map's absolute attribution that lies inside, in (0, 1].
        whole: whether it is the whole image.
    """

    top: int
    left: int
    bottom: int
    right: int
    window: tuple[float, float, float, float]
    share: float
    whole: bool

    @property
    def edges(self) -> tuple[int, int, int, int]:
        """Top, left, bottom, right in LR pixels, the last two exclusive."""
        return self.top, self.left, self.bottom, self.right

    @property
    def aspect(self) -> float:
        """Width over height."""
        return (self.right - self.left) / (self.bottom - self.top)


def choose_view(results: Sequence[Attribution], least: float = _SHARE) -> View:
    """The smallest part, of the image's shape and around the window, that holds 99 % of every map; else the whole.

    ``least`` is the share that it must hold, in place of 99 %.
    """
    height, width = results[0].lr_size
    window = results[0].window.on_lr(results[0].scale)
    top, left, bottom, right = window
    masses = [r.absolute / r.absolute.sum() for r in results]
    smallest = max(_SMALLEST / min(height, width), 1.5 * (bottom - top) / height, 1.5 * (right - left) / width)
    for factor in np.arange(smallest, _WORTHWHILE, 0.02):
        rows, columns = round(factor * height), round(factor * width)
        y = _start((top + bottom) / 2, rows, height)
        x = _start((left + right) / 2, columns, width)
        share = min(_inside(mass, y, x, rows, columns) for mass in masses)
        if share >= least:
            return View(y, x, y + rows, x + columns, window, share, whole=False)
    return View(0, 0, height, width, window, 1.0, whole=True)


def _start(middle: float, length: int, available: int) -> int:
    return int(min(max(round(middle - length / 2), 0), available - length))


def _inside(mass: NDArray[np.float64], top: int, left: int, rows: int, columns: int) -> float:
    return float(mass[top : top + rows, left : left + columns].sum())
