"""What charts have in common: lines told apart by the colour-blind and in black and white, keys, axes, ticks."""

import math
from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FixedFormatter, FixedLocator, MaxNLocator, NullLocator

from srlens.figures.blocks import Block, row, text
from srlens.figures.scales import tick_label
from srlens.figures.sheet import Sheet
from srlens.figures.style import Look

# Okabe and Ito's colours without their yellow, which is too faint on white.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
_DASHES = ("-", "--", "-.", ":")

_FEWEST_TICKS = 3

BLUE, VERMILION = _COLOURS[0], _COLOURS[1]


def line_look(number: int) -> dict[str, Any]:
    """Colour, marker and dashes of network ``number``, from 0, as matplotlib's options.

    7 colours and 8 markers repeat together after 56 only.
    """
    return {
        "color": _COLOURS[number % len(_COLOURS)],
        "marker": _MARKERS[number % len(_MARKERS)],
        "linestyle": _DASHES[number // len(_COLOURS) % len(_DASHES)],
    }


def sample(look: Look, meaning: str, length: float = 0.9, **style: Any) -> Block:
    """An entry of a key: a line of ``length`` cm in its style (0: a marker alone) and what it means."""
    words = text(look, meaning)
    room = max(length, 0.3)
    left = (room - length) / 2

    def draw(sheet: Sheet, x: float, y: float) -> None:
        sheet.line(x + left, x + left + length, y + words.height * 0.55, **style)

    return row(Block(room, words.height, draw), words, gap=0.15).padded(bottom=0.05)


def quiet(axes: Axes) -> None:
    """Two spines and a faint grid behind what is drawn."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(visible=True, color="0.9", linewidth=0.5)
    axes.set_axisbelow(True)


def log_ticks(axis: Axis, low: float, high: float) -> None:
    """Ticks of a logarithmic axis between two positive values, as plain numbers.

    At 1, 2, 5 times the powers of ten; where fewer than three of those are within, at round values closer together.
    """
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    values = [float(f"{factor}e{power}") for power in powers for factor in (1, 2, 5)]
    if sum(low <= value <= high for value in values) < _FEWEST_TICKS:
        linear_ticks(axis, low, high, _FEWEST_TICKS)
    else:
        fixed_ticks(axis, [value for value in values if low / 1.25 <= value <= high * 1.25])


def linear_ticks(axis: Axis, low: float, high: float, steps: int) -> None:
    """Round ticks of an axis between two values, about so many steps apart; three at least."""
    tried = (MaxNLocator(count).tick_values(low, high) for count in range(steps, steps + 8))
    within = [[float(value) for value in values if low <= value <= high] for values in tried]
    fixed_ticks(axis, next((ticks for ticks in within if len(ticks) >= _FEWEST_TICKS), within[0]))


def fixed_ticks(axis: Axis, values: Sequence[float]) -> None:
    """Ticks at these values alone, labelled as plain numbers."""
    axis.set_major_locator(FixedLocator(list(values)))
    axis.set_major_formatter(FixedFormatter([tick_label(value) for value in values]))
    axis.set_minor_locator(NullLocator())
