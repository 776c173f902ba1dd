"""The paper's area of interest: what all networks use, what the better one uses more, how far they agree in pairs."""

from collections.abc import Sequence
from functools import partial

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from srlens.attribution.result import Attribution
from srlens.comparison.interest import Interest
from srlens.figures.blocks import Block, column, grid, largest, page, panel, paragraph, row, text, title
from srlens.figures.caption import conditions, weights
from srlens.figures.panels import bar_below, draw_shading
from srlens.figures.scales import common_limit, unit_scale
from srlens.figures.shading import Shading, shading_of
from srlens.figures.style import TEXT_SIZE, Look, styled
from srlens.figures.view import View, choose_view

_GAP = 0.45  # cm
_WIDEST, _NARROWEST, _TALLEST = 4.3, 3.4, 7.0  # cm: maps
_CELLS = (0.85, 0.75, 0.64)  # cm: cells of the matrix that are tried; the smallest holds "0.87" at 7 pt
_UNIT = "% of the mass"
_NAMES = 2.6  # cm at most
AGREEMENT_COLOURS = matplotlib.colormaps["cividis"]


def interest_figure(interest: Interest) -> Figure:
    """Picture an area of interest, 17 cm wide: consensus, difference, and the agreement of each pair.

    Args:
        interest: with the comparison that it was drawn from.
    """
    comparison = interest.comparison
    results = [one.result for one in comparison.rows]
    names = [one.network.name for one in comparison.rows]
    with styled(scale=results[0].scale) as look:
        view, lr = choose_view(results), comparison.subject.picture
        below = interest.matrix(names, "rank_correlation")
        agreement = np.where(np.tri(len(names), k=-1, dtype=bool), below, interest.matrix(names, "overlap"))
        consensus, difference = 100 * interest.consensus, 100 * interest.difference
        # Of disjoint maps there is no consensus: an empty scale cannot be drawn.
        shared = shading_of("area", consensus, look, common_limit([consensus]) or 1.0, lr, _UNIT)
        apart = shading_of("map", difference, look, common_limit([difference]) or 1.0, unit=_UNIT)
        panels = [
            ("Used by all networks", [f"{100 * interest.shared:.0f} % of the mass", ""], "consensus", shared),
            ("Better minus worse", [interest.better, f"− {interest.worse}"], "difference", apart),
        ]
        maps = partial(_maps, look, view, panels)
        matrix = partial(_matrix, look, names, agreement)

        def beside(cell: float, width: float) -> Block:
            return row(*maps(width), matrix(cell), gap=_GAP)

        # Beside the maps if that leaves them and the cells large enough, else below.
        tried = (largest(partial(beside, cell), _WIDEST) for cell in _CELLS)
        body = next((block for width, block in tried if width >= _NARROWEST), None)
        if body is None:
            body = column(row(*maps(_WIDEST), gap=_GAP), largest(matrix, _CELLS[0])[1], gap=0.1)
        return page(look, body, paragraph(look, _caption(results, interest)))


def _maps(look: Look, view: View, panels: Sequence[tuple[str, list[str], str, Shading]], width: float) -> list[Block]:
    """Consensus and difference, with what stands above and below them."""
    wide = min(width, _TALLEST * view.aspect)
    maps = []
    for name, detail, label, shading in panels:
        parts = (
            title(look, name, bold=True),
            text(look, detail, most=width).padded(bottom=0.05),
            panel(wide, wide / view.aspect, label, draw_shading, shading, view, thin=label == "difference"),
            bar_below(look, wide, f"{label} bar", shading),
        )
        maps.append(column(*parts).within(width=width))
    return maps


def _matrix(look: Look, names: Sequence[str], values: NDArray[np.float64], cell: float) -> Block:
    """The agreement of each pair, n×n, in cells of that size in cm; the diagonal is left white."""
    count = len(names)
    labels = [
        row(text(look, f"{number}  "), text(look, name, most=_NAMES)).padded(right=0.15)
        for number, name in enumerate(names, start=1)
    ]
    side = cell * count
    shading = Shading(
        np.ma.masked_where(np.eye(count, dtype=bool), values), unit_scale(), AGREEMENT_COLOURS, captions=["agreement"]
    )
    numbers = [text(look, str(k + 1), across=0.5).within(cell).padded(bottom=0.05) for k in range(count)]
    matrix = panel(side, side, "agreement", draw_matrix, shading, numbers=cell >= _CELLS[-1])
    cells: list[list[Block | None]] = [
        [None, row(*numbers)],
        [column(*(label.at(down=0.5).within(height=cell) for label in labels)), matrix],
        [None, bar_below(look, side, "agreement bar", shading)],
    ]
    return column(title(look, "Agreement of each pair", bold=True), grid(cells))


def draw_matrix(axes: Axes, shading: Shading, *, numbers: bool = True) -> None:
    """A square matrix in colours, each number in its cell; masked cells are left white."""
    draw_shading(axes, shading)
    known = ~np.ma.getmaskarray(shading.values)
    for (line, place), value in np.ndenumerate(np.ma.getdata(shading.values)):
        if numbers and known[line, place]:
            ink = "white" if value < 0.5 else "black"
            written = f"{value:.2f}".replace("-0.", "−.")  # as wide as "0.87"
            axes.text(place + 0.5, line + 0.5, written, ha="center", va="center", size=TEXT_SIZE, color=ink)


def _caption(results: Sequence[Attribution], interest: Interest) -> str:
    return " ".join(
        [
            "Maps are absolute values after summing the channels, divided by their sum (their mass), in percent per "
            "LR pixel.",
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
