"""What a tab has chosen: its picture, its networks, the task, the window; checked, and brought together."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from srlens.comparison.subject import Subject, in_grey, restore_grey
from srlens.errors import ImageError, SettingError, WindowError
from srlens.imaging.check import whole
from srlens.imaging.degrade import GIVEN, modcrop, parse_degradation
from srlens.imaging.files import image_digest, read_image
from srlens.imaging.samples import SAMPLES, sample_path
from srlens.imaging.terms import worded
from srlens.imaging.window import Window
from srlens.networks.catalog import SHIPPED
from srlens.networks.device import Device
from srlens.networks.network import Network
from srlens.networks.sampled import SampledModule, with_noise
from srlens.web.choices import Choices
from srlens.web.limits import Limits
from srlens.web.network_list import NetworkList, shipped_for, trained_for
from srlens.web.session import Picture, Session
from srlens.web.uploads import take_network, take_picture


class Inputs:
    """Pictures and networks of all tabs; every method takes the tab's session."""

    def __init__(self, *, networks: Path | None = None, device: Device = None, limits: Limits | None = None) -> None:
        self.limits = limits if limits is not None else Limits()
        self.device = torch.device(device or "cpu")
        self.listed = NetworkList(networks, device)

    def names(self, session: Session) -> tuple[str, ...]:
        """Networks that this tab can choose from, whatever the task."""
        return (*self.listed.names, *session.uploads)

    def offered(self, session: Session, choices: Choices) -> tuple[str, ...]:
        """Those whose scale fits the task; files that were not opened yet are among them."""
        if not choices.is_hr:
            return self.names(session)
        task = parse_degradation(choices.made_by).entry
        scales = {name: self._scale_of(session, name) for name in self.names(session)}
        return tuple(name for name, scale in scales.items() if scale is None or task.fits(scale))

    def fitting(self, session: Session, choices: Choices) -> Choices:
        """The choices without networks that do not fit the task; where none is left, with those shipped for it."""
        offered = self.offered(session, choices)
        kept = tuple(name for name in choices.networks if name in offered)
        return replace(choices, networks=kept or shipped_for(choices.made_by))

    def switched(self, session: Session, choices: Choices) -> Choices:
        """The choices after a change of task: :meth:`fitting`, and without networks shipped for another task."""
        if not choices.is_hr:
            return choices
        trained = trained_for(choices.made_by)
        kept = tuple(name for name in choices.networks if name in trained or name not in SHIPPED)
        return self.fitting(session, replace(choices, networks=kept))

    def _scale_of(self, session: Session, name: str) -> int | None:
        return session.uploads[name].scale if name in session.uploads else self.listed.scale(name)

    def use_sample(self, session: Session, name: str, choices: Choices | None = None) -> None:
        """Show a packaged photograph.

        Raises:
            SettingError: none has that name.
            ImageError, SettingError: it cannot be taken as ``choices`` say; the one before is kept.
        """
        path = sample_path(name)
        self._use(session, Picture(name, read_image(path), image_digest(path)), choices)

    def use_upload(self, session: Session, path: Path, choices: Choices | None = None) -> None:
        """Show an uploaded picture; see :func:`take_picture` and :meth:`use_sample` for the errors."""
        self._use(session, take_picture(path, self.limits), choices)

    def _use(self, session: Session, picture: Picture, choices: Choices | None) -> None:
        if choices is not None:
            self._sr_size(session, picture, choices)
        session.picture = picture

    def add_network(self, session: Session, path: Path) -> str:
        """Take an uploaded network file into this tab's list; its name there.

        Raises:
            CheckpointError, NotFiniteError, NotDifferentiableError: the file cannot be used.
            SettingError: the tab has as many networks of its own as it may have.
        """
        if len(session.uploads) >= self.limits.uploaded_networks and path.name not in session.uploads:
            path.unlink(missing_ok=True)
            raise SettingError(
                f"This page keeps {self.limits.uploaded_networks} networks of your own; reload it to start anew."
            )
        network = take_network(path, self.limits, self.device)
        name = path.name if path.name not in self.listed.names else f"own-{path.name}"
        session.uploads[name] = replace(network, name=Path(name).stem)
        return name

    def open(self, session: Session, names: Sequence[str]) -> list[Network]:
        """The chosen networks.

        Raises:
            SettingError: none, too many, of different scales, or a name that is not on the list.
            SrlensError: a file of the folder cannot be used.
        """
        if not names:
            raise SettingError("Choose at least one network.")
        if len(names) > self.limits.compared_networks:
            raise SettingError(f"Choose at most {self.limits.compared_networks} networks; {len(names)} are chosen.")
        networks = [session.uploads[name] if name in session.uploads else self.listed.open(name) for name in names]
        scales = {network.scale for network in networks}
        if len(scales) > 1:
            listed = ", ".join(f"{network.name} ×{network.scale}" for network in networks)
            raise SettingError(f"The networks are of different scales ({listed}); choose those of one scale.")
        return networks

    def drawn(self, session: Session, choices: Choices) -> list[Network]:
        """The chosen networks, with the chosen noise where they sample.

        Raises:
            SettingError: the seed is out of range; see :meth:`open`.
            SrlensError: likewise.
        """
        seed = whole("The seed of the sampler's noise", choices.sampler_seed, 0)
        if seed > self.limits.seed:
            raise SettingError(f"This page takes seeds of the sampler's noise up to {self.limits.seed}, got {seed}.")
        return [with_noise(network, seed) for network in self.open(session, choices.networks)]

    def scale(self, session: Session, choices: Choices) -> int:
        """Of the chosen networks; without any that of the task, and 1 where the picture is taken as it is.

        Raises:
            SettingError: see :meth:`open`.
        """
        if not choices.networks:
            scale = parse_degradation(choices.made_by).entry.scale if choices.is_hr else 1
            if scale is not None:
                return scale
        return self.open(session, choices.networks)[0].scale

    def sr_size(self, session: Session, choices: Choices) -> tuple[int, int]:
        """Height and width of the SR image in pixels.

        Raises:
            ImageError: no picture yet, or one that is too small or too large.
            SettingError: see :meth:`open`.
        """
        return self._sr_size(session, self._picture(session), choices)

    def _sr_size(self, session: Session, picture: Picture, choices: Choices) -> tuple[int, int]:
        scale = self.scale(session, choices)
        height, width = (side // scale if choices.is_hr else side for side in picture.image.shape[-2:])
        given = f"The {worded('LR', scale)} image would have {height}×{width} pixels; this page takes"
        remedy = "Crop the picture, or use the command line."
        if height * width > self.limits.lr_pixels:
            raise ImageError(f"{given} {self.limits.lr_pixels} at most. {remedy}")
        for network in self.open(session, choices.networks) if choices.networks else ():
            steps = network.module.steps if isinstance(network.module, SampledModule) else 1
            if height * width * steps > self.limits.lr_pixels:
                raise ImageError(
                    f"{given} {self.limits.lr_pixels // steps} at most with {network.name}, which samples in {steps} "
                    "steps. Leave that network out, crop the picture, or use the command line."
                )
        return height * scale, width * scale

    def shown(self, session: Session, choices: Choices) -> Tensor:
        """What the window is placed in: the HR picture cropped to the scale, or what networks of scale 1 are given.

        Raises:
            SettingError: the picture cannot be degraded as ``choices`` say.
        """
        image = self._picture(session).image
        if not choices.is_hr:
            return image
        if (scale := self.scale(session, choices)) > 1:
            return modcrop(image, scale)
        return self.subject(session, choices, self.open(session, choices.networks) if choices.networks else []).lr

    def checked_window(self, session: Session, choices: Choices) -> Window | None:
        """The window, if one is placed and lies inside the SR image.

        Raises:
            WindowError: it does not, or is larger than this page takes.
        """
        if choices.size > self.limits.window:
            raise WindowError(f"This page takes windows up to {self.limits.window} pixels, got {choices.size}.")
        window = choices.window
        if window is not None:
            window.check_inside(*self.sr_size(session, choices))
        elif choices.size < 1:
            raise WindowError(f"The window's size must be at least 1 pixel, got {choices.size}.")
        return window

    def subject(self, session: Session, choices: Choices, networks: Sequence[Network]) -> Subject:
        """The picture as these networks are given it, or as one of scale 1 would be where there is none.

        Raises:
            ImageError, SettingError: no picture yet, or it cannot be degraded as ``choices`` say.
        """
        picture, scale = self._picture(session), self.scale(session, choices)
        image = in_grey(picture.image) if networks and restore_grey(networks) else picture.image
        name = Path(picture.name).stem if picture.name not in SAMPLES else picture.name
        if choices.is_hr:
            return Subject.from_hr(image, scale, name=name, degradation=choices.made_by, digest=picture.digest)
        return Subject(name, image, None, GIVEN, picture.digest, scale=scale)

    def _picture(self, session: Session) -> Picture:
        if session.picture is None:
            raise ImageError("Choose a picture first.")
        return session.picture
