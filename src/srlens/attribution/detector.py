"""Detectors: what is asked about the SR window. Each is a scalar of the window's pixels.

The window is cropped before anything is computed, so that no pixel outside it can spoil the gradient. A detector may
also read what else is known of the same pixels: ``reads`` names it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Literal, get_args

import torch
from torch import Tensor
from torch.nn import functional as nnf

from srlens.errors import SettingError
from srlens.imaging.check import whole
from srlens.imaging.constant import constant
from srlens.naming import look_up

#: What a detector may read of a window's pixels besides the output.
Known = Literal["reference", "clean"]


@dataclass(frozen=True)
class Detector:
    """A scalar of an SR window; give your own to :func:`srlens.attribute` as ``detector=``.

    Attributes:
        name: for records and captions.
        measure: takes the window's SR pixels, N×C×h×w in [0, 1] terms (float32 or float64), grown by ``margin``, then
            the same pixels of each picture that ``reads`` names; returns N values. Must be differentiable and finite
            everywhere, flat patches included.
        margin: SR pixels read above, left of, below and right of the window, as far as the image has them.
        smallest: the smallest patch side that ``measure`` can take, in SR pixels.
        reads: ``"reference"``, the output of doing nothing (the input enlarged by MATLAB's bicubic; at scale 1 the
            input itself), which depends on the input; ``"clean"``, the ground truth, which does not and must be
            given (``clean=``).
        unit: of its values, for captions; empty where it has none.
        negligible: a change of its value that is too small to be looked at closely, in its unit; None: a thousandth of
            the value.
        asks: what it is a measure of, in words, for the question that a caption says a map answers.

    Raises:
        SettingError: a value out of range, ``measure`` cannot be called, ``reads`` names something else.
    """

    name: str
    measure: Callable[..., Tensor] = field(repr=False)
    margin: tuple[int, int, int, int] = (0, 0, 0, 0)
    smallest: int = 1
    reads: tuple[Known, ...] = ()
    unit: str = ""
    negligible: float | None = None
    asks: str = ""

    def __post_init__(self) -> None:
        if not callable(self.measure):
            raise SettingError(f"measure of the detector {self.name!r} must be a function, got {self.measure!r}.")
        if not isinstance(self.margin, tuple) or len(self.margin) != len(("top", "left", "bottom", "right")):
            raise SettingError(f"margin must be four numbers (top, left, bottom, right), got {self.margin!r}.")
        for side in self.margin:
            whole("margin", side, 0, " SR pixels to each side")
        whole("smallest", self.smallest)
        if self.negligible is not None and not 0 <= self.negligible < math.inf:
            raise SettingError(f"negligible must be at least 0 and finite, got {self.negligible!r}.")
        if unknown := [one for one in self.reads if one not in get_args(Known)]:
            raise SettingError(
                f"The detector {self.name!r} reads {', '.join(map(repr, unknown))}; there is "
                f"{' and '.join(get_args(Known))}."
            )


def magnitude(dy: Tensor, dx: Tensor) -> Tensor:
    """``sqrt(dy² + dx²)`` with gradient 0 where both are 0 (a valid sub-gradient; autograd's is NaN there)."""
    square = dy * dy + dx * dx
    positive = square > 0
    return torch.where(positive, torch.where(positive, square, 1.0).sqrt(), 0.0)


def gradient_magnitude(patch: Tensor) -> Tensor:
    """The paper's detector (eq. 4): image-gradient magnitude by forward differences, summed over pixels and channels.

    Each of the window's pixels is compared with the one below and the one to its right, so N×C×(l+1)×(l+1) SR
    pixels are read for a window of side l.
    """
    here = patch[..., :-1, :-1]
    return magnitude(here - patch[..., 1:, :-1], here - patch[..., :-1, 1:]).sum(dim=(1, 2, 3))


def intensity(patch: Tensor) -> Tensor:
    """Sum of the pixel values over window and channels."""
    return patch.sum(dim=(1, 2, 3))


def squares(patch: Tensor) -> Tensor:
    """Half the sum of squares over window and channels."""
    return 0.5 * (patch * patch).sum(dim=(1, 2, 3))


def difference_energy(patch: Tensor, other: Tensor) -> Tensor:
    """Half the sum of squares of the difference: detail beyond the reference, or error against the clean picture."""
    return squares(patch - other)


def difference_gradient(patch: Tensor, other: Tensor) -> Tensor:
    """:func:`gradient_magnitude` of the difference."""
    return gradient_magnitude(patch - other)


_LEAST_ERROR = 1e-10


def window_psnr(patch: Tensor, clean: Tensor) -> Tensor:
    """PSNR of the window in dB against the clean picture: all channels alike, clamped to [0, 1], not rounded.

    At most 100 dB, with a gradient of 0 there, so that it is finite for equal windows too. The luma PSNR of tables
    (:func:`srlens.measures.quality.window_psnr`) rounds to 8 bits and has no gradient.
    """
    error = (patch.clamp(0, 1) - clean).square().mean(dim=(1, 2, 3))
    return -10 * error.clamp_min(_LEAST_ERROR).log10()


_GABOR_RADIUS, _GABOR_WAVELENGTH, _GABOR_SIGMA, _GABOR_ORIENTATIONS = 5, 4.0, 2.0, 4


@cache
def _gabor_bank() -> Callable[[Tensor], Tensor]:
    """Even and odd Gabor filters without mean at four orientations: (2·4)×1×11×11, even before odd."""
    axis = torch.arange(-_GABOR_RADIUS, _GABOR_RADIUS + 1, dtype=torch.float64)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    envelope = torch.exp(-(x**2 + y**2) / (2 * _GABOR_SIGMA**2))
    envelope = envelope / envelope.sum()
    even, odd = [], []
    for k in range(_GABOR_ORIENTATIONS):
        angle = math.pi * k / _GABOR_ORIENTATIONS
        phase = 2 * math.pi / _GABOR_WAVELENGTH * (x * math.cos(angle) + y * math.sin(angle))
        wave = envelope * torch.cos(phase)
        even.append(wave - envelope * wave.sum())
        odd.append(envelope * torch.sin(phase))
    return constant(torch.stack(even + odd)[:, None])


def gabor_magnitude(patch: Tensor) -> Tensor:
    """Magnitude of four oriented quadrature Gabor pairs (wavelength 4, σ 2 SR pixels), summed.

    Where the window touches the border of the SR image only whole filter supports count.
    """
    n, c, h, w = patch.shape
    response = nnf.conv2d(patch.reshape(n * c, 1, h, w), _gabor_bank()(patch))
    even, odd = response.chunk(2, dim=1)
    return magnitude(even, odd).reshape(n, -1).sum(dim=1)


_R = _GABOR_RADIUS
#: Detectors by name. Add your own here, and the command line, study files and the page know it.
DETECTORS: dict[str, Detector] = {
    detector.name: detector
    for detector in (
        Detector("gradient", gradient_magnitude, margin=(0, 0, 1, 1), smallest=2, asks="its edges and texture"),
        Detector("intensity", intensity, asks="its brightness"),
        Detector("gabor", gabor_magnitude, (_R, _R, _R, _R), smallest=2 * _R + 1, asks="its texture of period 4"),
        Detector("residual", difference_energy, reads=("reference",), asks="its change against doing nothing"),
        Detector(
            "residual-gradient",
            difference_gradient,
            (0, 0, 1, 1),
            2,
            ("reference",),
            asks="the edges of its change against doing nothing",
        ),
        Detector("error", difference_energy, reads=("clean",), asks="its error against the clean picture"),
        Detector("psnr", window_psnr, reads=("clean",), unit="dB", negligible=0.01),
    )
}


def find_detector(detector: str | Detector) -> Detector:
    """A detector by name, or the one given.

    Raises:
        SettingError: no detector has that name.
    """
    if isinstance(detector, Detector):
        return detector
    return look_up("detector", detector, DETECTORS, " Or pass a srlens.Detector of your own.")
