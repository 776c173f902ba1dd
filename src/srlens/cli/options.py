"""Options that several verbs share, each declared once, and what they stand for.

No torch in here, so that ``--help`` is quick: what computes is imported where it is called.
"""

from collections.abc import Sequence
from dataclasses import dataclass, make_dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from srlens.attribution.settings import SETTINGS, Setting, given
from srlens.cli.parsing import named, parse_bands, parse_bytes, parse_crop, parse_window
from srlens.errors import SettingError
from srlens.imaging.window import Window

if TYPE_CHECKING:
    from srlens.comparison.subject import Subject
    from srlens.networks.network import Network


_network, _picture, _window, _output, _method = (
    partial(Parameter, group=group) for group in ("Network", "Picture", "Window", "Output", "Method")
)


@dataclass(frozen=True)
class NetworkOptions:
    """How networks are opened.

    Attributes
    ----------
    scale
        Which scale of a file that holds several.
    value_range
        Overrides the value range: 1 or 255.
    channels
        Input channels of a --module (3).
    multiple
        LR sides that a --module takes are multiples of this (1).
    module
        Networks are package.module:factory. This imports and runs your own code.
    noise_level
        Of denoisers that are told the level of the noise, σ in grey levels; by default that of the picture where it is
        known.
    sampler_seed
        Seed of the noise of networks that sample (0).
    device
        cpu, cuda, cuda:1, mps; by default the best one there is.
    """

    scale: Annotated[int | None, _network()] = None
    value_range: Annotated[float | None, _network()] = None
    channels: Annotated[int | None, _network()] = None
    multiple: Annotated[int | None, _network()] = None
    module: Annotated[bool, _network(negative=())] = False
    noise_level: Annotated[float | None, _network()] = None
    sampler_seed: Annotated[int | None, _network()] = None
    device: Annotated[str | None, _network()] = None

    def open(self, *specs: str) -> "list[Network]":
        """The networks of these names, on one device.

        Raises:
            SettingError: ``--multiple`` without ``--module``, or below 1; ``--noise-level`` of a network that takes
                none, or below 0; ``--sampler-seed`` where none samples, or below 0; no such device.
            SrlensError: see :func:`srlens.open_network`.
        """
        from srlens.cli.devices import choose_device
        from srlens.imaging.check import check_noise, whole
        from srlens.networks.open import open_network
        from srlens.networks.sampled import samples, with_noise

        if self.multiple is not None and (self.multiple < 1 or not self.module):
            raise SettingError(f"--multiple (={self.multiple}) must be at least 1, and is that of a --module.")
        keywords = {name: getattr(self, name) for name in ("scale", "value_range", "channels", "module")}
        keywords["device"] = choose_device(self.device)
        opened = [open_network(path, name=name, **keywords) for name, path in map(named, specs)]
        if self.noise_level is not None:
            if deaf := [one.name for one in opened if not one.noise_map]:
                raise SettingError(f"--noise-level: {', '.join(deaf)} takes no level of noise. Leave it out.")
            opened = [one.told(check_noise(self.noise_level)) for one in opened]
        if self.sampler_seed is not None:
            if not any(samples(one) for one in opened):
                raise SettingError(
                    f"--sampler-seed: {', '.join(one.name for one in opened)} draws no noise. Leave it out."
                )
            seed = whole("--sampler-seed", self.sampler_seed, 0)
            opened = [with_noise(one, seed) for one in opened]
        if self.multiple is None:
            return opened
        return [replace(one, padding=replace(one.padding, multiple=self.multiple)) for one in opened]


@dataclass(frozen=True)
class PictureOptions:
    """What the given picture is.

    Attributes
    ----------
    hr
        The picture is the clean one (HR): what the network is given is made from it, and PSNR is reported against doing
        nothing. --clean says the same.
    hr_file
        The clean picture (HR) of a given LR or observed picture: PSNR is reported against it, nothing is made from it.
    degradation
        How the network's input is made of the clean picture. Super-resolution: matlab-uint8 (MATLAB's bicubic in 8
        bits; the default), pil (default of the paper preset), bicubic-float (not rounded, may leave [0, 1]).
        Restoration, NAME:LEVEL: noise:25, jpeg:10, blur:1.6, rain:4, haze:1, dark:0.2; with settings
        haze:1,airlight=0.9 (docs/tasks.md lists them).
    seed
        Of the random numbers of the degradation (0).
    crop
        TOP,LEFT,HEIGHT,WIDTH in SR pixels, multiples of the scale: only this part is shown to the networks, and windows
        count from its corner. For large pictures: the time goes with their size.
    bands
        RED,GREEN,BLUE: the picture is one of bands (TIFF, .npy), of which these, from 1, are shown in figures. By
        default other than one or three bands are shown as their mean.
    """

    hr: Annotated[bool, _picture(name=["--hr", "--clean"], negative=())] = False
    hr_file: Annotated[str | None, _picture(name=["--hr-file", "--clean-file"])] = None
    degradation: Annotated[str | None, _picture()] = None
    seed: Annotated[int, _picture()] = 0
    crop: Annotated[str | None, _picture(allow_leading_hyphen=True)] = None
    bands: Annotated[str | None, _picture()] = None

    def read(self, spec: str, networks: "Sequence[Network]", preset: str | None) -> "Subject":
        """The picture of that name, as these networks are given it; or the clip.

        A clean picture is brought to grey first where all of them restore grey: the luma of a noisy colour picture is
        less noisy than was asked for.

        Raises:
            SettingError: ``--hr-file`` beside ``--hr``; no such bands.
            ImageError: a picture cannot be read, or HR is not ``scale`` times as large as LR.
        """
        from srlens.comparison.subject import in_grey, read_subject, restore_grey
        from srlens.imaging.check import crop_clean
        from srlens.imaging.degrade import default_degradation
        from srlens.imaging.open import open_image

        if self.hr and self.hr_file is not None:
            raise SettingError("--hr makes the LR picture from HR, --hr-file goes with a given LR picture: give one.")
        part = parse_crop(self.crop) if self.crop is not None else None
        scale, grey = networks[0].scale, restore_grey(networks)
        how = default_degradation(preset, self.degradation)
        kind: dict[str, Any] = {"bands": parse_bands(self.bands) if self.bands is not None else None, "grey": grey}
        kind["clip"] = networks[0].frames is not None
        if self.hr_file is None:
            return read_subject(spec, scale, is_hr=self.hr, degradation=how, part=part, seed=self.seed, **kind)
        subject = read_subject(spec, scale, is_hr=False, **kind)
        hr = crop_clean(open_image(self.hr_file, bands=self.bands is not None), subject.lr, scale)
        hr = in_grey(hr) if grey else hr
        pair = replace(subject, hr=hr)
        return pair if part is None else pair.cropped(part, scale)


@dataclass(frozen=True)
class WindowOptions:
    """What is explained.

    Attributes
    ----------
    window
        TOP,LEFT,SIZE or TOP,LEFT,HEIGHT,WIDTH in SR pixels. Without it the hardest window is chosen.
    size
        Side of a window chosen for you, in SR pixels.
    """

    window: Annotated[str | None, _window(allow_leading_hyphen=True)] = None
    size: Annotated[int, _window()] = 16

    def parsed(self) -> Window | None:
        """The window, or None: the hardest."""
        return parse_window(self.window) if self.window is not None else None


@dataclass(frozen=True)
class OutputOptions:
    """Where results go, and how they look.

    Attributes
    ----------
    out
        Output folder.
    style
        "paper" draws maps as the paper does (seismic, blended with the image).
    formats
        Of the figures: png, pdf, svg.
    """

    out: Annotated[Path, _output(name=["--out", "-o"])] = Path("srlens-out")
    style: Annotated[Literal["default", "paper"], _output()] = "default"
    formats: Annotated[
        tuple[Literal["png", "pdf", "svg"], ...], _output(name="--format", consume_multiple=True, negative=())
    ] = ("png", "pdf")


@dataclass(frozen=True)
class ReachOptions:
    """What is measured beside the map.

    Attributes
    ----------
    reach
        How far replaced pixels change the window (causal reach); by default where that costs less than the map.
    """

    reach: Annotated[bool | None, _method()] = None


def _method_option(setting: Setting) -> tuple[str, Any, Any]:
    return setting.name, Annotated[setting.type | None, _method(help=setting.help)], None


_MEMORY = Setting(
    "memory",
    str,
    "Bound on what one batch of evaluations keeps, e.g. 2GiB; a network that takes more is computed in segments.",
    "memory",
)


class _Keywords:
    """What the options of a method say."""

    def keywords(self) -> dict[str, Any]:
        """What was given, as keyword arguments of :func:`srlens.attribute`."""
        values = vars(self)
        memory = values.get("memory")
        return given(values) | ({"memory": parse_bytes(memory)} if memory is not None else {})


if TYPE_CHECKING:

    class MethodOptions(_Keywords):
        """How the maps are computed: one option for each of SETTINGS, and --memory."""

    class FieldMethodOptions(_Keywords):
        """Those of a field, whose --stride is that of its windows."""
else:

    def _method_options(*left_out: str) -> type:
        chosen = [_method_option(one) for one in (*SETTINGS, _MEMORY) if one.name not in left_out]
        return make_dataclass("MethodOptions", chosen, bases=(_Keywords,), frozen=True)

    MethodOptions, FieldMethodOptions = _method_options(), _method_options("stride")


@Parameter(name="*")
@dataclass(frozen=True)
class JudgesVerb(NetworkOptions):
    """Options of ``srlens mine`` about its judges."""


@Parameter(name="*")
@dataclass(frozen=True)
class DemoVerb(WindowOptions, OutputOptions, ReachOptions, MethodOptions):
    """Options of ``srlens demo``."""


@Parameter(name="*")
@dataclass(frozen=True)
class ImageVerb(PictureOptions, NetworkOptions, OutputOptions, ReachOptions, MethodOptions):
    """Options of verbs that choose windows themselves."""


@Parameter(name="*")
@dataclass(frozen=True)
class FieldVerb(PictureOptions, NetworkOptions, OutputOptions, FieldMethodOptions):
    """Options of ``srlens field``."""


@Parameter(name="*")
@dataclass(frozen=True)
class WindowVerb(WindowOptions, ImageVerb):
    """Options of verbs that explain one window."""
