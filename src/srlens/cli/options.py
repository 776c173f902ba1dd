"""Options that several verbs share."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from srlens.attribution.path_choice import choose_path
from srlens.errors import SettingError, WindowError
from srlens.imaging.window import Window


@Parameter(name="*")
@dataclass(frozen=True)
class MethodOptions:
    """How the maps are computed."""

    preset: Annotated[Literal["default", "paper"], Parameter(group="Method")] = "default"
    '"paper": the published settings (σ 1.2, kernel 9, 50 steps uniform in σ, right Riemann rule).'
    tolerance: Annotated[float, Parameter(group="Method")] = 0.05
    "Accepted relative L2 error of the map (estimated); steps are added until it holds."
    steps: Annotated[int | None, Parameter(group="Method")] = None
    "A fixed number of steps instead of a tolerance."
    max_steps: Annotated[int, Parameter(group="Method")] = 729
    "Limit of gradient evaluations when refining to the tolerance."
    detector: Annotated[str | None, Parameter(group="Method")] = None
    "gradient (default), intensity, gabor, residual, residual-gradient."
    path: Annotated[str | None, Parameter(group="Method")] = None
    "progressive-blur (default), linear-blur, linear-black."
    rule: Annotated[str | None, Parameter(group="Method")] = None
    "midpoint (default), right-riemann, gauss-legendre."
    sigma: Annotated[float | None, Parameter(group="Method")] = None
    "σ of the baseline's blur in LR pixels (1.2)."
    kernel: Annotated[int | None, Parameter(group="Method")] = None
    "Side of the blur kernel in LR pixels, odd (9, or what σ needs)."
    memory: Annotated[str | None, Parameter(group="Method")] = None
    "Bound on what one batch of evaluations keeps, e.g. 2GiB; a network that takes more is computed in segments."

    def keywords(self) -> dict[str, Any]:
        """The keyword arguments of :func:`srlens.attribute`."""
        return {
            "preset": self.preset,
            "tolerance": self.tolerance,
            "steps": self.steps,
            "max_steps": self.max_steps,
            "detector": self.detector,
            "path": choose_path(self.path, self.sigma, self.kernel),
            "rule": self.rule,
            "memory": parse_bytes(self.memory) if self.memory is not None else None,
        }


def parse_window(text: str) -> Window:
    """``"T,L,SIZE"`` or ``"T,L,HEIGHT,WIDTH"``, in SR pixels.

    Raises:
        WindowError: anything else.
    """
    try:
        values = [int(part) for part in text.replace("x", ",").split(",")]
    except ValueError:
        values = []
    if len(values) == 3:
        return Window.square(*values)
    if len(values) == 4:
        return Window(*values)
    raise WindowError(
        f"--window {text!r} is not understood; give TOP,LEFT,SIZE or TOP,LEFT,HEIGHT,WIDTH in SR pixels, "
        "e.g. 110,150,16."
    )


def parse_crop(text: str) -> Window:
    """``"T,L,HEIGHT,WIDTH"`` in SR pixels.

    Raises:
        SettingError: anything else.
    """
    try:
        return Window(*(int(part) for part in text.replace("x", ",").split(",")))
    except (TypeError, ValueError):
        raise SettingError(
            f"--crop {text!r} is not understood; give TOP,LEFT,HEIGHT,WIDTH in SR pixels (those of HR), e.g. "
            "256,384,256,256."
        ) from None


Formats = Annotated[tuple[Literal["png", "pdf", "svg"], ...], Parameter(name="--format", consume_multiple=True)]
"""File formats of figures, as an option of several values."""

_UNITS = {"KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "KB": 10**3, "MB": 10**6, "GB": 10**9, "B": 1}


def parse_bytes(text: str) -> int:
    """``"2GiB"``, ``"512 MiB"``, ``"1.5GB"`` to bytes.

    Raises:
        SettingError: anything else, or nothing left.
    """
    cleaned = text.strip().upper().replace(" ", "")
    for unit, factor in _UNITS.items():
        if cleaned.endswith(unit):
            try:
                value = float(cleaned[: -len(unit)]) * factor
            except ValueError:
                break
            if value >= 1:
                return int(value)
            break
    raise SettingError(f"Memory {text!r} is not understood; give a size such as 512MiB or 2GiB.")


OUT = Path("srlens-out")
"""Where results go unless the user says otherwise."""
