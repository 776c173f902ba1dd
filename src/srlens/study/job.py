"""One job of a study: one network at one window. Its name is the hash of all that its result depends on."""

import hashlib
import json
from dataclasses import astuple, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from srlens._version import __version__
from srlens.imaging.degrade import DEFAULT
from srlens.imaging.eye import Bands
from srlens.imaging.window import Window
from srlens.study.schema import MethodSection, NetworkEntry


class NetworkRef(NetworkEntry):
    """A network as the study file names it, but that its path is absolute; small enough to travel to another machine.

    Attributes:
        scale: SR pixels per LR pixel.
        digest: SHA-256 of the weights (:attr:`srlens.networks.network.Network.digest`), or ``"unavailable: …"``.
        field_known: whether its theoretical receptive field is known.
        colour: what its channels are (:attr:`srlens.Network.colour`); None where it cannot be opened.
        frames: of the clips that it takes; None for pictures.
        depth: channels of a picture, or of a frame; None where it cannot be opened.
        random_seed: the network is that with its weights drawn anew, under this seed; None: with those weights.
    """

    scale: int
    digest: str
    field_known: bool = True
    colour: str | None = None
    frames: int | None = None
    depth: int | None = None
    random_seed: int | None = None

    @property
    def label(self) -> str:
        """What to call it before it is opened: by its file's stem, as opened networks are."""
        path = Path(self.open)
        return self.name or (path.stem if path.is_absolute() and not self.module else self.open)

    @property
    def run_as(self) -> dict[str, Any]:
        """All of it that results depend on, as plain values."""
        drawn = {} if self.random_seed is None else {"random_seed": self.random_seed}
        return {"sha256": self.digest, **self.model_dump(include={"scale", "value_range", "channels"}), **drawn}


@dataclass(frozen=True)
class Reading:
    """How a picture file becomes what networks are given: the same for all networks of a study.

    Attributes:
        degradation: how the LR is made of the picture; ``"given"``: it is the LR.
        seed: of the degradation, the same for every picture; None where it draws no random numbers.
        grey: colour is brought to grey (luma in full range) before anything is made of it.
        clip: it is a clip (:func:`srlens.read_clip`).
        bands: it is a picture of bands, of which these are shown as red, green and blue.
    """

    degradation: str = DEFAULT
    seed: int | None = None
    grey: bool = False
    clip: bool = False
    bands: Bands | None = None

    def record(self) -> dict[str, Any]:
        """As plain values, without what is not so."""
        kept = {name: value for name, value in vars(self).items() if value is not None and value is not False}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in kept.items()}


@dataclass(frozen=True)
class ImageRef:
    """An image by what names it.

    Attributes:
        name: for tables.
        spec: absolute path, or the name of a packaged photograph.
        digest: SHA-256 of the file, or ``"unavailable: …"``.
    """

    name: str
    spec: str
    digest: str


@dataclass(frozen=True)
class WindowRef:
    """A window of a study, or of a list of mined windows.

    Attributes:
        image: its picture.
        window: in SR pixels of the whole picture.
        psnr: the judges' mean PSNR of the window in dB (luma), by which it was mined; None where it was given.
    """

    image: ImageRef
    window: Window
    psnr: float | None = None


@dataclass(frozen=True)
class Job:
    """One network at one window.

    Attributes:
        network: what is explained.
        image: the whole picture.
        window: in SR pixels of the whole picture.
        reading: how the picture becomes what the network is given.
        lr_size: side of the LR crop around the window, in LR pixels; None: the whole picture.
        method: how the map is computed.
        lpips: whether LPIPS is measured.
        added: keys of measures that plug-ins add; the worker must have them too.
        reach: whether the causal reach is measured; None: where that costs less than the map.
        faithfulness: whether the map is tested against other orders of pixels.
    """

    network: NetworkRef
    image: ImageRef
    window: Window
    reading: Reading
    lr_size: int | None
    method: MethodSection
    lpips: bool = False
    added: tuple[str, ...] = ()
    reach: bool | None = None
    faithfulness: bool = False

    def identity(self) -> dict[str, Any]:
        """All that the result depends on, as plain values. Names and paths are not among it."""
        return {
            "srlens": __version__,
            "network": self.network.run_as,
            "place": self.place(),
            "method": self.method.resolved().to_record(),
            "lpips": self.lpips,
            "added": self.added,
            "reach": self.reach,
            "faithfulness": self.faithfulness,
        }

    def place(self) -> dict[str, Any]:
        """What of which picture is shown to the network, as plain values."""
        return {
            "image": {"sha256": self.image.digest, **self.reading.record()},
            "window": astuple(self.window),
            "lr_size": self.lr_size,
            "scale": self.network.scale,
        }

    @cached_property
    def id(self) -> str:
        """SHA-256 of :meth:`identity`, first 32 hex digits."""
        return content_hash(self.identity())

    @cached_property
    def place_id(self) -> str:
        """SHA-256 of :meth:`place`, first 16 hex digits: the same for all networks at one window."""
        return content_hash(self.place())[:16]

    def __str__(self) -> str:
        return f"{self.network.label} at {self.image.name}, {self.window}"


def content_hash(value: Any) -> str:
    """SHA-256 of canonical JSON (sorted keys, no spaces), first 32 hex digits."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
