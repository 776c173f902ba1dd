"""Contact sheets of windows: a picture's part with the window framed, a caption, and where known what was used."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

from srlens.figures.blocks import FULL_WIDTH, Block, column, grid, in_rows, page, panel, paragraph, row, text
from srlens.figures.blocks import title as heading
from srlens.figures.panels import draw_image, draw_shading, outline
from srlens.figures.scales import unit_scale
from srlens.figures.shading import Shading, grey
from srlens.figures.style import Look, find_look, styled

_GAP = 0.25  # cm
_FRAME = ("white", "#D00000")


@dataclass(frozen=True, eq=False)
class Tile:
    """One window of a sheet.

    Attributes:
        picture: C×H×W in [0, 1], the window within; None where it is not there any more.
        frame: the window in pixels of ``picture``: (top, left, height, width).
        caption: lines below.
        mass: what was used, h×w ≥ 0 over the whole picture, drawn beside it; None: only the picture.
        linear: ``mass`` lies in [0, 1] and is drawn as it stands; else its cube root, divided by its maximum.
    """

    picture: Tensor | None
    frame: tuple[float, float, float, float]
    caption: Sequence[str]
    mass: NDArray[np.float64] | None = None
    linear: bool = False


def window_sheet(tiles: Sequence[Tile], *, title: str, columns: int = 8, note: str = "", scale: int = 4) -> Figure:
    """Tiles in rows; with masses each tile is two panels wide; ``scale`` is that of the networks."""
    with styled(scale=scale) as look:
        side = (FULL_WIDTH - _GAP * (columns - 1)) / columns
        pair = any(tile.mass is not None for tile in tiles)
        blocks = [_tile(look, tile, side, (side - 0.1) / 2 if pair else side) for tile in tiles]
        name = heading(look, title, bold=True, most=FULL_WIDTH, lines=3)
        notes = paragraph(look, note, FULL_WIDTH)
        return page(look, column(name, notes), grid(in_rows(blocks, columns), across=_GAP, down=0.25))


def _tile(look: Look, tile: Tile, side: float, size: float) -> Block:
    height, width = next((x.shape[-2:] for x in (tile.picture, tile.mass) if x is not None), (1, 1))
    wide, high = size * min(1.0, width / height), size * min(1.0, height / width)
    draws = [("picture", _draw_picture), *([("mass", _draw_mass)] if tile.mass is not None else [])]
    panels = [panel(wide, high, label, draw, tile).within(size, size) for label, draw in draws]
    return column(row(*panels, gap=0.1), text(look, tile.caption, most=side + 0.1), gap=0.05).within(width=side)


def _draw_picture(axes: Axes, tile: Tile) -> None:
    if tile.picture is None:
        axes.set(xticks=[], yticks=[], facecolor="0.92")
        axes.text(0.5, 0.5, "picture\nnot kept", ha="center", va="center", transform=axes.transAxes, color="0.4")
        return
    draw_image(axes, tile.picture)
    _frame(axes, tile)


def _draw_mass(axes: Axes, tile: Tile) -> None:
    """The picture in grey, and over it the mass: by its cube root where it is too peaked for a linear scale."""
    assert tile.mass is not None
    shown = tile.mass if tile.linear else np.cbrt(tile.mass / max(float(tile.mass.max()), 1e-300))
    height, width = tile.mass.shape if tile.picture is None else tile.picture.shape[-2:]
    below = None if tile.picture is None else grey(tile.picture)
    colours = find_look("default").area_colours
    draw_shading(axes, Shading(shown, unit_scale(), colours, below, extent=(0, width, height, 0)))
    _frame(axes, tile)


def _frame(axes: Axes, tile: Tile) -> None:
    top, left, height, width = tile.frame
    outline(axes, (top, left, top + height, left + width), _FRAME, thickness=1.0)
