"""From HR to LR: the crop to a multiple of the scale, and the three ways in which the field shrinks."""

from collections.abc import Callable
from typing import Literal

from torch import Tensor

from srlens.errors import ImageTooSmallError, SettingError
from srlens.imaging.resample import bicubic_downscale, matlab_downscale_uint8, pil_downscale

Method = Literal["matlab", "matlab-uint8", "pil"]

METHODS: dict[Method, Callable[[Tensor, int], Tensor]] = {
    "matlab": bicubic_downscale,
    "matlab-uint8": matlab_downscale_uint8,
    "pil": pil_downscale,
}
"""MATLAB's bicubic in floating point, the same on 8-bit images (public LR sets), Pillow's (the paper)."""


def modcrop(image: Tensor, scale: int) -> Tensor:
    """Crop the bottom and right of …×H×W so that both sides are multiples of the scale (a view, not a copy).

    Raises:
        ImageTooSmallError: a side is shorter than the scale.
        SettingError: the scale is below 1.
    """
    if scale < 1:
        raise SettingError(f"The scale (={scale}) must be a whole number of at least 1.")
    height, width = image.shape[-2:]
    if height < scale or width < scale:
        raise ImageTooSmallError(
            f"The HR image is {height}×{width} pixels and holds no LR pixel at scale {scale}. "
            f"Give at least {scale}×{scale}."
        )
    return image[..., : height - height % scale, : width - width % scale]


def make_lr(hr: Tensor, scale: int, method: Method = "matlab") -> Tensor:
    """Make the LR image of an HR image, which is cropped first (:func:`modcrop`).

    Args:
        hr: C×H×W in [0, 1].
        scale: HR pixels per LR pixel.
        method: a key of :data:`METHODS`. ``"matlab"`` alone keeps more than 8 bits, is differentiable, and
            may overshoot [0, 1] a little.

    Returns:
        C×(H // scale)×(W // scale).

    Raises:
        ImageTooSmallError: a side is shorter than the scale.
        SettingError: no such method, or a scale below 1.
    """
    if method not in METHODS:
        raise SettingError(f"method (={method!r}) must be one of {', '.join(map(repr, METHODS))}.")
    return METHODS[method](modcrop(hr, scale), scale)
