"""Colour as the super-resolution field uses it: BT.601 luma in studio range, and grey as three equal channels."""

import torch
from torch import Tensor

# Rows of the 8-bit BT.601 studio-range matrix (Y 16–235, Cb and Cr 16–240), for RGB in [0, 1]; in units of 1/255.
_MATRIX = ((65.481, 128.553, 24.966), (-37.797, -74.203, 112.0), (112.0, -93.786, -18.214))
_OFFSET = (16.0, 128.0, 128.0)


def rgb_to_ycbcr(image: Tensor) -> Tensor:
    """Convert RGB to YCbCr (ITU-R BT.601, studio range), as MATLAB's ``rgb2ycbcr`` does.

    Args:
        image: …×3×H×W, RGB in [0, 1]; gradients pass.

    Returns:
        …×3×H×W in [0, 1] terms: Y in [16, 235] / 255, Cb and Cr in [16, 240] / 255.
    """
    matrix = image.new_tensor(_MATRIX) / 255
    offset = image.new_tensor(_OFFSET) / 255
    return torch.einsum("ij,...jhw->...ihw", matrix, image) + offset[:, None, None]


def ycbcr_to_rgb(image: Tensor) -> Tensor:
    """Invert :func:`rgb_to_ycbcr` exactly (same shapes and ranges; not clamped)."""
    inverse = torch.linalg.inv(torch.tensor(_MATRIX, dtype=torch.float64) / 255)
    inverse = inverse.to(image.dtype).to(image.device)  # in this order: MPS has no float64
    offset = image.new_tensor(_OFFSET) / 255
    return torch.einsum("ij,...jhw->...ihw", inverse, image - offset[:, None, None])


def luma(image: Tensor) -> Tensor:
    """Y of YCbCr: …×3×H×W RGB in [0, 1] to …×1×H×W in [16, 235] / 255."""
    return rgb_to_ycbcr(image)[..., :1, :, :]


def full_range(y: Tensor) -> Tensor:
    """Luma in [16, 235] / 255 to grey in [0, 1]; not clamped."""
    return (255 * y - 16) / 219


def studio_range(grey: Tensor) -> Tensor:
    """Invert :func:`full_range`."""
    return (219 * grey + 16) / 255


def merge_luma(y: Tensor, image: Tensor) -> Tensor:
    """Replace the luma of an RGB image: ``y`` is …×1×H×W in [16, 235] / 255, ``image`` …×3×H×W in [0, 1]."""
    return ycbcr_to_rgb(torch.cat([y, rgb_to_ycbcr(image)[..., 1:, :, :]], dim=-3))


def match_channels(image: Tensor, channels: int) -> Tensor:
    """Give an image the channel count that a network takes, where the field has one rule for it.

    Three channels to one: luma (BT.601, studio range). One to three: the grey repeated.

    Args:
        image: …×C×H×W in [0, 1].
        channels: what the network takes.

    Returns:
        …×channels×H×W, or ``image`` itself where nothing had to be done or no rule exists.
    """
    have = image.shape[-3]
    if have == 3 and channels == 1:
        return luma(image)
    if have == 1 and channels == 3:
        return image.expand(*image.shape[:-3], 3, *image.shape[-2:])
    return image
