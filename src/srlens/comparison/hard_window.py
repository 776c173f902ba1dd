"""Hard windows, the paper's second principle: where the networks struggle."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from srlens.comparison.subject import Subject
from srlens.errors import WindowError
from srlens.imaging.colour import luma, match_channels
from srlens.imaging.window import Window


@dataclass(frozen=True)
class Candidate:
    """A window and how hard it is.

    Attributes:
        window: in SR pixels.
        psnr: luma PSNR of the window in dB, the mean over the networks; lower is harder.
    """

    window: Window
    psnr: float


def hard_windows(srs: Sequence[Tensor], reference: Tensor, *, size: int) -> list[Candidate]:
    """Windows on a grid of half their size, away from the image's edges where there is room, hardest first.

    Hardest is the lowest mean PSNR of the networks' SR images against the reference.

    Args:
        srs: one SR image a network, C×H×W in [0, 1].
        reference: the HR image, or the bicubic enlargement where HR is not known.
        size: side of the windows, in SR pixels.

    Raises:
        WindowError: the image holds no window of that size.
    """
    height, width = reference.shape[-2:]
    if min(height, width) < size:
        raise WindowError(
            f"No window of {size}×{size} fits into the SR image of {height}×{width}. Take a smaller size."
        )
    border, stride = min(size, (min(height, width) - size) // 4), max(size // 2, 1)
    target = _grey(match_channels(reference, srs[0].shape[0]))  # grey, where the networks make RGB of it
    scores = np.mean([_window_psnr((_grey(sr) - target) ** 2, size) for sr in srs], axis=0)
    tops, lefts = (range(border, side - border - size + 1, stride) for side in (height, width))
    candidates = [Candidate(Window.square(top, left, size), float(scores[top, left])) for top in tops for left in lefts]
    return sorted(candidates, key=lambda c: (c.psnr, c.window.top, c.window.left))


def hardest_window(srs: Sequence[Tensor], subject: Subject, *, size: int) -> Candidate:
    """The hardest window against HR, or against doing nothing where HR is not known; see :func:`hard_windows`."""
    return hard_windows(srs, subject.hr if subject.hr is not None else subject.reference, size=size)[0]


def without_overlaps(candidates: Sequence[Candidate], count: int, separation: int = 0) -> list[Candidate]:
    """The first ``count`` candidates with so many SR pixels between them, in the order given."""
    chosen: list[Candidate] = []
    for candidate in candidates:
        if len(chosen) == count:
            break
        if not any(_near(candidate.window, other.window, separation) for other in chosen):
            chosen.append(candidate)
    return chosen


def _near(a: Window, b: Window, separation: int) -> bool:
    rows = a.top < b.bottom + separation and b.top < a.bottom + separation
    return rows and a.left < b.right + separation and b.left < a.right + separation


def _grey(image: Tensor) -> NDArray[np.float64]:
    grey = luma(image)[0] if image.shape[0] == 3 else image.mean(dim=0)
    return grey.double().numpy()


def _window_psnr(squared: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """PSNR (dB, peak 1) of every window by its top left pixel, from the squared error H×W."""
    total = np.zeros((squared.shape[0] + 1, squared.shape[1] + 1))
    total[1:, 1:] = squared.cumsum(axis=0).cumsum(axis=1)
    sums = total[size:, size:] - total[:-size, size:] - total[size:, :-size] + total[:-size, :-size]
    smallest = np.finfo(np.float64).tiny  # a perfect window: some thousand dB rather than infinity, for the mean
    psnr: NDArray[np.float64] = -10 * np.log10(np.maximum(sums / size**2, smallest))
    return psnr
