"""What a measure is: a number (or word) drawn from one explained network, with all that is needed to show it."""

import math
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import Any, Literal, get_args

from srlens.comparison.explained import Measurable
from srlens.comparison.formats import MISSING
from srlens.errors import SettingError

Value = str | int | float | bool

#: Where a measure can be shown: the command line's table, the web page's, the LaTeX table, beside figures, in a study's
#: report, and in the report's correlations of textures with the diffusion index.
Place = Literal["terminal", "page", "latex", "caption", "report", "texture"]

EVERYWHERE: frozenset[Place] = frozenset({"terminal", "page", "latex", "caption", "report"})

#: In a label: the LR size, which the number depends on.
_LR = "{lr}"


@dataclass(frozen=True)
class Measure:
    """One column of every table.

    CSV and Parquet hold every measure; ``places`` says where else it is shown.

    Attributes:
        key: name of the column, everywhere.
        label: for people, beside figures; ``{lr}`` stands for the LR size.
        of: draws it; None where it is not known.
        kind: type of the column.
        format: the value as text, its unit included; None: numbers in four digits, all else as it is.
        unit: of the value; in a table whose cells hold bare numbers it stands in the heading.
        better: which end is better; None where neither is, or where it is not known. The best come first when rows
            are sorted, the largest where neither end is better.
        heading: of a narrow column; ``label`` if empty.
        latex: the heading in LaTeX; if empty, made of ``heading`` and ``unit``, or of a ``label`` with the LR size.
        short: name for sorting (``--sort``); ``key`` if empty.
        places: where it is shown.
        of_picture: it is drawn from the SR image alone, so that doing nothing (bicubic) has it too.

    Raises:
        SettingError: no key, a kind that no column has, or an unknown place.
    """

    key: str
    label: str
    of: Callable[[Measurable], Value | None]
    _: KW_ONLY
    kind: type[Value] = float
    format: Callable[[Any], str] | None = None
    unit: str = ""
    better: Literal["higher", "lower"] | None = None
    heading: str = ""
    latex: str = ""
    short: str = ""
    places: frozenset[Place] = EVERYWHERE
    of_picture: bool = False

    def __post_init__(self) -> None:
        if not self.key.isidentifier():
            raise SettingError(f"The key of a measure is the name of a column, like area95; got {self.key!r}.")
        if self.kind not in (str, int, float, bool):
            raise SettingError(f"{self.key}: kind must be str, int, float or bool, got {self.kind!r}.")
        if unknown := self.places - set(get_args(Place)):
            raise SettingError(f"{self.key}: no place is called {', '.join(map(repr, sorted(unknown)))}.")

    @property
    def name(self) -> str:
        """For sorting."""
        return self.short or self.key

    @property
    def title(self) -> str:
        """Of a narrow column."""
        return self.heading or self.label

    def label_at(self, size: str) -> str:
        """The label with the LR size in its place."""
        return self.label.replace(_LR, size)

    def heading_at(self, size: str) -> str:
        """Of a column, with the LR size where the label has it, and with the unit."""
        title = self.label_at(size) if _LR in self.label else self.title
        return f"{title} ({self.unit})" if self.unit else title

    @property
    def largest_first(self) -> bool:
        """Whether sorting puts the largest first."""
        return self.kind is not str and self.better != "lower"

    def value(self, explained: Measurable) -> Value | None:
        """The measure, in the type of its column; None where it is not known."""
        found = self.of(explained)
        return None if found is None else self.kind(found)

    def text(self, value: Value | None) -> str:
        """A value with its unit, or a dash where it is not known."""
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return MISSING
        digits = f"{value:.4g}" if isinstance(value, float) else str(value)
        shown = self.format(value) if self.format is not None else f"{digits} {self.unit}".rstrip()
        return shown if self.kind is str else shown.replace("-", "−")

    def number(self, value: Value | None) -> str:
        """A value without its unit, for columns that have it in their heading."""
        return self.text(value).removesuffix(f" {self.unit}")
