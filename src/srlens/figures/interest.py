"""The paper's area of interest: what all networks use, what the better one uses more, how far they agree in pairs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator
from numpy.typing import NDArray
from torch import Tensor

from srlens.attribution.result import Attribution
from srlens.errors import SettingError
from srlens.figures.caption import conditions, weights
from srlens.figures.panels import Bar, draw_area, draw_bar, draw_map
from srlens.figures.scales import AREA_SCALE, MAP_SCALE, common_limit
from srlens.figures.sheet import Box, Sheet
from srlens.figures.style import PAGE_WIDTH, TEXT_SIZE, TITLE_SIZE, find_look, styled
from srlens.figures.typesetting import fitting, shorten, text_height, text_width, wrap
from srlens.figures.view import choose_view

_MARGIN, _GAP, _TITLE, _LINE = 0.05, 0.45, 0.45, 0.38  # cm
_BAR, _BAR_ROOM = 0.22, 1.15
_PANELS, _TALLEST = (4.3, 4.0, 3.7, 3.4), 7.0  # widths tried until the matrix fits beside; the largest height
_CELL, _SMALLEST_CELL = 0.85, 0.64  # cm: the smallest holds "0.87" at 7 pt
_NAMES = 2.6  # cm at most


@dataclass(frozen=True, eq=False)
class Shared:
    """What is drawn of an area of interest.

    Attributes:
        consensus: h×w, mass that all networks place alike, of 1.
        difference: h×w, unit-mass map of ``better`` minus that of ``worse``.
        better: name of the network with the higher score.
        worse: name of the network with the lowest score.
        judged_by: what the score is.
        rank_correlation: n×n, Spearman's, of each pair of networks.
        overlap: n×n, intersection over union of the areas that hold 90 % of the mass.
    """

    consensus: NDArray[np.float64]
    difference: NDArray[np.float64]
    better: str
    worse: str
    judged_by: str
    rank_correlation: NDArray[np.float64]
    overlap: NDArray[np.float64]


def interest_figure(results: Sequence[Attribution], lr: Tensor, shared: Shared) -> Figure:
    """Picture an area of interest, 17 cm wide: consensus, difference, and the agreement of each pair.

    Args:
        results: of at least two networks, in the order of the matrices.
        lr: the LR image, C×h×w in [0, 1].
        shared: what was drawn from them.

    Raises:
        SettingError: fewer than two networks, or matrices of another size.
    """
    count = len(results)
    if count < 2 or shared.overlap.shape != (count, count) or shared.rank_correlation.shape != (count, count):
        raise SettingError(f"Agreement of {count} networks needs at least two of them and matrices of {count}×{count}.")
    look = find_look("default")
    view = choose_view(results)
    with styled(look):
        lines = wrap(_caption(results, shared), PAGE_WIDTH - 2 * _MARGIN, look.font, TEXT_SIZE)
        names = [shorten(result.network, _NAMES, look.font, TEXT_SIZE)[0] for result in results]
        labels = 0.55 + max(text_width(name, look.font, TEXT_SIZE) for name in names)
        width = next((w for w in _PANELS if _beside(w, labels) / count >= _SMALLEST_CELL), _PANELS[0])
        fitted = Box(0, 0, width, _TALLEST).fitted(view.aspect)
        panel = Box(_MARGIN, _TITLE + _LINE, fitted.width, fitted.height)
        second = Box(_MARGIN + width + _GAP, panel.top, panel.width, panel.height)
        maps_bottom = panel.bottom + _BAR_ROOM
        if _beside(width, labels) / count >= _SMALLEST_CELL:
            cell = min(_CELL, _beside(width, labels) / count)
            matrix = Box(_MARGIN + 2 * (width + _GAP) + labels, panel.top, cell * count, cell * count)
        else:
            cell = min(_CELL, (PAGE_WIDTH - 2 * _MARGIN - 0.1 - labels) / count)
            matrix = Box(_MARGIN + labels, maps_bottom + _TITLE + _LINE, cell * count, cell * count)
        caption_top = max(maps_bottom, matrix.bottom + _BAR_ROOM) + 0.1
        sheet = Sheet(PAGE_WIDTH, caption_top + text_height(len(lines), look.font, TEXT_SIZE) + 0.1, look)

        _heading(sheet, panel, "Used by all networks", f"{100 * shared.consensus.sum():.0f} % of the mass")
        consensus = 100 * shared.consensus
        limit = common_limit([consensus])
        if limit == 0:  # disjoint maps: an empty scale cannot be drawn
            limit = 1.0
        bar = draw_area(sheet.axes(panel, "consensus"), consensus, results[0], lr, look, view, limit)
        _bar(
            sheet,
            panel,
            bar,
            "consensus bar",
            [f"% of the mass per LR pixel, {AREA_SCALE}", f"% of the mass, {AREA_SCALE}"],
        )

        (detail,) = shorten(f"{shared.better} − {shared.worse}", width, look.font, TEXT_SIZE)
        _heading(sheet, second, "Better minus worse", detail)
        # A difference is drawn as a map is: signed, around the same window.
        drawn = replace(results[0], map=100 * shared.difference[None])
        limit = common_limit([drawn.map]) or 1.0
        bar = draw_map(sheet.axes(second, "difference"), drawn, lr, look, view, limit)
        _bar(
            sheet,
            second,
            bar,
            "difference bar",
            [f"% of the mass per LR pixel, {MAP_SCALE}", f"% of the mass, {MAP_SCALE}"],
        )

        _heading(sheet, Box(matrix.left - labels, matrix.top, 0, 0), "Agreement of each pair", "")
        _matrix(sheet.axes(matrix, "agreement"), shared, numbers=cell >= _SMALLEST_CELL)
        for number, name in enumerate(names):
            middle = matrix.top + (number + 0.5) * cell
            sheet.text(matrix.left - labels, middle, f"{number + 1}  {name}", anchor="center")
            sheet.text(
                matrix.left + (number + 0.5) * cell,
                matrix.top - 0.12,
                str(number + 1),
                align="center",
                anchor="baseline",
            )
        bar_box = Box(matrix.left, matrix.bottom + 0.15, matrix.width, _BAR)
        draw_bar(sheet.axes(bar_box, "agreement bar"), Bar(Normalize(0, 1), _COLOURS), "agreement", "horizontal")
        sheet.text(_MARGIN, caption_top, lines)
    return sheet.figure


_COLOURS = matplotlib.colormaps["cividis"]


def _beside(panel: float, labels: float) -> float:
    """Room for the cells of the matrix to the right of two panels and its labels, in cm."""
    return PAGE_WIDTH - 2 * _MARGIN - 0.1 - 2 * (panel + _GAP) - labels


def _heading(sheet: Sheet, box: Box, title: str, detail: str) -> None:
    sheet.text(box.left, box.top - _LINE - 0.1, title, size=TITLE_SIZE, anchor="baseline", bold=True)
    sheet.text(box.left, box.top - 0.1, detail, anchor="baseline")


def _bar(sheet: Sheet, above: Box, bar: Bar, name: str, labels: list[str]) -> None:
    box = Box(above.left + 0.25, above.bottom + 0.15, above.width - 0.5, _BAR)
    draw_bar(sheet.axes(box, name), bar, fitting(labels, above.width, sheet.look.font, TEXT_SIZE), "horizontal")


def _matrix(axes: Axes, shared: Shared, *, numbers: bool) -> None:
    """Rank correlation below the diagonal, overlap above it; the diagonal is left white."""
    count = len(shared.overlap)
    values = np.where(np.tri(count, k=-1, dtype=bool), shared.rank_correlation, shared.overlap)
    shown = np.ma.masked_where(np.eye(count, dtype=bool), values)
    axes.imshow(shown, cmap=_COLOURS, vmin=0, vmax=1, interpolation="nearest", aspect="auto")
    axes.xaxis.set_major_locator(FixedLocator([]))
    axes.yaxis.set_major_locator(FixedLocator([]))
    axes.xaxis.set_major_formatter(FixedFormatter([]))
    if not numbers:
        return
    for row in range(count):
        for column in range(count):
            if row == column:
                continue
            value = float(values[row, column])
            text = f"{value:.2f}".replace("-", "−")
            ink = "white" if value < 0.5 else "black"
            axes.text(column, row, text, ha="center", va="center", size=TEXT_SIZE, color=ink)


def _caption(results: Sequence[Attribution], shared: Shared) -> str:
    return " ".join(
        [
            "Maps are absolute values after summing the channels, divided by their sum (their mass).",
            "Used by all: the pixelwise minimum over the networks, on the grey LR image.",
            f"Better minus worse: {shared.better} minus {shared.worse}, the best and the last by "
            f"{shared.judged_by}; red where the better one places more of its mass, blue where less; it sums to 0, and "
            "the scale is symmetric.",
            "Agreement: below the diagonal Spearman's rank correlation over all LR pixels, above it intersection over "
            "union of the smallest areas that hold 90 % of the mass.",
            conditions(results),
            weights(results),
        ]
    )
