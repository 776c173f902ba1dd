"""Colours, markers and dashes that tell networks apart, for the colour-blind and in black and white alike."""

from dataclasses import dataclass

# Okabe and Ito's colours without their yellow, which is too faint on white.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
_DASHES = ("-", "--", "-.", ":")

BLUE, VERMILION = _COLOURS[0], _COLOURS[1]


@dataclass(frozen=True)
class LineLook:
    """How the line of one network looks."""

    colour: str
    marker: str
    dashes: str


def line_look(number: int) -> LineLook:
    """The look of network ``number``, from 0; 7 colours and 8 markers repeat together after 56 only."""
    dashes = _DASHES[number // len(_COLOURS) % len(_DASHES)]
    return LineLook(_COLOURS[number % len(_COLOURS)], _MARKERS[number % len(_MARKERS)], dashes)
