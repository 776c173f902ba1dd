"""What is explained: an LR image, with its HR image where that is known."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from torch import Tensor

from srlens.errors import SettingError
from srlens.imaging.degrade import Method, make_lr, modcrop
from srlens.imaging.files import image_digest, read_image
from srlens.imaging.samples import SAMPLES, sample_path
from srlens.imaging.window import Window


@dataclass(frozen=True, eq=False)
class Subject:
    """An LR image and what is known about it.

    Attributes:
        name: for captions and file names.
        lr: C×h×w in [0, 1].
        hr: C×sh×sw in [0, 1], cropped to the LR image, or None.
        degradation: how the LR image was made, or ``"given"``.
        digest: SHA-256 of the image file; None for an image that came from no file.
        part: what was cut out of a larger picture, in its SR pixels; None for a whole one.
    """

    name: str
    lr: Tensor
    hr: Tensor | None
    degradation: Method | Literal["given"]
    digest: str | None = None
    part: Window | None = None

    @classmethod
    def from_hr(
        cls, hr: Tensor, scale: int, *, name: str, degradation: Method = "matlab", digest: str | None = None
    ) -> "Subject":
        """Make the LR image from an HR image, C×H×W in [0, 1], which is cropped to a multiple of the scale."""
        return cls(name, make_lr(hr, scale, degradation), modcrop(hr, scale), degradation, digest)

    def cropped(self, part: Window, scale: int) -> "Subject":
        """Cut a part out of both images. LR pixels keep the values that they have in the whole picture.

        Args:
            part: in SR pixels (those of HR); its edges must lie between LR pixels.
            scale: SR pixels per LR pixel.

        Raises:
            SettingError: an edge lies within an LR pixel.
            WindowError: the part reaches outside the picture.
        """
        edges = (part.top, part.left, part.height, part.width)
        if any(edge % scale for edge in edges):
            nearest = ",".join(str(max(round(edge / scale), int(k > 1)) * scale) for k, edge in enumerate(edges))
            raise SettingError(
                f"The crop {','.join(map(str, edges))} (TOP,LEFT,HEIGHT,WIDTH in SR pixels) must consist of multiples "
                f"of the scale, {scale}; the nearest is {nearest}."
            )
        part.check_inside(self.lr.shape[-2] * scale, self.lr.shape[-1] * scale)
        top, left, bottom, right = (edge // scale for edge in (part.top, part.left, part.bottom, part.right))
        hr = part.crop(self.hr) if self.hr is not None else None
        return replace(self, lr=self.lr[..., top:bottom, left:right], hr=hr, part=part)


def read_subject(
    path: Path, scale: int, *, is_hr: bool, degradation: Method = "matlab", part: Window | None = None
) -> Subject:
    """Read an image file as the LR image, or as the HR image from which the LR is made.

    Args:
        path: of the file; the name of a packaged photograph (``pagoda``) does as well where no file has it.
        scale: SR pixels per LR pixel.
        is_hr: whether it holds the HR image.
        degradation: how the LR image is made from HR.
        part: see :meth:`Subject.cropped`; the whole picture if None.

    Raises:
        ImageError, ImageTooSmallError: see :func:`srlens.read_image` and :func:`srlens.make_lr`.
        SettingError, WindowError: see :meth:`Subject.cropped`.
    """
    if str(path) in SAMPLES and not path.exists():
        with sample_path(str(path)) as file:
            return read_subject(file, scale, is_hr=is_hr, degradation=degradation, part=part)
    image = read_image(path)
    digest = image_digest(path)
    if is_hr:
        subject = Subject.from_hr(image, scale, name=path.stem, degradation=degradation, digest=digest)
    else:
        subject = Subject(path.stem, image, None, "given", digest)
    return subject if part is None else subject.cropped(part, scale)
