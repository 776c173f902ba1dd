"""Colours, markers and dashes that tell networks apart, for the colour-blind and in black and white alike."""

from typing import Any

from srlens.figures.blocks import Block, row, text
from srlens.figures.sheet import Sheet
from srlens.figures.style import Look

# Okabe and Ito's colours without their yellow, which is too faint on white.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
_DASHES = ("-", "--", "-.", ":")

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
