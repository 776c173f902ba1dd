"""What callers give, as everything else takes it, or a named error: images, whole numbers."""

import warnings
from operator import index
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from srlens.errors import ImageError, NotFiniteError, OutsideRangeWarning, SettingError


def check_image(image: Tensor | ArrayLike, *, clip: bool = False) -> Tensor:
    """An image as C×h×w tensor on the CPU, floating point, finite, in [0, 1]; where it may be a ``clip``, T×C×h×w too.

    Raises:
        ImageError: wrong shape (H×W×C too), integer type, or values farther outside [0, 1] than bicubic and noise
            bring them.
        NotFiniteError: NaN or infinity; says where.
    """
    tensor = image.detach().cpu() if isinstance(image, Tensor) else _from_array(image)
    if tensor.ndim not in ((3, 4) if clip else (3,)) or 0 in tensor.shape:
        raise ImageError(f"The image must be C×h×w, got shape {tuple(tensor.shape)}. Take one image, channels first.")
    if tensor.shape[-1] in (1, 3, 4) and tensor.shape[-3] > _MOST_BANDS:
        raise ImageError(
            f"The image has shape {tuple(tensor.shape)}, which looks like H×W×C: channels come first. Give "
            "image.permute(2, 0, 1) of a tensor, image.transpose(2, 0, 1) of a NumPy array."
        )
    if not tensor.is_floating_point():
        raise ImageError(
            f"The image must be floating point in [0, 1], got {tensor.dtype}. Divide by 255, or use srlens.read_image."
        )
    bad = ~torch.isfinite(tensor)
    if bad.any():
        channel, row, column = (int(i) for i in bad.nonzero()[0][-3:])
        raise NotFiniteError(
            f"The image is NaN or infinite in {int(bad.sum())} of {bad.numel()} values; first at channel {channel}, "
            f"pixel (row {row}, column {column})."
        )
    low, high = float(tensor.min()), float(tensor.max())
    far = ((tensor < -_OVERSHOOT) | (tensor > 1 + _OVERSHOOT)).double().mean()
    if float(far) > _SHARE_FAR or low < -_FARTHEST or high > 1 + _FARTHEST:
        raise ImageError(
            f"Image values run from {low:g} to {high:g}; srlens takes [0, 1] for every network "
            "(value_range=255 is the network's own matter). Divide by the largest possible value."
        )
    return tensor


_MOST_BANDS = 16  # with a last axis of 1, 3 or 4, as no picture is wide

#: By how much an SR image may leave [0, 1] in silence: sharpening takes no network so far.
FAR_OUTSIDE = 10.0


def outside(sr: Tensor) -> float:
    """By how much the farthest value of an SR image leaves [0, 1]; below 0 where none does."""
    return float(torch.maximum(-sr, sr - 1).max())


def clamped(sr: Tensor, name: str) -> Tensor:
    """The SR image of the network of that name, clamped to [0, 1].

    Warns:
        OutsideRangeWarning: it lies farther outside than :data:`FAR_OUTSIDE`.
    """
    if (far := outside(sr)) > FAR_OUTSIDE:
        warnings.warn(
            f"The SR image of {name} leaves [0, 1] by {far:.2g}: the network diverges on this picture, and neither its "
            "PSNR nor its map means much. Some do on an LR image whose values no 8-bit file holds: round it, or make "
            f"it by a degradation that does (matlab-uint8, pil).",
            OutsideRangeWarning,
            stacklevel=3,
        )
    return sr.clamp(0, 1)


def _from_array(image: ArrayLike) -> Tensor:
    try:
        array = np.asarray(image)
    except ValueError as error:
        raise ImageError(f"The image is no array: {error}. Give C×h×w values in [0, 1].") from error
    if array.dtype.kind != "f":
        raise ImageError(
            f"The image must be floating point in [0, 1], got {array.dtype}. Divide by 255, or use srlens.read_image."
        )
    return torch.from_numpy(array.astype(np.float64))  # a copy; also from long double and foreign byte order


# Bicubic overshoots [0, 1] a little, and strong noise much in a few values; most of a 0–255 image, and a good part of
# one in [−1, 1], lies farther outside.
_OVERSHOOT = 0.5
_SHARE_FAR = 0.05
_FARTHEST = 2.0


def crop_clean(clean: Tensor, observed: Tensor, scale: int) -> Tensor:
    """The part of a clean picture, …×H×W, that belongs to an observed one, …×h×w.

    Up to ``scale − 1`` more rows and columns are cropped, which a picture that was not cut to whole pixels has.

    Raises:
        ImageError: it is not ``scale`` times as large.
    """
    height, width = (side * scale for side in observed.shape[-2:])
    if not (0 <= clean.shape[-2] - height < scale and 0 <= clean.shape[-1] - width < scale):
        raise ImageError(
            f"The clean picture (HR) is {clean.shape[-2]}×{clean.shape[-1]}, but {scale} times the observed one (LR) "
            f"is {height}×{width}. Give the one that belongs to it, or a network of another scale than {scale}."
        )
    return clean[..., :height, :width]


def check_pixels(width: int, height: int, most: int) -> None:
    """Raise ImageError where a picture has more pixels than ``most``; to be asked of its header, before decoding."""
    if width * height > most:
        raise ImageError(
            f"The picture has {width}×{height} pixels, more than max_pixels={most}. Crop it, or raise max_pixels."
        )


def whole(name: str, value: Any, least: int = 1, hint: str = "") -> int:
    """A whole number of at least ``least``; those of other libraries count, floats and truth values do not.

    Raises:
        SettingError: it is none; the message calls it ``name`` and ends in ``hint``.
    """
    try:
        number = None if isinstance(value, bool) else index(value)
    except TypeError:
        number = None
    if number is None or number < least:
        raise SettingError(f"{name} must be a whole number of at least {least}, got {value!r}{hint}.")
    return number


def whole_scale(value: Any) -> int:
    """A scale, which may be written ``4.0`` too.

    Raises:
        SettingError: it is no whole number of at least 1.
    """
    return whole("The scale", int(value) if isinstance(value, float | np.floating) and value.is_integer() else value)


def check_noise(level: float) -> float:
    """The level of noise that a network is told.

    Raises:
        SettingError: it is below 0 or not finite.
    """
    if not 0 <= level < float("inf"):
        raise SettingError(f"noise_level must be σ in 8-bit grey levels, at least 0 (25 say), got {level!r}.")
    return float(level)


def check_range(value_range: float) -> float:
    """A value range.

    Raises:
        SettingError: it is not positive and finite.
    """
    if not 0 < value_range < float("inf"):
        raise SettingError(f"value_range must be positive (1.0 or 255.0 as a rule), got {value_range!r}.")
    return float(value_range)
