"""PSNR and SSIM as super-resolution papers compute them.

The convention of the field: SR and HR rounded to 8 bits, Y of YCbCr (BT.601, studio range), a border as wide
as the scale left out, peak 255. SSIM (Wang et al., IEEE TIP 2004) with an 11×11 Gaussian window of σ = 1.5
and biased variances, averaged over the windows that lie wholly inside.
"""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srlens.errors import ImageError, ImageTooSmallError, NotFiniteError, SettingError, WindowError
from srlens.imaging import colour

_SSIM_SIGMA, _SSIM_CUT = 1.5, 3.5  # pixels, σ
_SSIM_REACH = round(_SSIM_SIGMA * _SSIM_CUT)  # pixels to each side of a window's centre
#: Side of the window of SSIM, in pixels.
SSIM_WINDOW = 2 * _SSIM_REACH + 1
_SSIM_FLOORS = 0.01**2, 0.03**2  # K₁², K₂² of the paper for values in [0, 1]


def psnr(sr: Tensor, hr: Tensor, *, border: int, luma: bool = True, quantise: bool = True) -> float:
    """Peak signal-to-noise ratio of a whole image.

    Args:
        sr: C×H×W in [0, 1].
        hr: the same shape.
        border: pixels left out on every side; the field takes the scale.
        luma: of RGB, compare Y only. Otherwise, and with other channel counts, all channels with equal weight.
        quantise: clamp to [0, 1] and round to 8 bits first (before Y is taken; Y itself is not rounded).

    Returns:
        dB; infinity for equal images.

    Raises:
        ImageError: unequal or wrong shapes, or values that are not floating point.
        ImageTooSmallError: nothing is left within the border.
        NotFiniteError: NaN or infinity.
        SettingError: a negative border.
    """
    a, b = _comparable(sr, hr, border, luma=luma, quantise=quantise)
    return _decibel(a, b)


def ssim(sr: Tensor, hr: Tensor, *, border: int, luma: bool = True, quantise: bool = True) -> float:
    """Structural similarity of a whole image.

    Arguments and errors are those of :func:`psnr`; at least 11×11 pixels must be left within the border. With
    ``luma=False``, and with other channel counts than 3, the SSIM of the channels is averaged.

    Returns:
        At most 1 (equal images); rarely below 0.
    """
    from scipy.ndimage import gaussian_filter

    a, b = _comparable(sr, hr, border, luma=luma, quantise=quantise)
    if min(a.shape[1:]) < SSIM_WINDOW:
        raise ImageTooSmallError(
            f"SSIM needs {SSIM_WINDOW}×{SSIM_WINDOW} pixels within the border (={border}), "
            f"but {a.shape[1]}×{a.shape[2]} are left."
        )

    def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return gaussian_filter(values, _SSIM_SIGMA, truncate=_SSIM_CUT, axes=(1, 2))

    mean_a, mean_b = mean(a), mean(b)
    variances = mean(a * a) - mean_a * mean_a + (mean(b * b) - mean_b * mean_b)
    covariance = mean(a * b) - mean_a * mean_b
    c1, c2 = _SSIM_FLOORS
    similar = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    values = similar / ((mean_a**2 + mean_b**2 + c1) * (variances + c2))
    inside = values[:, _SSIM_REACH:-_SSIM_REACH, _SSIM_REACH:-_SSIM_REACH]
    return float(inside.mean(axis=(1, 2)).mean())


def window_psnr(
    sr: Tensor, hr: Tensor, bounds: tuple[int, int, int, int], *, luma: bool = True, quantise: bool = True
) -> float:
    """PSNR of one window of the SR image. No border is left out, wherever the window lies.

    Args:
        sr: C×H×W in [0, 1], the whole image.
        hr: the same shape.
        bounds: (top, left, bottom, right) in SR pixels; bottom and right are one past the last.
        luma: see :func:`psnr`.
        quantise: see :func:`psnr`.

    Returns:
        dB; infinity for equal windows.

    Raises:
        WindowError: the window is empty or does not lie inside the image; otherwise as :func:`psnr`.
    """
    a, b = _comparable(sr, hr, 0, luma=luma, quantise=quantise)
    top, left, bottom, right = bounds
    height, width = a.shape[1:]
    if not (0 <= top < bottom <= height and 0 <= left < right <= width):
        raise WindowError(
            f"The window (top, left, bottom, right) = {bounds} must be non-empty and lie inside the "
            f"{height}×{width} image."
        )
    return _decibel(a[:, top:bottom, left:right], b[:, top:bottom, left:right])


def _decibel(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    error = float(np.mean((a - b) ** 2))
    return math.inf if error == 0 else -10 * math.log10(error)


def _comparable(
    sr: Tensor, hr: Tensor, border: int, *, luma: bool, quantise: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Check two images and make them float64 arrays, c×h×w, as they are to be compared."""
    if sr.shape != hr.shape or sr.ndim != 3:
        raise ImageError(
            f"SR and HR must be C×H×W of one shape, but are {tuple(sr.shape)} and {tuple(hr.shape)}. "
            f"Crop HR to a multiple of the scale (modcrop)."
        )
    channels, height, width = sr.shape
    if border < 0:
        raise SettingError(f"The border (={border}) must be at least 0 pixels.")
    if min(height, width) <= 2 * border:
        raise ImageTooSmallError(f"Of {height}×{width} pixels nothing is left within a border of {border}.")
    arrays = []
    for name, image in (("SR", sr), ("HR", hr)):
        if not image.is_floating_point():
            raise ImageError(f"{name} must be floating point in [0, 1], not {image.dtype}. Divide by 255.")
        plain = image.detach().to("cpu", torch.float64)
        bad = ~torch.isfinite(plain)
        if bool(bad.any()):
            first = tuple(bad.nonzero()[0].tolist())
            raise NotFiniteError(f"{name} holds {int(bad.sum())} values NaN or infinite, first at {first} (C, H, W).")
        if quantise:
            plain = (plain.clamp(0, 1) * 255).round() / 255
        if luma and channels == 3:
            plain = colour.luma(plain)
        arrays.append(plain[:, border : height - border, border : width - border].numpy())
    return arrays[0], arrays[1]
