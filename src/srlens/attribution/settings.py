"""The settings of methods as the command line, study files, links and the page offer them: each stands here once.

No torch in here: ``--help`` reads this.
"""

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Literal


@dataclass(frozen=True)
class Setting:
    """One setting.

    Attributes:
        name: keyword of :func:`srlens.attribute`; ``max_steps`` is ``--max-steps`` on the command line.
        kind: ``str``, ``int`` or ``float``.
        help: one line, with unit and default.
        choices: the accepted words, where no more can be added.
        label: for the page.
    """

    name: str
    kind: type[str] | type[int] | type[float]
    help: str
    label: str
    choices: tuple[str, ...] = ()

    @property
    def type(self) -> Any:
        """What annotates it: its words, or its kind."""
        return Literal[self.choices] if self.choices else self.kind


_KINDS = {"str": str, "int": int, "float": float}
_TABLE = tomllib.loads(files(__package__).joinpath("settings.toml").read_text(encoding="utf-8"))
#: Every setting of the methods that srlens has. One that is not given is left to the method.
SETTINGS = tuple(
    Setting(name, _KINDS[one["kind"]], one["help"], one["label"], tuple(one.get("choices", ())))
    for name, one in _TABLE.items()
)


def given(values: dict[str, Any]) -> dict[str, Any]:
    """Those of the settings that were given, as keywords of :func:`srlens.attribute`."""
    return {one.name: values[one.name] for one in SETTINGS if values.get(one.name) is not None}
