"""The paper's area of interest: what all networks use, what the better one uses more, how far they agree in pairs."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from srlens.attribution.result import Attribution
from srlens.comparison.compare import Comparison
from srlens.comparison.interest import Interest
from srlens.errors import SettingError
from srlens.figures.blocks import FULL_WIDTH, Block, column, grid, page, panel, paragraph, row, space, text, title
from srlens.figures.caption import conditions, weights
from srlens.figures.panels import bar_below, draw_shading
from srlens.figures.scales import AREA_SCALE, MAP_SCALE, common_limit, unit_scale
from srlens.figures.shading import Shading, area_shading, map_shading
from srlens.figures.style import PAGE_WIDTH, TEXT_SIZE, Look, find_look, styled
from srlens.figures.view import choose_view

_GAP = 0.45  # cm
_PANELS, _TALLEST = (4.3, 4.0, 3.7, 3.4), 7.0  # widths tried until the matrix fits beside; the largest height
_CELL, _SMALLEST_CELL = 0.85, 0.64  # cm: the smallest holds "0.87" at 7 pt
_NAMES = 2.6  # cm at most
_COLOURS = matplotlib.colormaps["cividis"]


def interest_figure(comparison: Comparison, interest: Interest) -> Figure:
    """Picture an area of interest, 17 cm wide: consensus, difference, and the agreement of each pair.

    Args:
        comparison: of at least two networks.
        interest: what was drawn from it.

    Raises:
        SettingError: fewer than two networks, or the area of interest of other ones.
    """
    results = [one.result for one in comparison.rows]
    names = [one.network.name for one in comparison.rows]
    if len(results) < 2 or {name for pair in interest.pairs for name in (pair.first, pair.second)} != set(names):
        raise SettingError(
            f"Agreement of {len(results)} networks needs at least two of them, and an area of interest of just these."
        )
    look = find_look("default")
    view, lr = choose_view(results), comparison.subject.lr
    below = interest.matrix(names, "rank_correlation")
    agreement = np.where(np.tri(len(names), k=-1, dtype=bool), below, interest.matrix(names, "overlap"))
    consensus, difference = 100 * interest.consensus, 100 * interest.difference
    # Of disjoint maps there is no consensus: an empty scale cannot be drawn.
    shared = area_shading(consensus, look, common_limit([consensus]) or 1.0, lr)
    apart = map_shading(difference, look, common_limit([difference]) or 1.0)
    panels = [
        ("Used by all networks", f"{100 * interest.shared:.0f} % of the mass", "consensus", shared, AREA_SCALE),
        ("Better minus worse", f"{interest.better} − {interest.worse}", "difference", apart, MAP_SCALE),
    ]
    with styled(look):
        labels = [
            row(text(look, f"{number}  "), text(look, name, most=_NAMES)).padded(right=0.15)
            for number, name in enumerate(names, start=1)
        ]
        beside = max(label.width for label in labels)
        # Room for the cells of the matrix to the right of two panels and its labels.
        rooms = {width: FULL_WIDTH - 0.1 - 2 * (width + _GAP) - beside for width in _PANELS}
        fitting = [width for width, room in rooms.items() if room / len(names) >= _SMALLEST_CELL]
        width = fitting[0] if fitting else _PANELS[0]
        room = rooms[width] if fitting else FULL_WIDTH - 0.1 - beside
        wide = min(width, _TALLEST * view.aspect)
        maps = []
        for name, detail, label, shading, scale in panels:
            draw = partial(draw_shading, shading=shading, view=view, thin=label == "difference")
            captions = [f"% of the mass{of}, {scale}" for of in (" per LR pixel", "")]
            parts = (
                title(look, name, bold=True),
                text(look, detail, most=width).padded(bottom=0.05),
                panel(wide, wide / view.aspect, label, draw),
                bar_below(look, wide, f"{label} bar", replace(shading, captions=captions)),
            )
            maps.append(column(*parts).within(width=width))
        matrix = _matrix(look, labels, agreement, min(_CELL, room / len(names)))
        body = row(*maps, matrix, gap=_GAP) if fitting else column(row(*maps, gap=_GAP), matrix, gap=0.1)
        return page(look, PAGE_WIDTH, body, paragraph(look, _caption(results, interest), FULL_WIDTH))


def _matrix(look: Look, labels: Sequence[Block], values: NDArray[np.float64], cell: float) -> Block:
    """The agreement of each pair, n×n, in cells of that size in cm; the diagonal is left white."""
    count = len(labels)
    side = cell * count
    shading = Shading(
        np.ma.masked_where(np.eye(count, dtype=bool), values), unit_scale(), _COLOURS, captions=["agreement"]
    )
    numbers = [text(look, str(k + 1), across=0.5).within(cell).padded(bottom=0.05) for k in range(count)]
    draw = partial(_draw_matrix, shading=shading, numbers=cell >= _SMALLEST_CELL)
    cells = [
        [space(), row(*numbers)],
        [column(*(label.at(down=0.5).within(height=cell) for label in labels)), panel(side, side, "agreement", draw)],
        [space(), bar_below(look, side, "agreement bar", shading)],
    ]
    return column(title(look, "Agreement of each pair", bold=True), grid(cells))


def _draw_matrix(axes: Axes, shading: Shading, *, numbers: bool) -> None:
    draw_shading(axes, shading)
    for (line, place), value in np.ndenumerate(shading.values):
        if numbers and line != place:
            ink = "white" if value < 0.5 else "black"
            written = f"{value:.2f}".replace("-", "−")
            axes.text(place + 0.5, line + 0.5, written, ha="center", va="center", size=TEXT_SIZE, color=ink)


def _caption(results: Sequence[Attribution], interest: Interest) -> str:
    return " ".join(
        [
            "Maps are absolute values after summing the channels, divided by their sum (their mass).",
            "Used by all: the pixelwise minimum over the networks, on the grey LR image.",
            f"Better minus worse: {interest.better} minus {interest.worse}, the best and the last by "
            f"{interest.judged_by}; red where the better one places more of its mass, blue where less; it sums to 0, "
            "and the scale is symmetric.",
            "Agreement: below the diagonal Spearman's rank correlation over all LR pixels, above it intersection over "
            "union of the smallest areas that hold 90 % of the mass.",
            conditions(results),
            weights(results),
        ]
    )
