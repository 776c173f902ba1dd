"""A figure laid out in centimetres from its top left corner, so that sizes on paper are exact."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text

from srlens.figures.style import LINE_SPACING, PRINT_DPI, RULE_COLOUR, TEXT_SIZE, TITLE_SIZE, Look

_CM_PER_INCH = 2.54
LIST_PITCH = TEXT_SIZE * 1.25 / 72 * _CM_PER_INCH
"""From one line of a list to the next, in cm."""


@dataclass(frozen=True)
class Box:
    """A rectangle in cm; top and left count from the sheet's top left corner."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """The right edge, in cm."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """The lower edge, in cm."""
        return self.top + self.height

    def fitted(self, aspect: float, *, top: bool = False) -> "Box":
        """The largest box of that width:height ratio within this one, in its middle or at its top."""
        width = min(self.width, self.height * aspect)
        height = width / aspect
        down = 0 if top else (self.height - height) / 2
        return Box(self.left + (self.width - width) / 2, self.top + down, width, height)


class Sheet:
    """A figure of fixed size on which boxes in cm become axes and texts.

    Args:
        width: in cm.
        height: in cm.
        look: fonts and colours.
    """

    def __init__(self, width: float, height: float, look: Look) -> None:
        self.width, self.height, self.look = width, height, look
        self.figure = Figure(figsize=(width / _CM_PER_INCH, height / _CM_PER_INCH), dpi=PRINT_DPI, facecolor="white")
        FigureCanvasAgg(self.figure)

    def axes(self, box: Box, label: str) -> Axes:
        """New axes that fill the box; the label names them for whoever looks them up in the figure."""
        rectangle = (
            box.left / self.width,
            1 - box.bottom / self.height,
            box.width / self.width,
            box.height / self.height,
        )
        return self.figure.add_axes(rectangle, label=label)

    def text(
        self,
        left: float,
        top: float,
        lines: str | Sequence[str],
        *,
        size: float = TEXT_SIZE,
        align: str = "left",
        anchor: str = "top",
        bold: bool = False,
    ) -> Text:
        """Lines of text whose left end (or middle, or right end) and top (or ``anchor``) stand at a point in cm."""
        content = lines if isinstance(lines, str) else "\n".join(lines)
        return self.figure.text(
            left / self.width,
            1 - top / self.height,
            content,
            fontsize=size,
            fontfamily=self.look.font,
            fontweight="bold" if bold else "normal",
            horizontalalignment=align,
            verticalalignment=anchor,
            linespacing=LINE_SPACING,
            parse_math=False,  # names may hold dollar signs
        )

    def title(self, left: float, bottom: float, lines: str | Sequence[str], *, bold: bool = False) -> Text:
        """A title that stands on a line: its baseline lies just above ``bottom``."""
        return self.text(left, bottom - 0.1, lines, size=TITLE_SIZE, anchor="baseline", bold=bold)

    def list(self, left: float, top: float, lines: Sequence[str], *, align: str = "left", bold: bool = False) -> None:
        """Lines at a fixed pitch, each on its own, so that lists side by side stand on common baselines."""
        for number, line in enumerate(lines, start=1):
            self.text(left, top + number * LIST_PITCH - 0.07, line, align=align, anchor="baseline", bold=bold)

    def rule(self, left: float, right: float, top: float) -> None:
        """A thin horizontal line."""
        y = 1 - top / self.height
        line = Line2D(
            [left / self.width, right / self.width],
            [y, y],
            transform=self.figure.transFigure,
            linewidth=0.5,
            color=RULE_COLOUR,
        )
        self.figure.add_artist(line)
