"""Contact sheets of windows: a picture's part with the window framed, a caption, and where known what was used."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray
from torch import Tensor

from srlens.figures.style import PAGE_WIDTH, TEXT_SIZE, TITLE_SIZE, find_look, styled

_CM = 1 / 2.54
_GAP = 0.25  # cm
_LINE = 0.33  # cm


@dataclass(frozen=True, eq=False)
class Tile:
    """One window of a sheet.

    Attributes:
        picture: C×H×W in [0, 1], the window within; None where it is not there any more.
        frame: the window in pixels of ``picture``: (top, left, height, width).
        caption: lines below.
        mass: what was used, h×w ≥ 0 over the whole picture, drawn beside it; None: only the picture.
    """

    picture: Tensor | None
    frame: tuple[float, float, float, float]
    caption: Sequence[str]
    mass: NDArray[np.float64] | None = None


def window_sheet(tiles: Sequence[Tile], *, title: str, columns: int = 8, note: str = "") -> Figure:
    """Tiles in rows; with masses each tile is two panels wide."""
    look = find_look("default")
    with styled(look):
        pair = any(tile.mass is not None for tile in tiles)
        side = (PAGE_WIDTH - _GAP * (columns - 1)) / columns
        panel = (side - 0.1) / 2 if pair else side
        lines = max((len(tile.caption) for tile in tiles), default=1)
        row = panel + _LINE * lines + 0.3
        rows = max(1, -(-len(tiles) // columns))
        notes = textwrap.wrap(note, 130)
        top = 0.9 + 0.36 * len(notes)
        height = top + rows * row
        figure = Figure(figsize=(PAGE_WIDTH * _CM, height * _CM), dpi=200, facecolor="white")
        FigureCanvasAgg(figure)
        figure.text(0, 1 - 0.1 / height, title, fontsize=TITLE_SIZE, fontweight="bold", va="top", parse_math=False)
        for k, words in enumerate(notes):
            figure.text(0, 1 - (0.55 + 0.36 * k) / height, words, fontsize=TEXT_SIZE, va="top", parse_math=False)
        for number, tile in enumerate(tiles):
            left = (number % columns) * (side + _GAP)
            upper = top + (number // columns) * row
            box = (left / PAGE_WIDTH, 1 - (upper + panel) / height, panel / PAGE_WIDTH, panel / height)
            _draw_picture(figure.add_axes(box), tile)
            if tile.mass is not None:
                shifted = ((left + panel + 0.1) / PAGE_WIDTH, *box[1:])
                _draw_mass(figure.add_axes(shifted), tile)
            for line, text in enumerate(tile.caption):
                figure.text(
                    left / PAGE_WIDTH,
                    1 - (upper + panel + 0.08 + _LINE * line) / height,
                    text,
                    fontsize=TEXT_SIZE * 0.9,
                    va="top",
                    parse_math=False,
                )
        return figure


def _draw_picture(axes: Axes, tile: Tile) -> None:
    _bare(axes)
    if tile.picture is None:
        axes.set_facecolor("0.92")
        axes.text(0.5, 0.5, "picture\nnot kept", ha="center", va="center", transform=axes.transAxes, color="0.4")
        return
    _show(axes, tile.picture)
    _frame(axes, tile.frame)


def _draw_mass(axes: Axes, tile: Tile) -> None:
    """The picture in grey, and over it the cube root of the mass, which is too peaked for a linear scale."""
    _bare(axes)
    assert tile.mass is not None
    height, width = tile.picture.shape[-2:] if tile.picture is not None else tile.mass.shape
    if tile.picture is not None:
        grey = tile.picture.mean(dim=0).numpy()
        axes.imshow(0.35 + 0.65 * grey, cmap="gray", vmin=0, vmax=1, extent=(0, width, height, 0))
    root = np.cbrt(tile.mass / max(float(tile.mass.max()), 1e-300))
    axes.imshow(
        root,
        cmap=find_look("default").area_colours,
        vmin=0,
        vmax=1,
        extent=(0, width, height, 0),
        interpolation="nearest",
    )
    _frame(axes, tile.frame)


def _show(axes: Axes, picture: Tensor) -> None:
    height, width = picture.shape[-2:]
    values = picture.clamp(0, 1).permute(1, 2, 0).numpy()
    extent = (0, width, height, 0)
    if values.shape[2] == 1:
        axes.imshow(values[..., 0], cmap="gray", vmin=0, vmax=1, extent=extent)
    else:
        axes.imshow(values, extent=extent)


def _frame(axes: Axes, frame: tuple[float, float, float, float]) -> None:
    top, left, height, width = frame
    for colour, line in (("white", 2.0), ("#D00000", 1.0)):
        axes.add_patch(Rectangle((left, top), width, height, fill=False, edgecolor=colour, linewidth=line))


def _bare(axes: Axes) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_linewidth(0.4)
