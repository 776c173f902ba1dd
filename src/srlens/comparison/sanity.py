"""Is the network fed what it was trained on? PSNR against "doing nothing" wherever the clean picture is known."""

import math
import warnings
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from srlens.errors import BelowReferenceWarning, ImageError, NotFiniteError
from srlens.imaging.check import FAR_OUTSIDE, crop_clean, outside
from srlens.imaging.colour import match_channels
from srlens.imaging.degrade import GIVEN, psnr_border, psnr_of_luma, reference, reference_name
from srlens.imaging.eye import centre_frame
from srlens.measures.quality import psnr
from srlens.networks.network import Network

_RANGES = (1.0, 255.0)
# A wrong range costs several dB (RFDN: 8). On a single hard crop a right one may lose a little to the reference, and
# then a wrong one may by chance lose less: that is no reason to advise it.
_CLEAR_GAIN = 3.0
_CAUSES = (
    "weights of another degradation or of another training aim (GAN), another scale than the file was trained for, an "
    "LR image not made from this HR."
)
_CAUSES_OF_RESTORATION = (
    "weights for another degradation or another level of it, an input that was not made from this clean picture."
)


@dataclass(frozen=True)
class Sanity:
    """A network against "doing nothing" on one image.

    Attributes:
        network: its name.
        psnr: of the network, in dB, 8 bits: in super-resolution of the luma without a border of ``scale`` SR pixels, in
            restoration (scale 1) of RGB.
        reference_name: what the reference is: ``"bicubic"`` (MATLAB's enlargement), ``"noisy picture"``, ….
        reference_psnr: of the reference, likewise; infinite where the observed picture is the clean one, which is
            nothing to be judged by.
        value_range: the range in which the network was run.
        fitting_range: another range to use, in which it beats the reference and is clearly better; None where there is
            none.
        fitting_psnr: its PSNR in that range, in dB; None likewise.
        outside: by how much its SR image leaves [0, 1]; below 0 where it does not.
        other: the best of the other ranges that were tried, and its PSNR in dB; None where none was.
        scale: of the network.
    """

    network: str
    psnr: float
    reference_name: str
    reference_psnr: float
    value_range: float
    fitting_range: float | None = None
    fitting_psnr: float | None = None
    other: tuple[float, float] | None = None
    outside: float = 0.0
    scale: int = 4

    @property
    def passed(self) -> bool:
        """Whether the network is at least as good as the reference, or nothing can be."""
        return self.psnr >= self.reference_psnr or math.isinf(self.reference_psnr)

    @property
    def _causes(self) -> str:
        return _CAUSES if self.scale > 1 else _CAUSES_OF_RESTORATION

    def __str__(self) -> str:
        """One sentence with both numbers, and the remedy where one is known."""
        compared = f"{self.network} reaches {self.psnr:.2f} dB, {self.reference_name} {self.reference_psnr:.2f} dB"
        if self.passed and self.fitting_range is None:
            return f"{compared}."
        if self.fitting_range is not None:
            return (
                f"{compared}: it was run with value_range {self.value_range:g}, but with {self.fitting_range:g} it "
                f"reaches {self.fitting_psnr:.2f} dB. Use value_range={self.fitting_range:g}."
            )
        if self.outside > FAR_OUTSIDE:
            return f"{compared}: values of its output leave [0, 1] by {self.outside:.2g}; it diverges on this picture."
        if self.other is not None and self.other[1] > self.psnr:
            other, reached = self.other
            return (
                f"{compared}. With value_range {other:g} it reaches {reached:.2f} dB, too little to tell on this "
                f"picture which range is right: try both on a larger one. Other causes: {self._causes}"
            )
        return f"{compared}, and no other value range helps. Usual causes: {self._causes}"


def check_against_reference(
    network: Network, lr: Tensor, hr: Tensor, sr: Tensor | None = None, degradation: str = GIVEN
) -> Sanity:
    """Compare the PSNR of a network with that of "doing nothing", and warn where it is below.

    A wrong value range goes unnoticed otherwise: the picture looks plausible and every attribution is wrong. So the
    usual ranges (1, 255) are tried as well where the network is below the reference, or where its own is neither: run
    at half its range a network loses little, but is no longer the one that was trained.

    Args:
        network: run once unless ``sr`` is given, and once more for each range tried; without gradients.
        lr: the observed picture, C×h×w in [0, 1], RGB or grey.
        hr: the clean one, C×sh×sw in [0, 1]; up to ``scale − 1`` more rows and columns are cropped.
        sr: :meth:`Network.render` of ``lr``, where that is known already.
        degradation: how the one was made of the other.

    Warns:
        BelowReferenceWarning: the network is below the reference, or another range is better; says which range fits,
            or the usual causes.

    Raises:
        ImageError: HR has not ``scale`` times the size of LR.
        NotFiniteError: the output is NaN or infinite.
    """
    lr, hr = _aligned(network, lr, hr)
    sr = network.render(lr) if sr is None else sr
    unimproved = reference(centre_frame(lr), network.scale, degradation).clamp(0, 1)
    quality: Any = {"border": psnr_border(network.scale), "luma": psnr_of_luma(network.scale)}
    result = Sanity(
        network=network.name,
        psnr=psnr(sr.clamp(0, 1), hr, **quality),
        reference_name=reference_name(network.scale, degradation),
        reference_psnr=psnr(unimproved, hr, **quality),
        value_range=network.value_range,
        outside=outside(sr),
        scale=network.scale,
    )
    usual = any(math.isclose(network.value_range, one) for one in _RANGES)
    if result.passed and usual:
        return result
    result = replace(result, other=_best_other_range(network, lr, hr, quality))
    least = max(result.reference_psnr, result.psnr + (_CLEAR_GAIN if usual else 0.0))
    if result.other is not None and result.other[1] > least:
        result = replace(result, fitting_range=result.other[0], fitting_psnr=result.other[1])
    if not result.passed or result.fitting_range is not None:
        warnings.warn(str(result), BelowReferenceWarning, stacklevel=2)
    return result


def _best_other_range(network: Network, lr: Tensor, hr: Tensor, quality: Any) -> tuple[float, float] | None:
    """The usual value range with the best PSNR but for the network's own, and that PSNR."""
    scores = {}
    for value_range in _RANGES:
        if not math.isclose(value_range, network.value_range):
            try:
                sr = replace(network, value_range=value_range).render(lr).clamp(0, 1)
                scores[value_range] = psnr(sr, hr, **quality)
            except NotFiniteError:  # a network far outside its range may overflow: then it does not fit
                continue
    return max(scores.items(), key=lambda score: score[1], default=None)


def _aligned(network: Network, lr: Tensor, hr: Tensor) -> tuple[Tensor, Tensor]:
    """HR cropped to ``scale`` times LR; grey repeated, as the network's own picture is RGB then."""
    if lr.ndim != (3 if network.frames is None else 4) or hr.ndim != 3:
        raise ImageError(
            f"LR (or a clip, T×C×h×w) and HR must be C×H×W, but are {tuple(lr.shape)} and {tuple(hr.shape)}."
        )
    hr = crop_clean(hr, lr, network.scale)
    if lr.shape[-3] == 1 and network.colour != "any":
        lr, hr = match_channels(lr, 3), match_channels(hr, 3)
    return lr, hr
