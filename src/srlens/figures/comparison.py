"""Several networks on one window: a column each, on common colour scales, their numbers below."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from matplotlib.figure import Figure
from torch import Tensor

from srlens.comparison.compare import Comparison
from srlens.figures.blocks import MARGIN, Block, grid, page_of_bands, panel, paragraph, row, rule, text, title, titles
from srlens.figures.caption import fact_table, map_caption, provenance
from srlens.figures.checks import check_pictures
from srlens.figures.panels import Edges, bar_beside, draw_crop, draw_lr, draw_shading
from srlens.figures.shading import Shading, common_bandwidth, shade
from srlens.figures.style import COLUMN_WIDTH, PAGE_WIDTH, Look, Style, styled
from srlens.figures.view import View, choose_view
from srlens.imaging.eye import eye_rule
from srlens.measures.density import Bandwidth
from srlens.trust.reach_result import reach_in_words

_GAP, _WIDEST_GAP = 0.2, 3.0
_WIDEST, _SMALLEST = 5.0, 1.6**2  # cm; cm² a panel: more networks make the figure higher, not the panels smaller
_COMFORTABLE = (1.9, 1.3)  # cm: width and height of a panel that needs no more bands
_LOWEST_WINDOW = 2.2  # cm: the windows of wide images, whose panels are low


def comparison_figure(
    comparison: Comparison, *, style: Style = "default", bandwidth: float | Bandwidth | None = None
) -> Figure:
    """Put networks side by side: SR window, attribution map, contribution area, and their numbers.

    All maps share one colour scale, all contribution areas one scale and one bandwidth. The figure is 17 cm wide
    (8.5 cm for one network); with more than five or so the networks stand in several bands.

    Args:
        comparison: the networks, all at one window of one LR image.
        style: ``"default"``, or ``"paper"`` for the look of Gu & Dong's figures, each map divided by its maximum.
        bandwidth: of the contribution areas: a standard deviation in LR pixels or a Bandwidth; by default the
            geometric mean of Scott's bandwidths for these maps.

    Raises:
        ImageError: a picture does not have the size that belongs to the results.
        SettingError: no rows, rows of different windows or scales, an unknown style, a bandwidth not above 0.
    """
    rows, subject = comparison.rows, comparison.subject
    results = [one.result for one in rows]
    with styled(style, results[0].scale if results else 4) as look:
        check_pictures(results, subject.picture, subject.hr, [one.sr for one in rows])
        view = choose_view(results)
        chosen = bandwidth if bandwidth is not None else common_bandwidth(results)
        maps, areas, used = shade(results, subject.picture, look, chosen)
        width = PAGE_WIDTH if len(rows) > 1 else COLUMN_WIDTH
        inside, (height, long) = width - 2 * MARGIN, results[0].lr_size
        rule = eye_rule(subject.lr.shape[-3], subject.bands)
        made = provenance(subject, comparison.reference)
        read = map_caption(results, look, view, used, made=made)
        told = [rule, read, reach_in_words(row.reach for row in rows)]
        words = ["First row: the window in the networks' SR images.", *(one for one in told if one)]
        caption = paragraph(look, " ".join(words), inside)
        tall = height / long
        sizes = ((_SMALLEST / tall) ** 0.5, max(_COMFORTABLE[0], _COMFORTABLE[1] / tall), _WIDEST)
        band = partial(_band, look, comparison, view, maps, areas, fact_table(rows), inside)
        return page_of_bands(look, band, len(rows), sizes, caption, width=width)


def _band(
    look: Look,
    comparison: Comparison,
    view: View,
    maps: Sequence[Shading],
    areas: Sequence[Shading],
    table: Sequence[tuple[str, Sequence[str]]],
    inside: float,
    numbers: Sequence[int],
    columns: int,
    width: float,
) -> Block:
    """The networks of these numbers, a column each, after the references; all of them within ``inside`` cm."""
    subject = comparison.subject
    rows = [comparison.rows[number] for number in numbers]
    result = rows[0].result
    window, height = result.window, width * (result.lr_size[0] / result.lr_size[1])
    ratio = window.width / window.height
    band = numbers[0] // columns
    bars = [bar_beside(look, height, f"{kind} bar {band}", one) for kind, one in (("map", maps[0]), ("area", areas[0]))]
    beside = max(bar.width for bar in bars)
    labels = text(look, [label for label, _ in table]).padded(right=0.1)
    first = max(width, labels.width)
    cell = max(width, text(look, [value for _, values in table for value in values]).width)
    gap = max(_GAP, min(_WIDEST_GAP, (inside - first - columns * cell - beside) / columns))
    # A name may reach half into the gaps beside its column.
    fit: dict[str, Any] = {"most": cell + gap - 0.2, "lines": 2, "bold": True, "across": 0.5}
    names = [name.at(0.5, 1) for name in titles(look, [one.result.network or "–" for one in comparison.rows], **fit)]
    above = max(name.height for name in names)

    def crop(image: Tensor, label: str, edges: Edges, highest: float) -> Block:
        high = min(highest, width / ratio)
        return panel(high * ratio, high, label, draw_crop, subject.for_eye(image), edges)

    def shaded(kind: str, shadings: Sequence[Shading], bar: Block) -> list[Block]:
        """The panels of one row, with the bar to the right of the last."""
        drawn = []
        for number, one in zip(numbers, rows, strict=True):
            label = f"{kind} {one.result.network}"
            drawn.append(panel(width, height, label, draw_shading, shadings[number], view, thin=kind == "map").at(0.5))
        return [*drawn[:-1], row(drawn[-1], bar).within(width=width).at(0.5)]

    edges = (window.top, window.left, window.bottom, window.right)
    of_lr = (f"lr window {band}", window.on_lr(result.scale))
    tallest = max(height, _LOWEST_WINDOW)
    references: list[tuple[str, Block | None]] = [("LR window", crop(subject.lr, *of_lr, tallest)), ("", None)]
    if subject.hr is not None:
        first_crop = crop(subject.hr, f"hr window {band}", edges, tallest)
        references = [("HR window", first_crop), ("LR window", crop(subject.lr, *of_lr, height))]
    (above_name, reference), (below_name, second) = references
    lr = panel(width, height, f"lr {band}", draw_lr, subject.picture, view)
    heads = [names[number].within(cell, above) for number in numbers]
    crops = [crop(one.sr, f"sr window {one.result.network}", edges, tallest).at(0.5, 0.5) for one in rows]
    numbers_below = [text(look, [values[number] for _, values in table], across=0.5) for number in numbers]
    cells: list[list[Block | None]] = [
        [title(look, above_name).at(down=1), *heads],
        [reference, *crops],
        [title(look, "LR {}×{}".format(*result.lr_size)), title(look, "Attribution map").within(width=0.0)],
        [lr, *shaded("map", maps, bars[0])],
        [title(look, below_name), title(look, "Contribution area").within(width=0.0)],
        [second, *shaded("area", areas, bars[1])],
        [rule(first + len(rows) * (cell + gap)).padded(top=0.1, bottom=0.05).within(width=0.0)],
        [labels, *numbers_below],
    ]
    return grid(cells, across=gap).padded(right=beside)
