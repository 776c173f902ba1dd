"""The part of a picture that a network is shown: an LR crop of fixed size around the window."""

from dataclasses import dataclass

from torch import Tensor

from srlens.errors import ImageTooSmallError
from srlens.imaging.degrade import degrade, modcrop
from srlens.imaging.window import Window


@dataclass(frozen=True, eq=False)
class Picture:
    """A whole picture at both resolutions.

    Attributes:
        lr: C×h×w in [0, 1].
        hr: C×sh×sw in [0, 1]; None where it is not known.
    """

    lr: Tensor
    hr: Tensor | None


@dataclass(frozen=True, eq=False)
class Crop:
    """What a network is shown.

    Attributes:
        lr: C×h×w in [0, 1].
        hr: C×sh×sw, or None.
        window: in SR pixels of the crop.
        top: first row of the crop, in LR pixels of the picture.
        left: first column, likewise.
    """

    lr: Tensor
    hr: Tensor | None
    window: Window
    top: int
    left: int


def make_picture(image: Tensor, scale: int, *, given: str, degradation: str) -> Picture:
    """Make the LR of an HR picture (``given="hr"``), or take the picture as LR."""
    if given == "lr":
        return Picture(image, None)
    return Picture(degrade(image, degradation, scale=scale), modcrop(image, scale))


def crop_around(picture: Picture, window: Window, scale: int, lr_size: int | None) -> Crop:
    """Cut the square of ``lr_size`` LR pixels around the window's centre, shifted inwards at the picture's edges.

    Raises:
        WindowError: the window lies outside the picture.
        ImageTooSmallError: the picture, or the square beside the window, is too small.
    """
    height, width = picture.lr.shape[-2:]
    window.check_inside(height * scale, width * scale)
    if lr_size is None:
        return Crop(picture.lr, picture.hr, window, 0, 0)
    if min(height, width) < lr_size:
        raise ImageTooSmallError(
            f"The LR image is {height}×{width}, smaller than the crop of {lr_size}×{lr_size}. Leave it out, or lower "
            f"lr_size to {min(height, width)} for all windows."
        )
    if max(window.height, window.width) + 2 * scale > lr_size * scale:
        raise ImageTooSmallError(f"A crop of {lr_size}×{lr_size} LR pixels is too small for a {window}; raise lr_size.")
    top = _start(window.top, window.bottom, scale, lr_size, height)
    left = _start(window.left, window.right, scale, lr_size, width)
    hr = picture.hr
    if hr is not None:
        hr = hr[..., top * scale : (top + lr_size) * scale, left * scale : (left + lr_size) * scale]
    inner = Window(window.top - top * scale, window.left - left * scale, window.height, window.width)
    return Crop(picture.lr[..., top : top + lr_size, left : left + lr_size], hr, inner, top, left)


def _start(first: int, end: int, scale: int, size: int, length: int) -> int:
    centred = round((first + end) / (2 * scale) - size / 2)
    return min(max(0, centred), length - size)
