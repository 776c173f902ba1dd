"""Several networks on one window: a column each, on common colour scales, their numbers below."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from matplotlib.figure import Figure
from torch import Tensor

from srlens.comparison.compare import Comparison
from srlens.figures.area import common_bandwidth
from srlens.figures.blocks import (
    MARGIN,
    Block,
    column,
    grid,
    in_bands,
    page,
    panel,
    paragraph,
    row,
    rule,
    space,
    text,
    title,
)
from srlens.figures.caption import fact_table, map_caption
from srlens.figures.checks import check_pictures
from srlens.figures.panels import Edges, bar_beside, draw_crop, draw_lr, draw_shading
from srlens.figures.shading import Shading, shade
from srlens.figures.style import COLUMN_WIDTH, PAGE_HEIGHT, PAGE_WIDTH, Look, Style, find_look, styled
from srlens.figures.view import View, choose_view
from srlens.measures.density import Bandwidth

_GAP, _WIDEST_GAP = 0.2, 3.0
_WIDEST, _SMALLEST = 5.0, 1.6**2  # cm; cm² a panel: more networks make the figure higher, not the panels smaller
_COMFORTABLE = (1.9, 1.3)  # cm: width and height of a panel that needs no more bands
_LOWEST_WINDOW = 2.2  # cm: the windows of wide images, whose panels are low
_BETWEEN_BANDS = 0.35


@dataclass(frozen=True)
class _Content:
    """All that is drawn."""

    look: Look
    comparison: Comparison
    view: View
    maps: Sequence[Shading]
    areas: Sequence[Shading]
    table: Sequence[tuple[str, Sequence[str]]]
    width: float

    @property
    def tall(self) -> float:
        """Height over width of the maps and the LR image."""
        height, width = self.comparison.rows[0].result.lr_size
        return height / width


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
    look = find_look(style)
    rows, subject = comparison.rows, comparison.subject
    results = [one.result for one in rows]
    check_pictures(results, subject.lr, subject.hr, [one.sr for one in rows])
    view = choose_view(results)
    chosen = bandwidth if bandwidth is not None else common_bandwidth(results)
    maps, areas, used = shade(results, subject.lr, look, chosen)
    width = PAGE_WIDTH if len(rows) > 1 else COLUMN_WIDTH
    content = _Content(look, comparison, view, maps, areas, fact_table(rows), width - 2 * MARGIN)
    with styled(look):
        words = f"First row: the window in the networks' SR images. {map_caption(results, look, view, used)}"
        caption = paragraph(look, words, content.width)
        sizes = ((_SMALLEST / content.tall) ** 0.5, max(_COMFORTABLE[0], _COMFORTABLE[1] / content.tall), _WIDEST)
        height = PAGE_HEIGHT - caption.height - 0.3
        return page(look, width, in_bands(partial(_bands, content), len(rows), content.width, height, sizes), caption)


def _bands(content: _Content, columns: int, panel_width: float) -> Block:
    """Networks in bands of so many columns, each panel of that width."""
    count = len(content.maps)
    bands = [_band(content, range(k, min(k + columns, count)), columns, panel_width) for k in range(0, count, columns)]
    return column(*bands, gap=_BETWEEN_BANDS)


def _band(content: _Content, numbers: range, columns: int, width: float) -> Block:
    look, subject, view = content.look, content.comparison.subject, content.view
    rows = [content.comparison.rows[number] for number in numbers]
    result = rows[0].result
    window, height = result.window, width * content.tall
    ratio = window.width / window.height
    band = numbers.start // columns
    bars = [
        bar_beside(look, height, f"{kind} bar {band}", shadings[0])
        for kind, shadings in (("map", content.maps), ("area", content.areas))
    ]
    beside = max(bar.width for bar in bars)
    labels = text(look, [label for label, _ in content.table]).padded(right=0.1)
    first = max(width, labels.width)
    cell = max(width, text(look, [value for _, values in content.table for value in values]).width)
    gap = max(_GAP, min(_WIDEST_GAP, (content.width - first - columns * cell - beside) / columns))
    # A name may reach half into the gaps beside its column.
    names = [
        title(look, one.result.network or "–", bold=True, across=0.5, most=cell + gap - 0.2, lines=2).at(0.5, 1)
        for one in content.comparison.rows
    ]
    above = max(name.height for name in names)

    def crop(image: Tensor, label: str, edges: Edges, highest: float) -> Block:
        high = min(highest, width / ratio)
        return panel(high * ratio, high, label, partial(draw_crop, image=image, edges=edges))

    def shaded(kind: str, shadings: Sequence[Shading], bar: Block) -> list[Block]:
        """The panels of one row, with the bar to the right of the last."""
        drawn = []
        for number, one in zip(numbers, rows, strict=True):
            draw = partial(draw_shading, shading=shadings[number], view=view, thin=kind == "map")
            drawn.append(panel(width, height, f"{kind} {one.result.network}", draw).at(0.5))
        return [*drawn[:-1], row(drawn[-1], bar).within(width=width).at(0.5)]

    edges = (window.top, window.left, window.bottom, window.right)
    of_lr = (f"lr window {band}", window.on_lr(result.scale))
    tallest = max(height, _LOWEST_WINDOW)
    if subject.hr is not None:
        reference = ("HR window", crop(subject.hr, f"hr window {band}", edges, tallest))
        second = ("LR window", crop(subject.lr, *of_lr, height))
    else:
        reference, second = ("LR window", crop(subject.lr, *of_lr, tallest)), ("", space())
    lr = panel(width, height, f"lr {band}", partial(draw_lr, image=subject.lr, view=view))
    heads = [names[number].within(cell, above) for number in numbers]
    crops = [crop(one.sr, f"sr window {one.result.network}", edges, tallest).at(0.5, 0.5) for one in rows]
    numbers_below = [text(look, [values[number] for _, values in content.table], across=0.5) for number in numbers]
    cells = [
        [title(look, reference[0]).at(down=1), *heads],
        [reference[1].at(down=0.5), *crops],
        [title(look, "LR {}×{}".format(*result.lr_size)), title(look, "Attribution map").within(width=0.0)],
        [lr, *shaded("map", content.maps, bars[0])],
        [title(look, second[0]), title(look, "Contribution area").within(width=0.0)],
        [second[1], *shaded("area", content.areas, bars[1])],
        [rule(first + len(rows) * (cell + gap)).padded(top=0.1, bottom=0.05).within(width=0.0)],
        [labels, *numbers_below],
    ]
    return grid(cells, across=gap).padded(right=beside)
