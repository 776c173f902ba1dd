"""Everything chosen on the page, as one value that links, commands and runs are made from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Self, get_args

from srlens.attribution.attribute import field_method
from srlens.attribution.baseline import BASELINES
from srlens.attribution.detector import DETECTORS
from srlens.attribution.method import METHODS, Method
from srlens.attribution.path import path_names
from srlens.attribution.quadrature import RULES
from srlens.attribution.settings import Setting
from srlens.errors import SettingError
from srlens.imaging.degrade import default_degradation, parse_degradation
from srlens.imaging.patches import PACKAGED
from srlens.imaging.window import Window
from srlens.networks.catalog import SHIPPED_FOR

Style = Literal["default", "paper"]
STYLES: tuple[Style, ...] = get_args(Style)


@dataclass(frozen=True)
class Choices:
    """What a run needs beside the picture itself.

    Attributes:
        picture: name of the packaged photograph or of the user's file.
        is_hr: the picture is the clean one (HR) and the input (LR) is made from it; otherwise it is the input itself.
        degradation: how the input is made; None: MATLAB's bicubic, or Pillow's under the paper preset.
        top: first row of the window, in SR pixels; None until a window is placed.
        left: first column, in SR pixels; None likewise.
        size: side of the window, in SR pixels.
        networks: names on the page's list.
        style: look of the maps and figures.
        sampler_seed: of the noise of networks that sample, at least 0.
        settings: of the method, those that were chosen, as :func:`srlens.attribute` takes them.
    """

    picture: str = "pagoda"
    is_hr: bool = True
    degradation: str | None = None
    top: int | None = None
    left: int | None = None
    size: int = 16
    networks: tuple[str, ...] = SHIPPED_FOR["sr"]
    style: Style = "default"
    sampler_seed: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)

    def but(self, **settings: Any) -> Self:
        """The same with other settings of the method; None: not chosen."""
        both = {**self.settings, **settings}
        return replace(self, settings={name: value for name, value in both.items() if value is not None})

    @property
    def window(self) -> Window | None:
        """The window, or None until it is placed.

        Raises:
            WindowError: its values are no window.
        """
        if self.top is None or self.left is None:
            return None
        return Window.square(self.top, self.left, self.size)

    @property
    def made_by(self) -> str:
        """How the input is made of a clean picture.

        Raises:
            SettingError: see :func:`allowed`.
        """
        return allowed(default_degradation(self.settings.get("preset"), self.degradation))

    def of_field(self, steps: int) -> Method:
        """The method of a field with so many steps, where it has any.

        Raises:
            SettingError: a setting that it does not have, or a value out of range.
        """
        kept = {name: value for name, value in self.settings.items() if name not in ("tolerance", "max_steps", "steps")}
        method = field_method(kept.pop("method", "lam"), **kept)
        return method.but(steps=steps) if "steps" in method.to_record() else method


def allowed(degradation: str) -> str:
    """A degradation as a browser may ask for it.

    Raises:
        SettingError: there is none such, or it names a file, which would be one of the server's.
    """
    asked = parse_degradation(degradation)
    named = [name for name, default in asked.entry.settings.items() if default == "" and asked.settings[name]]
    if named:
        raise SettingError(f"{named[0]} names a file, which this page reads none of. Use the command line.")
    return str(asked)


def with_level(degradation: str, level: float | None) -> str:
    """A written degradation at another level, its settings kept; it may be none that can be made."""
    name, _, behind = degradation.partition(":")
    parts = [] if level is None else [f"{level:g}"]
    parts += [part for part in behind.split(",") if "=" in part]
    return f"{name}:{','.join(parts)}" if parts else name


def accepted(setting: Setting) -> tuple[str, ...]:
    """The words that a setting can be; none where it is a number."""
    known: dict[str, Iterable[str]] = {
        "method": METHODS,
        "detector": DETECTORS,
        "path": path_names(),
        "rule": RULES,
        "fill": BASELINES,
        "patches": (PACKAGED,),  # a page reads no folder of the machine that it runs on
    }
    return setting.choices or tuple(known.get(setting.name, ()))


DEFAULTS = Choices()
