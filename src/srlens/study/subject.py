"""What is explained: an LR image, with its HR image where that is known."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from torch import Tensor

from srlens.imaging.degrade import Method, make_lr, modcrop
from srlens.imaging.files import image_digest, read_image


@dataclass(frozen=True, eq=False)
class Subject:
    """An LR image and what is known about it.

    Attributes:
        name: for captions and file names.
        lr: C×h×w in [0, 1].
        hr: C×sh×sw in [0, 1], cropped to the LR image, or None.
        degradation: how the LR image was made, or ``"given"``.
        digest: SHA-256 of the image file; None for an image that came from no file.
    """

    name: str
    lr: Tensor
    hr: Tensor | None
    degradation: Method | Literal["given"]
    digest: str | None = None

    @classmethod
    def from_hr(
        cls, hr: Tensor, scale: int, *, name: str, degradation: Method = "matlab", digest: str | None = None
    ) -> "Subject":
        """Make the LR image from an HR image, C×H×W in [0, 1], which is cropped to a multiple of the scale."""
        return cls(name, make_lr(hr, scale, degradation), modcrop(hr, scale), degradation, digest)


def read_subject(path: Path, scale: int, *, is_hr: bool, degradation: Method = "matlab") -> Subject:
    """Read an image file as the LR image, or as the HR image from which the LR is made.

    Raises:
        ImageError, ImageTooSmallError: see :func:`srlens.read_image` and :func:`srlens.make_lr`.
    """
    image = read_image(path)
    if is_hr:
        return Subject.from_hr(image, scale, name=path.stem, degradation=degradation, digest=image_digest(path))
    return Subject(path.stem, image, None, "given", image_digest(path))
