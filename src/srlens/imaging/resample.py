"""Resampling as the super-resolution field does it: MATLAB's bicubic, its 8-bit variant, and Pillow's.

The kernel is the cubic convolution of Keys (1981) with a = −1/2, widened by 1/scale when shrinking (so that
it low-passes), over an image continued by reflection about its edges (each edge pixel counted twice). That
is MATLAB's ``imresize(image, scale, 'bicubic')``.

For a scale p/q the weights repeat after p output pixels and q input pixels, so one pass is a strided
convolution with p kernels. Positions are then exact fractions, where
``torch.nn.functional.interpolate(antialias=True)`` computes them in the image's own precision and is off by
1e-4 at row 2000 of a float32 image enlarged by 3.
"""

import math
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache

import torch
from torch import Tensor

from srlens.errors import ChannelError, ImageError, SettingError
from srlens.imaging.check import whole_scale
from srlens.imaging.constant import constant

_MAX_TERM = 1000  # of the fraction p/q; the convolution holds p kernels of about q + 4·max(1, q/p) weights


def bicubic(image: Tensor, scale: float | Fraction) -> Tensor:
    """Resize as MATLAB's ``imresize(image, scale, 'bicubic')`` does for floating-point images.

    Gradients pass, of any order. Values are not clamped: the kernel overshoots at edges.

    Args:
        image: …×H×W, floating point, any range.
        scale: SR pixels per LR pixel; above 1 enlarges, below 1 shrinks. A float is taken as the nearest
            fraction with terms up to 1000 (0.3333333333333333 is 1/3), and must be one to 1e-9.

    Returns:
        …×⌈H·scale⌉×⌈W·scale⌉, same dtype and device.

    Raises:
        ImageError: the image is empty, not floating point, or has fewer than two axes.
        SettingError: the scale is not such a fraction, or not above 0.
    """
    _check(image)
    fraction = _as_fraction(scale)
    return _resize_axis(_resize_axis(image, fraction, -2), fraction, -1)


def bicubic_upscale(image: Tensor, scale: int) -> Tensor:
    """Enlarge …×H×W to …×(H·scale)×(W·scale), as :func:`bicubic`."""
    return bicubic(image, Fraction(whole_scale(scale)))


def bicubic_downscale(image: Tensor, scale: int) -> Tensor:
    """Shrink …×H×W to …×⌈H/scale⌉×⌈W/scale⌉, as :func:`bicubic`."""
    return bicubic(image, Fraction(1, whole_scale(scale)))


def matlab_downscale_uint8(image: Tensor, scale: int) -> Tensor:
    """Shrink as MATLAB's ``imresize(image, 1/scale, 'bicubic')`` does for ``uint8`` images.

    MATLAB shrinks the height first, rounds (halves away from zero) and saturates to 8 bits, and then does the
    same to the width. Public LR sets were made this way. No gradients.

    Args:
        image: …×H×W in [0, 1]; rounded to 8 bits first, which changes nothing in an 8-bit image.
        scale: the factor by which to shrink.

    Returns:
        …×⌈H/scale⌉×⌈W/scale⌉ in [0, 1], every value a multiple of 1/255, in the dtype of ``image``.

    Raises:
        ImageError: the image is empty, not floating point, or has fewer than two axes.
        SettingError: the scale is not a whole number of at least 1.
    """
    _check(image)
    fraction = Fraction(1, whole_scale(scale))
    # For 2 and 4 the weights are dyadic: float64 sums are exact, and true halves are seen as such.
    levels = _to_levels(image).to(torch.float64)
    for axis in (-2, -1):
        levels = (_resize_axis(levels, fraction, axis) + 0.5).floor().clamp(0, 255)
    return levels.to(image.dtype) / 255


def pil_downscale(image: Tensor, scale: int) -> Tensor:
    """Shrink as Pillow's ``resize((W // scale, H // scale), BICUBIC)`` does: the LR of the paper's demo.

    Pillow's kernel is the same (a = −1/2, widened), but at the border it leaves out the weights that fall
    outside; it works in fixed point and rounds to 8 bits between its passes, width first. No gradients.

    Args:
        image: C×H×W with 1 or 3 channels, in [0, 1]; rounded to 8 bits first.
        scale: the factor by which to shrink.

    Returns:
        C×(H // scale)×(W // scale) in [0, 1], every value a multiple of 1/255, with the dtype and device of
        ``image``.

    Raises:
        ImageError: the image is empty, not floating point, not of three axes, or smaller than one LR pixel.
        ChannelError: the channel count is neither 1 nor 3.
        SettingError: the scale is not a whole number of at least 1.
    """
    import numpy as np
    from PIL import Image

    _check(image)
    factor = whole_scale(scale)
    if image.ndim != 3:
        raise ImageError(f"Pillow resizes one C×H×W image, not shape {tuple(image.shape)}. Give the images singly.")
    channels, height, width = image.shape
    if channels not in (1, 3):
        raise ChannelError(f"Pillow resizes images of 1 or 3 channels, not {channels}. Convert the image first.")
    if height < factor or width < factor:
        raise ImageError(
            f"The image is {height}×{width} pixels and leaves nothing when shrunk by {factor}. "
            f"Give at least {factor}×{factor} pixels."
        )
    array = _to_levels(image).to("cpu", torch.uint8).permute(1, 2, 0).contiguous().numpy()
    picture = Image.fromarray(array[:, :, 0] if channels == 1 else array)
    small = np.asarray(picture.resize((width // factor, height // factor), Image.Resampling.BICUBIC))
    tensor = torch.from_numpy(small.copy()).reshape(height // factor, width // factor, channels)
    return tensor.permute(2, 0, 1).contiguous().to(image.device, image.dtype) / 255


def _resize_axis(image: Tensor, scale: Fraction, axis: int) -> Tensor:
    """Resize one axis of a …×H×W image; ``axis`` is −2 or −1."""
    size = image.shape[axis]
    out = math.ceil(size * scale)
    if scale == 1:
        return image
    kernels, first, taps = _phase_kernels(scale)
    blocks = math.ceil(out / scale.numerator)
    position = torch.arange(first, first + (blocks - 1) * scale.denominator + taps, device=image.device)
    position = position.remainder(2 * size)  # symmetric continuation has the period 2·size
    position = torch.minimum(position, 2 * size - 1 - position)
    rows = image.movedim(axis, -1).index_select(-1, position)
    line = (rows.unfold(-1, taps, scale.denominator) @ kernels(image).T).flatten(-2)  # …×(blocks·numerator)
    return line[..., :out].movedim(-1, axis)


@lru_cache(maxsize=32)
def _phase_kernels(scale: Fraction) -> tuple[Callable[[Tensor], Tensor], int, int]:
    """Weigh the input for the output pixels 0 … p−1 at the scale p/q.

    Returns:
        p rows of weights over the same run of input pixels, each summing to 1, as a constant; the index of the first
        of these input pixels (negative: left of the image), and their number. Output pixel p·k + r reads the run
        shifted by q·k.
    """
    # Pixel centres sit at whole numbers, so output pixel r looks at input position (r + ½)/scale − ½.
    centres = [(r + Fraction(1, 2)) / scale - Fraction(1, 2) for r in range(scale.numerator)]
    narrow = min(scale, Fraction(1))
    reach = 2 / narrow
    first = math.floor(centres[0] - reach)
    last = math.ceil(centres[-1] + reach)
    rows = []
    for centre in centres:
        row = [_cubic(float(narrow * (centre - i))) for i in range(first, last + 1)]
        total = math.fsum(row)
        rows.append([weight / total for weight in row])
    return constant(torch.tensor(rows, dtype=torch.float64)), first, len(rows[0])


def _cubic(x: float) -> float:
    """Cubic convolution kernel, a = −1/2 (Keys, IEEE Trans. ASSP 29(6), 1981)."""
    x = abs(x)
    if x <= 1:
        return (1.5 * x - 2.5) * x * x + 1
    if x < 2:
        return ((-0.5 * x + 2.5) * x - 4) * x + 2
    return 0.0


def _to_levels(image: Tensor) -> Tensor:
    """[0, 1] to whole numbers 0 … 255, still floating point."""
    return (image.detach() * 255).round().clamp(0, 255)


def _check(image: Tensor) -> None:
    if image.ndim < 2 or image.numel() == 0:
        raise ImageError(f"An image must be …×H×W and not empty, but has shape {tuple(image.shape)}.")
    if not image.is_floating_point():
        raise ImageError(f"Images are floating point in [0, 1], not {image.dtype}. Convert: image.float() / 255.")


def _as_fraction(scale: float | Fraction) -> Fraction:
    if not math.isfinite(scale) or scale <= 0:
        raise SettingError(f"The scale (={scale}) must be above 0 and finite.")
    exact = Fraction(scale)
    fraction = exact.limit_denominator(_MAX_TERM)
    if fraction.numerator > _MAX_TERM or fraction == 0 or abs(fraction - exact) > exact * Fraction(1, 10**9):
        raise SettingError(
            f"The scale (={scale}) must be a ratio of whole numbers up to {_MAX_TERM}. "
            f"Try {float(fraction):.4g}, or give fractions.Fraction(p, q)."
        )
    return fraction
