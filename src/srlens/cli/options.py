"""Options that several verbs share."""

from dataclasses import make_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from srlens.attribution.settings import SETTINGS, Setting, given
from srlens.errors import SettingError, WindowError
from srlens.imaging.window import Window


def _option(setting: Setting) -> tuple[str, Any, Any]:
    kind: Any = Literal[setting.choices] if setting.choices else setting.kind
    return setting.name, Annotated[kind | None, Parameter(group="Method", help=setting.help)], None


_MEMORY = Setting(
    "memory",
    str,
    "Bound on what one batch of evaluations keeps, e.g. 2GiB; a network that takes more is computed in segments.",
    "memory",
)

if TYPE_CHECKING:

    class MethodOptions:
        """How the maps are computed: one option for each of SETTINGS, and --memory."""
else:
    MethodOptions = make_dataclass("MethodOptions", [_option(one) for one in (*SETTINGS, _MEMORY)], frozen=True)
    MethodOptions.__module__ = __name__  # cyclopts looks into no class of the standard library
    MethodOptions = Parameter(name="*")(MethodOptions)


def method_keywords(options: MethodOptions | None) -> dict[str, Any]:
    """What was given, as keyword arguments of :func:`srlens.attribute`."""
    values = vars(options) if options is not None else {}
    memory = values.get("memory")
    return given(values) | ({"memory": parse_bytes(memory)} if memory is not None else {})


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


#: File formats of figures, as an option of several values.
Formats = Annotated[tuple[Literal["png", "pdf", "svg"], ...], Parameter(name="--format", consume_multiple=True)]

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


#: Where results go unless the user says otherwise.
OUT = Path("srlens-out")
