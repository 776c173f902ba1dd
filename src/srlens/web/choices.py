"""Everything chosen on the page, as one value that links, commands and runs are made from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from srlens.imaging.degrade import default_degradation
from srlens.imaging.window import Window
from srlens.networks.catalog import SHIPPED

Preset = Literal["default", "paper"]
Style = Literal["default", "paper"]


@dataclass(frozen=True)
class Choices:
    """What a run needs beside the picture itself.

    Attributes:
        picture: name of the packaged photograph or of the user's file.
        is_hr: the picture is HR and the LR is made from it; otherwise it is the LR image itself.
        degradation: how the LR is made; None: MATLAB's bicubic, or Pillow's under the paper preset.
        top: first row of the window, in SR pixels; None until a window is placed.
        left: first column, in SR pixels; None likewise.
        size: side of the window, in SR pixels.
        networks: names on the page's list.
        preset: ``"default"`` or ``"paper"``.
        tolerance: accepted relative L2 error of the map, where the steps are not fixed.
        steps: number of nodes, or None.
        max_steps: limit of gradient evaluations.
        detector: a name, or None for the preset's.
        path: a name, or None for the preset's.
        rule: a name, or None for the preset's.
        sigma: of the baseline's blur in LR pixels, or None for the path's own.
        kernel: side of the blur's kernel in LR pixels, or None.
        style: look of the maps and figures.
    """

    picture: str = "pagoda"
    is_hr: bool = True
    degradation: str | None = None
    top: int | None = None
    left: int | None = None
    size: int = 16
    networks: tuple[str, ...] = SHIPPED
    preset: Preset = "default"
    tolerance: float = 0.05
    steps: int | None = None
    max_steps: int = 729
    detector: str | None = None
    path: str | None = None
    rule: str | None = None
    sigma: float | None = None
    kernel: int | None = None
    style: Style = "default"

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
    def method(self) -> str:
        """How the LR is made from an HR picture."""
        return default_degradation(self.preset, self.degradation)

    def keywords(self) -> dict[str, Any]:
        """The keyword arguments of :func:`srlens.attribute`."""
        return dict(self.departures())

    def field_keywords(self) -> dict[str, Any]:
        """The keyword arguments of :func:`srlens.field`, but for the steps."""
        refining = ("tolerance", "max_steps", "steps")
        return {name: value for name, value in self.keywords().items() if name not in refining}

    def departures(self) -> Mapping[str, Any]:
        """The settings of the method that differ from their defaults, by name."""
        names = ("preset", "tolerance", "steps", "max_steps", "detector", "path", "rule", "sigma", "kernel")
        return {name: getattr(self, name) for name in names if getattr(self, name) != getattr(DEFAULTS, name)}


DEFAULTS = Choices()
