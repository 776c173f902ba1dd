"""Several networks on one window: a column each, on common colour scales, their numbers below."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

from srlens.comparison.row import Row
from srlens.figures.area import common_bandwidth, percent_density
from srlens.figures.caption import bandwidth_text, conditions, fact_table, reading, remarks, weights
from srlens.figures.checks import check_rows
from srlens.figures.panels import Bar, draw_area, draw_bar, draw_crop, draw_lr, draw_map
from srlens.figures.scales import bar_labels, common_limit
from srlens.figures.sheet import LIST_PITCH, Box, Sheet
from srlens.figures.style import (
    COLUMN_WIDTH,
    PAGE_HEIGHT,
    PAGE_WIDTH,
    TEXT_SIZE,
    TITLE_SIZE,
    Look,
    Style,
    find_look,
    styled,
)
from srlens.figures.typesetting import fitting, shorten, text_height, text_width, wrap
from srlens.figures.view import View, choose_view
from srlens.measures.density import Bandwidth

_MARGIN = 0.05
_GAP = 0.2
_TITLE = 0.42
_BARS = 1.4  # colour bar with numbers and label, to the right of the panels
_SMALLEST = 1.6**2  # cm² a panel; more networks make the figure higher, not the panels smaller
_WIDEST = 5.0
_STEP = 0.02  # cm: how finely the width of columns is tried
_COMFORTABLE = (1.9, 1.3)  # cm: width and height of a panel that needs no more bands
_LOWEST_WINDOW = 2.2  # cm: the windows of wide images, whose panels are low
_BETWEEN_BANDS = 0.35


@dataclass(frozen=True)
class _Grid:
    """The measures of the columns, in cm; networks stand in bands of ``columns``."""

    columns: int
    bands: int
    width: float
    gap: float
    names: list[list[str]]
    labels: float
    names_height: float
    window_height: float
    panel_height: float
    table_height: float

    @property
    def band_height(self) -> float:
        """Height of one band."""
        return self.names_height + self.window_height + 2 * (_TITLE + 0.05 + self.panel_height) + self.table_height

    def cell(self, band: int, column: int) -> Box:
        """Left and top of a column in a band; column 0 holds the references. The height is the windows'."""
        left = _MARGIN + (self.labels + self.gap + (column - 1) * (self.width + self.gap) if column else 0)
        top = band * (self.band_height + _BETWEEN_BANDS) + self.names_height
        return Box(left, top, self.width if column else self.labels, self.window_height)


@dataclass(frozen=True)
class _Content:
    """All that is drawn."""

    rows: Sequence[Row]
    lr: Tensor
    hr: Tensor | None
    look: Look
    view: View
    densities: list[NDArray[np.float64]]
    map_limit: float
    area_limit: float
    table: list[tuple[str, list[str]]]


def comparison_figure(
    rows: Sequence[Row],
    lr: Tensor,
    hr: Tensor | None = None,
    *,
    style: Style = "default",
    bandwidth: float | Bandwidth | None = None,
) -> Figure:
    """Put networks side by side: SR window, attribution map, contribution area, and their numbers.

    All maps share one colour scale, all contribution areas one scale and one bandwidth. The figure is 17 cm wide
    (8.5 cm for one network); with more than five or so the networks stand in several bands.

    Args:
        rows: one a network, all of one window of one LR image.
        lr: the LR image, C×h×w in [0, 1].
        hr: the HR image, C×sh×sw, if it is known.
        style: ``"default"``, or ``"paper"`` for the look of Gu & Dong's figures, each map divided by its maximum.
        bandwidth: of the contribution areas: a standard deviation in LR pixels or a Bandwidth; by default the
            geometric mean of Scott's bandwidths for these maps.

    Raises:
        ImageError: a picture does not have the size that belongs to the results.
        SettingError: no rows, rows of different windows or scales, an unknown style, a bandwidth not above 0.
    """
    look = find_look(style)
    check_rows(rows, lr, hr)
    results = [row.result for row in rows]
    chosen = bandwidth if bandwidth is not None else common_bandwidth(results)
    drawn = [percent_density(result, chosen) for result in results]
    densities = [density for density, _ in drawn]
    view = choose_view(results)
    content = _Content(
        rows=rows,
        lr=lr,
        hr=hr,
        look=look,
        view=view,
        densities=densities,
        map_limit=common_limit(result.map.sum(axis=0) for result in results),
        area_limit=common_limit(densities),
        table=fact_table([row.measurable for row in rows]),
    )
    caption = " ".join(
        [
            "First row: the window in the networks' SR images.",
            conditions(results),
            reading(look, view, bandwidth_text(drawn[0][1], shared=len(rows) > 1)),
            *(["Colour scales are common to all networks."] if len(rows) > 1 and not look.normalised else []),
            remarks(results),
            weights(results),
        ]
    )
    with styled(look):
        width = COLUMN_WIDTH if len(rows) == 1 else PAGE_WIDTH
        lines = wrap(caption, width - 2 * _MARGIN, look.font, TEXT_SIZE)
        caption_height = text_height(len(lines), look.font, TEXT_SIZE) + 0.3
        grid = _choose_grid(content, width, PAGE_HEIGHT - caption_height)
        panels_height = grid.bands * (grid.band_height + _BETWEEN_BANDS) - _BETWEEN_BANDS
        sheet = Sheet(width, panels_height + caption_height, look)
        for band in range(grid.bands):
            _draw_band(sheet, grid, content, band)
        sheet.text(_MARGIN, panels_height + 0.2, lines)
    return sheet.figure


def _choose_grid(content: _Content, width: float, height: float) -> _Grid:
    """The fewest bands that leave the panels comfortable; if none does, those that make them largest."""
    networks = len(content.rows)
    widths = dict.fromkeys(-(-networks // bands) for bands in range(1, networks + 1))
    grids = [_largest_grid(content, columns, width, height) for columns in widths]
    comfortable = (grid for grid in grids if grid.width >= _COMFORTABLE[0] and grid.panel_height >= _COMFORTABLE[1])
    return next(comfortable, max(grids, key=lambda grid: round(grid.width, 1)))


def _largest_grid(content: _Content, columns: int, width: float, height: float) -> _Grid:
    column = min(_WIDEST, _grid(content, columns, width, 1.0).labels + width)
    while True:
        grid = _grid(content, columns, width, column)
        total = grid.bands * (grid.band_height + _BETWEEN_BANDS) - _BETWEEN_BANDS
        fits = total <= height or column * grid.panel_height <= _SMALLEST
        if (grid.gap >= _GAP and fits) or column <= _STEP:
            return grid
        column -= _STEP


def _grid(content: _Content, columns: int, width: float, column: float) -> _Grid:
    look = content.look
    result = content.rows[0].result
    image = result.lr_size[1] / result.lr_size[0]
    window = result.window.width / result.window.height
    labels = max(column, 0.1 + max(text_width(label, look.font, TEXT_SIZE) for label, _ in content.table))
    gap = (width - 2 * _MARGIN - _BARS - labels - columns * column) / columns
    # A name may reach half into the gaps beside its column.
    names = [
        shorten(row.result.network, max(column, column + gap - 0.2), look.font, TITLE_SIZE, lines=2, bold=True) or ["–"]
        for row in content.rows
    ]
    panel_height = column / image
    return _Grid(
        columns=columns,
        bands=-(-len(content.rows) // columns),
        width=column,
        gap=gap,
        names=names,
        labels=labels,
        names_height=0.15 + text_height(max(len(name) for name in names), look.font, TITLE_SIZE),
        window_height=min(column / window, max(panel_height, _LOWEST_WINDOW)),
        panel_height=panel_height,
        table_height=0.15 + len(content.table) * LIST_PITCH,
    )


def _draw_band(sheet: Sheet, grid: _Grid, content: _Content, band: int) -> None:
    window = content.rows[0].result.window
    edges = (float(window.top), float(window.left), float(window.bottom), float(window.right))
    aspect = window.width / window.height
    first = band * grid.columns
    rows = content.rows[first : first + grid.columns]
    map_top, area_top, table_top = _draw_references(sheet, grid, content, band)
    bars: dict[str, Bar] = {}
    for column, row in enumerate(rows, start=1):
        cell = grid.cell(band, column)
        name = row.result.network
        _name(sheet, cell, grid.names[first + column - 1])
        draw_crop(sheet.axes(cell.fitted(aspect), f"sr window {name}"), row.sr, edges)
        box = Box(cell.left, map_top, grid.width, grid.panel_height)
        bars["map"] = draw_map(
            sheet.axes(box, f"map {name}"), row.result, content.lr, content.look, content.view, content.map_limit
        )
        box = Box(cell.left, area_top, grid.width, grid.panel_height)
        bars["area"] = draw_area(
            sheet.axes(box, f"area {name}"),
            content.densities[first + column - 1],
            row.result,
            content.lr,
            content.look,
            content.view,
            content.area_limit,
        )
        values = [values[first + column - 1] for _, values in content.table]
        sheet.list(cell.left + cell.width / 2, table_top, values, align="center")
    right = grid.cell(band, len(rows)).right + 0.15
    for panel, top in (("map", map_top), ("area", area_top)):
        label = fitting(
            bar_labels(panel, normalised=content.look.normalised), grid.panel_height, content.look.font, TEXT_SIZE
        )
        axes = sheet.axes(Box(right, top, 0.22, grid.panel_height), f"{panel} bar {band}")
        draw_bar(axes, bars[panel], label, "vertical")


def _draw_references(sheet: Sheet, grid: _Grid, content: _Content, band: int) -> tuple[float, float, float]:
    """The first column: HR and LR, titles and labels. Returns the tops of maps, areas and numbers."""
    result = content.rows[0].result
    window = result.window
    aspect = window.width / window.height
    cell = grid.cell(band, 0)
    map_top = cell.bottom + 0.05 + _TITLE
    area_top = map_top + grid.panel_height + 0.05 + _TITLE
    table_top = area_top + grid.panel_height + 0.15
    panel = Box(cell.left, map_top, grid.width, grid.panel_height)
    small = Box(cell.left, cell.top, grid.width, cell.height).fitted(aspect)
    lr_window = ("LR window", content.lr, window.on_lr(result.scale))
    if content.hr is not None:
        sheet.title(small.left, cell.top, "HR window")
        edges = (float(window.top), float(window.left), float(window.bottom), float(window.right))
        draw_crop(sheet.axes(small, f"hr window {band}"), content.hr, edges)
        last = Box(cell.left, area_top, grid.width, grid.panel_height).fitted(aspect, top=True)
        sheet.title(last.left, area_top, lr_window[0])
        draw_crop(sheet.axes(last, f"lr window {band}"), *lr_window[1:])
    else:
        sheet.title(small.left, cell.top, lr_window[0])
        draw_crop(sheet.axes(small, f"lr window {band}"), *lr_window[1:])
    sheet.title(cell.left, map_top, f"LR {result.lr_size[0]}×{result.lr_size[1]}")
    draw_lr(sheet.axes(panel, f"lr {band}"), content.lr, result, content.view)
    left = grid.cell(band, 1).left
    sheet.title(left, map_top, "Attribution map")
    sheet.title(left, area_top, "Contribution area")
    networks = min(grid.columns, len(content.rows) - band * grid.columns)
    sheet.rule(cell.left, grid.cell(band, networks).right, table_top - 0.05)
    sheet.list(cell.left, table_top, [label for label, _ in content.table])
    return map_top, area_top, table_top


def _name(sheet: Sheet, cell: Box, lines: list[str]) -> None:
    sheet.text(
        cell.left + cell.width / 2, cell.top - 0.1, lines, size=TITLE_SIZE, align="center", anchor="baseline", bold=True
    )
