"""One panel each: an image with the window outlined, a crop, shaded values, a colour bar."""

from collections.abc import Sequence
from typing import Any, Literal, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator
from numpy.typing import NDArray
from torch import Tensor

from srlens.figures.blocks import Block, panel
from srlens.figures.scales import tick_label, ticks
from srlens.figures.shading import Shading, pixels
from srlens.figures.style import FRAME_COLOUR, PRINT_DPI, TEXT_SIZE, Look
from srlens.figures.typesetting import text_width, wrap
from srlens.figures.view import View

#: Top, left, bottom, right, the last two exclusive.
Edges = tuple[float, float, float, float]

_DOT = 1.2  # pt²
_THICK = 0.22  # cm: colour bars
_INSET = 0.3  # cm, of lying colour bars: the numbers at their ends stand out by half their width
_SHORTEST = 2.65  # cm, of a lying colour bar with its insets: room for its numbers
_TICKS, _LINE = 0.15, 0.31  # cm: from a bar to its numbers; a line of its caption
_OVER, _WORD = 0.25, 1.1  # cm: by how much a caption may be longer than its bar; at the least so long


def draw_image(axes: Axes, image: Tensor) -> None:
    """A whole image, C×H×W in [0, 1]."""
    _show(axes, pixels(image))


def draw_lr(axes: Axes, image: Tensor, view: View) -> None:
    """The LR image with the window outlined and, where the maps show a part of it, that part outlined in dashes."""
    draw_image(axes, image)
    if not view.whole:
        outline(axes, view.edges, ("white", "black"), dashed=True)
    outline(axes, view.window, ("white", "black"))


def draw_crop(axes: Axes, image: Tensor, edges: Edges) -> None:
    """A part of an image, C×H×W in [0, 1], its pixels as squares; ``edges`` in its pixels, fractions allowed."""
    top, left, bottom, right = edges
    draw_image(axes, image)
    axes.set(xlim=(left, right), ylim=(bottom, top))


def draw_shading(axes: Axes, shading: Shading, view: View | None = None, *, thin: bool = False) -> None:
    """Values over their backdrop; of a view the part that it names, with the window outlined (``thin``: in grey)."""
    height, width = (shading.values if shading.backdrop is None else shading.backdrop).shape[:2]
    top, left, bottom, right = (0, 0, height, width) if view is None else view.edges
    if shading.backdrop is not None:
        _show(axes, shading.backdrop, right - left)
    extent = {"extent": shading.extent} if shading.extent is not None else {}
    _show(axes, shading.values, right - left, norm=shading.norm, cmap=shading.colours, **extent)
    if shading.dots:
        down, across = zip(*shading.dots, strict=True)
        axes.scatter(across, down, s=_DOT, c=FRAME_COLOUR, linewidths=0)
    axes.set(xlim=(left, right), ylim=(bottom, top))
    if view is not None:
        outline(axes, view.window, (FRAME_COLOUR,) if thin else ("white", "black"))


def outline(axes: Axes, edges: Edges, colours: Sequence[str], *, dashed: bool = False, thickness: float = 0.6) -> None:
    """A line around an area that covers none of its pixels: thin in one colour, or a second one on a broad first.

    White and black are seen on any background; ``thickness`` of the thin line is in pt.
    """
    top, left, bottom, right = edges
    points = 0.3 if len(colours) == 1 else 0.9
    inches = _inches(axes)
    across = points / 72 * abs(np.subtract(*axes.get_xlim())) / inches[0]
    down = points / 72 * abs(np.subtract(*axes.get_ylim())) / inches[1]
    corner, width, height = (left - across, top - down), right - left + 2 * across, bottom - top + 2 * down
    styles = [(thickness + 1.2, colours[0], "solid"), (thickness, colours[-1], "dashed" if dashed else "solid")]
    for line, colour, dashes in styles[-len(colours) :]:
        style: dict[str, Any] = {"linewidth": line, "edgecolor": colour, "linestyle": dashes, "joinstyle": "miter"}
        axes.add_patch(Rectangle(corner, width, height, fill=False, clip_on=False, **style))


def bar_below(look: Look, length: float, label: str, shading: Shading) -> Block:
    """A lying colour bar for a panel of that length in cm, its numbers and its caption below."""
    long = max(length, _SHORTEST)
    lines = _caption(look, shading, long, 2)
    bar = panel(long - 2 * _INSET, _THICK, label, lambda axes: _draw_bar(axes, shading, lines, "horizontal"))
    return bar.padded(left=_INSET, right=_INSET, top=_TICKS, bottom=0.44 + _LINE * len(lines))


def bar_beside(look: Look, height: float, label: str, shading: Shading) -> Block:
    """A standing colour bar for a panel of that height in cm; the same."""
    lines = _caption(look, shading, height, 1)
    bar = panel(_THICK, height, label, lambda axes: _draw_bar(axes, shading, lines, "vertical"))
    numbers = max(text_width(tick_label(value), look.font, TEXT_SIZE) for value in ticks(shading.norm))
    return bar.padded(left=_TICKS, right=0.24 + numbers + _LINE * len(lines))


def _caption(look: Look, shading: Shading, length: float, most: int) -> list[str]:
    """The fullest caption that needs at most so many lines and breaks no word, or else the shortest."""
    room = max(length + _OVER, _WORD)
    choices = [(words, wrap(words, room, look.font, TEXT_SIZE)) for words in shading.captions] or [("", [])]
    return next((lines for words, lines in choices if len(lines) <= most and " ".join(lines) == words), choices[-1][1])


def _draw_bar(axes: Axes, shading: Shading, lines: Sequence[str], direction: Literal["vertical", "horizontal"]) -> None:
    where = _apart(axes, shading.norm, direction)
    bar = axes.figure.colorbar(
        ScalarMappable(shading.norm, shading.bar_colours),
        cax=axes,
        orientation=direction,
        ticks=FixedLocator(where),
        format=FixedFormatter([tick_label(value) for value in where]),
    )
    long_axis = axes.yaxis if direction == "vertical" else axes.xaxis
    long_axis.set_minor_locator(NullLocator())
    axes.tick_params(labelsize=TEXT_SIZE)
    bar.outline.set_linewidth(0.5)
    bar.set_label("\n".join(lines), linespacing=1.0, size=TEXT_SIZE, labelpad=1.5)


def _apart(axes: Axes, norm: Normalize, direction: Literal["vertical", "horizontal"]) -> list[float]:
    """Those ticks of a scale whose numbers do not touch on a bar of this length; the ends go first."""
    font = tuple(axes.xaxis.label.get_fontfamily())
    length = _inches(axes)[1 if direction == "vertical" else 0] * 2.54
    kept: list[tuple[float, float, float]] = []
    assert norm.vmax is not None
    middle = norm.vmax / 2  # 0 goes after the ends and before the inner ones
    for value in sorted(ticks(norm), key=lambda tick: -abs(tick) if tick else -middle):
        place = float(norm(value)) * length
        size = TEXT_SIZE / 72 * 2.54 if direction == "vertical" else text_width(tick_label(value), font, TEXT_SIZE)
        if all(abs(place - other) > (size + its_size) / 2 + 0.05 for _, other, its_size in kept):
            kept.append((value, place, size))
    return sorted(value for value, _, _ in kept)


def _show(axes: Axes, values: NDArray[np.float64], shown: int | None = None, **options: Any) -> None:
    """An image whose pixel (row, column) covers [row, row + 1) × [column, column + 1) of the axes, without ticks.

    ``shown`` says how many columns are seen where that is not all.
    """
    height, width = values.shape[:2]
    # Larger pixels than the printer's stay squares; smaller ones are averaged, or some would be left out.
    coarse = (width if shown is None else shown) <= _inches(axes)[0] * PRINT_DPI
    options = {"extent": (0, width, height, 0), **options}
    axes.imshow(values, interpolation="nearest" if coarse else "antialiased", aspect="auto", origin="upper", **options)
    axes.xaxis.set_major_locator(NullLocator())
    axes.yaxis.set_major_locator(NullLocator())


def _inches(axes: Axes) -> tuple[float, float]:
    """Width and height of the panel."""
    position, figure = axes.get_position(), cast(Figure, axes.figure)
    return position.width * figure.get_figwidth(), position.height * figure.get_figheight()
