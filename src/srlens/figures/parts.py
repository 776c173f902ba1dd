"""The strip of frames, or the bands of a picture: the map of each on one scale, with its share."""

from collections.abc import Sequence
from functools import partial

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from srlens.attribution.result import Attribution
from srlens.comparison.subject import Subject
from srlens.errors import SettingError
from srlens.figures.blocks import FULL_WIDTH, MARGIN, Block, column, grid, page_of_bands, panel, paragraph, row, text
from srlens.figures.caption import conditions, weights
from srlens.figures.charts import fixed_ticks, line_look, quiet, sample
from srlens.figures.checks import check_pictures
from srlens.figures.panels import bar_beside, draw_crop, draw_shading, outline
from srlens.figures.scales import MAP_SCALE, common_limit
from srlens.figures.shading import Shading, shading_of
from srlens.figures.style import Look, Style, styled
from srlens.figures.view import View, choose_view

_GAP = 0.15  # cm
_SIZES = (1.35, 1.7, 4.0)  # cm: least, comfortable and largest width of a panel
_CHART = 2.4  # cm: height of the chart of shares
_CHARTED = 9  # more parts than these have a chart, in which a share is found sooner than among numbers


def parts_figure(
    results: Attribution | Sequence[Attribution], subject: Subject | None = None, *, style: Style = "default"
) -> Figure:
    """Picture the map of each frame of a clip, or of each band of a picture, 17 cm wide.

    The frames (or bands) stand above their maps; all maps of all networks are on one colour scale; below each is its
    share of the network's map.

    Args:
        results: of one window, by networks of as many frames or bands.
        subject: the clip or picture, where it is at hand.
        style: ``"default"``, or ``"paper"`` for the look of Gu & Dong's figures.

    Raises:
        SettingError: maps of one part alone, or of different numbers of parts; an unknown style.
        ImageError: the picture is not of the maps' size.
    """
    given = [results] if isinstance(results, Attribution) else list(results)
    check_pictures(given, None if subject is None else subject.picture)
    counts = {(result.part, len(result.parts)) for result in given}
    ((part, count), *others) = counts
    if others or count < 2:
        raise SettingError(f"The figure shows maps of as many frames or bands each, at least 2, not {sorted(counts)}.")
    with styled(style, given[0].scale) as look:
        view = choose_view(given)
        limit = common_limit(result.parts for result in given)
        maps = [[shading_of("map", one, look, limit) for one in result.parts] for result in given]
        pictures = None if subject is None else _pictures(subject, part)
        chart = [_chart(look, given)] if count > _CHARTED else []
        words = paragraph(look, _caption(given, view))
        make = partial(_band, look, given, pictures, maps, view)
        return page_of_bands(look, make, count, _SIZES, *chart, words, width=FULL_WIDTH + 2 * MARGIN)


def _pictures(subject: Subject, part: str) -> list[Tensor]:
    return [subject.for_eye(frame) if part == "frame" else frame[None] for frame in subject.lr]


def _band(
    look: Look,
    results: Sequence[Attribution],
    pictures: Sequence[Tensor] | None,
    maps: Sequence[Sequence[Shading]],
    view: View,
    numbers: Sequence[int],
    columns: int,
    width: float,
) -> Block:
    """The parts of these numbers, a column each."""
    part, height = results[0].part, width / view.aspect
    centre = len(results[0].parts) // 2 if part == "frame" else None
    heads = [text(look, f"{part} {k + 1}{'*' * (k == centre)}", bold=True, across=0.5).within(width) for k in numbers]
    cells: list[list[Block | None]] = [list(heads)]
    beside = 0.0
    if pictures is not None:
        cells.append([panel(width, height, f"{part} {k}", _draw_part, pictures[k], view, k == centre) for k in numbers])
    for result, shadings in zip(results, maps, strict=True):
        if len(results) > 1 or numbers[0] == 0:
            cells.append([text(look, result.network, bold=True, most=width * len(numbers)).within(width=0.0)])
        drawn = [panel(width, height, f"map {result.network} {k}", _draw_map, shadings[k], view) for k in numbers]
        bar = bar_beside(look, height, f"map bar {result.network} {numbers[0]}", shadings[0])
        beside = bar.width  # of one scale, so that all are as wide
        cells.append([*drawn[:-1], row(drawn[-1], bar).within(width=width)])
        shares = result.shares or ()
        cells.append([text(look, f"{100 * shares[k]:.1f} %" if shares else "–", across=0.5) for k in numbers])
    # A band that is not full is as wide as the others, so that parts of one size stand below one another.
    room = columns * width + (columns - 1) * _GAP + beside
    # Names begin at the left; everything else stands in the middle of its column.
    placed = [[c if c is None or not c.width else c.at(0.5) for c in line] for line in cells]
    return grid(placed, across=_GAP).within(width=room)


def _draw_part(axes: Axes, image: Tensor, view: View, framed: bool) -> None:
    draw_crop(axes, image, view.edges)
    if framed:
        outline(axes, view.window, ("white", "black"))


def _draw_map(axes: Axes, shading: Shading, view: View) -> None:
    draw_shading(axes, shading, view, thin=True)


def _chart(look: Look, results: Sequence[Attribution]) -> Block:
    """The share of each part as a line a network."""
    left = 0.9  # cm: numbers and the name of the axis

    def draw(axes: Axes) -> None:
        quiet(axes)
        for number, result in enumerate(results):
            shares = result.shares or ()
            axes.plot(range(1, len(shares) + 1), [100 * share for share in shares], **{**line_look(number), "ms": 2.5})
        count = len(results[0].parts)
        axes.set(xlim=(0.5, count + 0.5), ylim=(0, None), ylabel="share, %")
        fixed_ticks(axes.xaxis, sorted({1.0, float(count), *(float(k) for k in range(5, count - 1, 5))}))

    keys = (
        [sample(look, result.network, **line_look(k)) for k, result in enumerate(results)] if len(results) > 1 else []
    )
    name = text(look, f"{results[0].part} (number)", across=0.5).within(width=FULL_WIDTH)
    chart = panel(FULL_WIDTH - left - 0.1, _CHART, "shares", draw).padded(left=left, top=0.15, bottom=0.4)
    return column(row(*keys, gap=0.4), chart, name)


def _caption(results: Sequence[Attribution], view: View) -> str:
    part, count = results[0].part, len(results[0].parts)
    summed = ", channels summed" if part == "frame" else ""
    told = [
        f"The {count} {part}s{' of the clip' if part == 'frame' else ''}, and the map of each{summed}, in units of the "
        f"detector per LR pixel; one colour scale for all, a {MAP_SCALE}.",
        f"Below each map the share of the {part}: the sum of its absolute map over that of all {part}s.",
        "* The centre frame, of whose output the outlined window is explained." if part == "frame" else "",
        ""
        if view.whole
        else f"Shown are LR rows {view.top}–{view.bottom - 1} and columns {view.left}–{view.right - 1}.",
        conditions(results),
        weights(results),
    ]
    return " ".join(sentence for sentence in told if sentence)
