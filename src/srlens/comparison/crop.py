"""The part of a picture that a network is shown: an LR crop of fixed size around the window."""

from srlens.comparison.subject import Subject
from srlens.errors import ImageTooSmallError
from srlens.imaging.window import Window


def crop_around(subject: Subject, window: Window, scale: int, lr_size: int | None) -> tuple[Subject, Window]:
    """Cut the square of ``lr_size`` LR pixels around the window's centre, shifted inwards at the picture's edges.

    Args:
        subject: the whole picture.
        window: in SR pixels of it.
        scale: SR pixels per LR pixel.
        lr_size: side of the square; None: the whole picture.

    Returns:
        The square, and the window in SR pixels of the square.

    Raises:
        WindowError: the window lies outside the picture.
        ImageTooSmallError: the picture, or the square beside the window, is too small.
    """
    height, width = subject.lr.shape[-2:]
    window.check_inside(height * scale, width * scale)
    if lr_size is None:
        return subject, window
    if min(height, width) < lr_size:
        raise ImageTooSmallError(
            f"The LR image is {height}×{width}, smaller than the crop of {lr_size}×{lr_size}. Leave it out, or lower "
            f"lr_size to {min(height, width)} for all windows."
        )
    if max(window.height, window.width) + 2 * scale > lr_size * scale:
        raise ImageTooSmallError(f"A crop of {lr_size}×{lr_size} LR pixels is too small for a {window}; raise lr_size.")
    top = _start(window.top, window.bottom, scale, lr_size, height) * scale
    left = _start(window.left, window.right, scale, lr_size, width) * scale
    part = Window.square(top, left, lr_size * scale)
    return subject.cropped(part, scale), Window(window.top - top, window.left - left, window.height, window.width)


def _start(first: int, end: int, scale: int, size: int, length: int) -> int:
    centred = round((first + end) / (2 * scale) - size / 2)
    return min(max(0, centred), length - size)
