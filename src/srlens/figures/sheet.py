"""A figure measured in centimetres from its top left corner, so that sizes on paper are exact."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from srlens.figures.style import PRINT_DPI, Look, styled

_CM_PER_INCH = 2.54


class _StyledFigure(Figure):
    """Drawn with the settings that it was laid out for, whoever saves it."""

    def draw(self, renderer: Any) -> None:
        with styled():
            super().draw(renderer)


class Sheet:
    """A figure of fixed size on which places in cm become axes, texts and lines.

    Args:
        width: in cm.
        height: in cm.
        look: fonts and colours.
    """

    def __init__(self, width: float, height: float, look: Look) -> None:
        self.width, self.height, self.look = width, height, look
        self.figure = _StyledFigure(
            figsize=(width / _CM_PER_INCH, height / _CM_PER_INCH), dpi=PRINT_DPI, facecolor="white"
        )
        FigureCanvasAgg(self.figure)

    def axes(self, left: float, top: float, width: float, height: float, label: str) -> Axes:
        """New axes of that place and size; the label names them for whoever looks them up in the figure."""
        place = (left / self.width, 1 - (top + height) / self.height, width / self.width, height / self.height)
        return self.figure.add_axes(place, label=label)

    def text(self, left: float, baseline: float, line: str, **options: Any) -> None:
        """One line of text whose left end (or middle, or right end) stands at a point; no mathematics in it."""
        # Names may hold dollar signs.
        place = (left / self.width, 1 - baseline / self.height)
        self.figure.text(*place, line, family=self.look.font, va="baseline", parse_math=False, **options)

    def line(self, left: float, right: float, middle: float, **options: Any) -> None:
        """A horizontal line; with a marker and left = right, a sign."""
        points = [left / self.width, right / self.width], [1 - middle / self.height] * 2
        self.figure.add_artist(Line2D(*points, transform=self.figure.transFigure, **options))
