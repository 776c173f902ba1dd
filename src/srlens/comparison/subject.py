"""What is explained: an observed picture (LR in super-resolution), with the clean one (HR) where that is known."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from numpy.typing import ArrayLike
from torch import Tensor

from srlens.errors import SettingError
from srlens.imaging.check import check_image
from srlens.imaging.clip import clip_digest, read_clip
from srlens.imaging.colour import full_range, luma
from srlens.imaging.degrade import (
    DEFAULT,
    GIVEN,
    canonical,
    degrade,
    drawn_seed,
    judge,
    modcrop,
    parse_degradation,
    reference,
    reference_name,
)
from srlens.imaging.eye import Bands, centre_frame, check_bands, for_eye
from srlens.imaging.files import image_digest, read_image
from srlens.imaging.open import image_file
from srlens.imaging.window import Window
from srlens.networks.network import Network


class Coloured(Protocol):
    """What a network says of its pictures, opened or only named."""

    @property
    def scale(self) -> int:
        """SR pixels per LR pixel."""

    @property
    def colour(self) -> str | None:
        """See :class:`srlens.Network`."""


def restore_grey(networks: Sequence[Coloured]) -> bool:
    """Whether a clean colour picture is brought to grey before anything is made of it: all networks restore grey.

    The luma of a noisy colour picture would be less noisy than was asked for.
    """
    return all(network.scale == 1 and network.colour == "grey" for network in networks)


def in_grey(image: Tensor) -> Tensor:
    """A colour picture 3×H×W as its luma in full range, 1×H×W; others as they are."""
    return full_range(luma(image)) if image.shape[0] == 3 else image


@dataclass(frozen=True, eq=False)
class Subject:
    """An LR image and what is known about it.

    Attributes:
        name: for captions and file names.
        lr: C×h×w in [0, 1]; T×C×h×w of a clip.
        hr: C×sh×sw in [0, 1], cropped to the LR image, or None; of a clip that of the centre frame.
        degradation: how the LR image was made, e.g. ``"matlab-uint8"``, ``"noise:25"``; or ``"given"``.
        digest: SHA-256 of the image file; None for an image that came from no file.
        part: what was cut out of a larger picture, in its SR pixels; None for a whole one.
        scale: SR pixels per LR pixel; None where it is not known (then HR tells it, if there is one).
        seed: of the random numbers of the degradation; None where it draws none.
        bands: which bands, from 1, the eye is shown as red, green and blue; None for the mean of other than 1 or 3.
    """

    name: str
    lr: Tensor
    hr: Tensor | None
    degradation: str
    digest: str | None = None
    part: Window | None = None
    scale: int | None = None
    seed: int | None = None
    bands: Bands | None = None

    @classmethod
    def of(
        cls,
        image: "Subject | Tensor | ArrayLike",
        scale: int,
        clean: Tensor | ArrayLike | None = None,
        *,
        clip: bool = False,
    ) -> "Subject":
        """An image (or a clip) of that scale with the clean one where it is known; a subject stays what it is.

        Raises:
            SettingError: ``clean`` beside a subject, which has its own.
            ImageError: no picture, or the clean one is not ``scale`` times as large.
        """
        if isinstance(image, Subject):
            if clean is not None:
                raise SettingError(
                    "The Subject holds what it is compared with; leave clean out, or give the LR image alone."
                )
            return replace(image, scale=scale)
        known = None if clean is None else centre_frame(check_image(clean, clip=clip))
        return cls("image", check_image(image, clip=clip), known, GIVEN, scale=scale)

    @property
    def made(self) -> dict[str, Any]:
        """What :func:`srlens.attribute` takes beside the LR image: the clean one, the degradation and its seed."""
        return {"clean": self.hr, "degradation": self.degradation, "degradation_seed": self.seed or 0}

    @classmethod
    def from_hr(
        cls, hr: Tensor, scale: int, *, name: str, degradation: str = DEFAULT, digest: str | None = None, seed: int = 0
    ) -> "Subject":
        """Make the LR image from an HR image, C×H×W in [0, 1], which is cropped to a multiple of the scale.

        Of a clip, T×C×H×W, every frame is degraded; ``hr`` is the centre one.

        Raises:
            ImageTooSmallError, SettingError: see :func:`srlens.degrade`.
        """
        observed = degrade(hr, degradation, scale=scale, seed=seed)
        clean, how, drawn = centre_frame(modcrop(hr, scale)), canonical(degradation), drawn_seed(degradation, seed)
        return cls(name, observed, clean, how, digest, scale=scale, seed=drawn)

    @property
    def picture(self) -> Tensor:
        """The LR image for the eye, see ``for_eye``."""
        return self.for_eye(self.lr)

    def for_eye(self, image: Tensor) -> Tensor:
        """Likewise of a picture that belongs to it, such as a network's output."""
        return for_eye(image, self.bands)

    @property
    def reference(self) -> Tensor:
        """The picture that "doing nothing" gives, C×sh×sw clamped to [0, 1]; see :attr:`reference_name`.

        Raises:
            SettingError: the scale is not known.
        """
        return reference(centre_frame(self.lr), self._known_scale(), self.degradation).clamp(0, 1)

    @property
    def judge(self) -> Tensor:
        """By whose PSNR hard windows are mined, as :attr:`reference`; see ``srlens.imaging.degrade.judge``.

        Raises:
            SettingError: the scale is not known.
        """
        return judge(centre_frame(self.lr), self._known_scale(), self.degradation).clamp(0, 1)

    @property
    def reference_name(self) -> str:
        """What :attr:`reference` is: ``"bicubic"`` (enlargement), ``"noisy picture"``, ….

        Raises:
            SettingError: the scale is not known.
        """
        return reference_name(self._known_scale(), self.degradation)

    @property
    def made_in_words(self) -> str:
        """How the LR image was made, for captions; empty where that is not known."""
        if self.degradation == GIVEN:
            return ""
        return f"LR made by {self.degradation}{f', seed {self.seed}' if self.seed is not None else ''}."

    def told(self, network: Network) -> Network:
        """The network, told how noisy the picture is where it wants to know and nobody said; see ``Network.told``."""
        return network.told(None if self.degradation == GIVEN else parse_degradation(self.degradation).noise)

    def _known_scale(self) -> int:
        if self.scale is not None:
            return self.scale
        if self.hr is None:
            raise SettingError(f"The scale of {self.name} is not known: say it, dataclasses.replace(subject, scale=4).")
        return self.hr.shape[-2] // self.lr.shape[-2]

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
    spec: str | os.PathLike[str],
    scale: int,
    *,
    is_hr: bool,
    degradation: str = DEFAULT,
    part: Window | None = None,
    seed: int = 0,
    bands: Bands | None = None,
    clip: bool = False,
    grey: bool = False,
) -> Subject:
    """Read an image file as the LR image, or as the HR image from which the LR is made.

    Args:
        spec: a file, or the name of a packaged photograph (``"pagoda"``); see :func:`srlens.open_image`.
        scale: SR pixels per LR pixel.
        is_hr: whether it holds the HR (clean) image.
        degradation: how the LR image is made from HR.
        part: see :meth:`Subject.cropped`; the whole picture if None.
        seed: of the degradation, where it draws random numbers.
        bands: the picture is one of bands, of which these, from 1, are shown as red, green and blue.
        clip: a clip is read, see :func:`srlens.read_clip`.
        grey: bring it to grey (luma in full range), before anything is made of it.

    Raises:
        ImageError, ImageTooSmallError: see :func:`srlens.read_image` and :func:`srlens.degrade`.
        SettingError, WindowError: see :meth:`Subject.cropped`.
    """
    path = image_file(spec)
    image = read_clip(path) if clip else read_image(path, bands=bands is not None)
    image = in_grey(image) if grey else image
    digest = clip_digest(path) if clip else image_digest(path)
    if bands is not None:
        check_bands(bands, image.shape[-3])
    if is_hr:
        subject = Subject.from_hr(image, scale, name=path.stem, degradation=degradation, digest=digest, seed=seed)
    else:
        subject = Subject(path.stem, image, None, GIVEN, digest, scale=scale)
    subject = replace(subject, bands=bands)
    return subject if part is None else subject.cropped(part, scale)
