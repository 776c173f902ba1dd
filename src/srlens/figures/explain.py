"""One network explained: image, window, attribution map, contribution area, numbers, settings."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure
from torch import Tensor

from srlens.attribution.result import Attribution
from srlens.comparison.row import Row
from srlens.figures.area import percent_density
from srlens.figures.caption import Fact, bandwidth_text, conditions, facts, reading, remarks, weights
from srlens.figures.checks import check_rows
from srlens.figures.panels import draw_area, draw_bar, draw_crop, draw_lr, draw_map
from srlens.figures.scales import bar_labels, common_limit
from srlens.figures.sheet import LIST_PITCH, Box, Sheet
from srlens.figures.style import PAGE_WIDTH, TEXT_SIZE, TITLE_SIZE, Look, Style, find_look, styled
from srlens.figures.typesetting import fitting, shorten, text_height, text_width, wrap
from srlens.figures.view import choose_view
from srlens.measures.density import Bandwidth

_MARGIN = 0.05
_GAP = 0.35
_TITLE = 0.42
_BAR = 1.1  # colour bar with numbers and label
_INSET = 0.3  # of colour bars: the numbers at their ends stand out by half their width
_TALLEST = 10.0  # cm a panel
_COMFORTABLE = 3.0  # cm: panels that are lower than this are put into fewer columns
_WINDOW_ROW = 3.2  # cm: height of the windows where they have a row of their own
_NARROWEST = 2.0  # cm: room for the title of a window or of the LR image
_WIDEST_WINDOW = 5.0  # cm: beside tall images
_NARROWEST_MAP = 2.65  # cm: room for the title of a map or area, and for the numbers of its colour bar


@dataclass(frozen=True)
class _Arrangement:
    """Where the panels stand, in cm."""

    lr: Box
    sr: Box
    hr: Box | None
    map: Box
    area: Box
    facts: Box
    """Left, top and width hold; the height follows from the text."""
    bottom: float


def explain_figure(
    result: Attribution,
    lr: Tensor,
    sr: Tensor,
    hr: Tensor | None = None,
    *,
    psnr: float | None = None,
    psnr_image: float | None = None,
    style: Style = "default",
    bandwidth: float | Bandwidth | None = None,
) -> Figure:
    """Picture one network's attribution, 17 cm wide, with every setting below.

    Args:
        result: what to show.
        lr: the LR image, C×h×w in [0, 1].
        sr: the network's output, C×sh×sw in [0, 1].
        hr: the HR image, of the same size, if it is known.
        psnr: of the window in dB, where HR is known.
        psnr_image: of the whole image in dB.
        style: ``"default"``, or ``"paper"`` for the look of Gu & Dong's figures.
        bandwidth: of the contribution area; see :func:`srlens.measures.density.contribution_density`.

    Raises:
        ImageError: an image does not have the size that belongs to the result.
        SettingError: an unknown style, or a bandwidth that is not above 0.
    """
    look = find_look(style)
    row = Row(result, sr, psnr, psnr_image)
    check_rows([row], lr, hr)
    density, used = percent_density(result, bandwidth)
    view = choose_view([result])
    known = [fact for fact in facts(row.measurable) if fact.value != "–"]
    caption = " ".join(
        [
            conditions([result]),
            reading(look, view, bandwidth_text(used, shared=False)),
            remarks([result]),
            weights([result]),
        ]
    )
    with styled(look):
        place = _arrange(result, with_hr=hr is not None)
        lines = wrap(caption, PAGE_WIDTH - 2 * _MARGIN, look.font, TEXT_SIZE)
        caption_top = max(place.bottom, place.facts.top + _facts_height(known, place.facts.width, look)) + 0.2
        sheet = Sheet(PAGE_WIDTH, caption_top + text_height(len(lines), look.font, TEXT_SIZE) + 0.1, look)
        sheet.title(_MARGIN, _TITLE, shorten(result.network, PAGE_WIDTH, look.font, TITLE_SIZE, bold=True), bold=True)
        _title(sheet, place.lr, f"LR {result.lr_size[0]}×{result.lr_size[1]}")
        draw_lr(sheet.axes(place.lr, "lr"), lr, result, view)
        window = result.window
        edges = (float(window.top), float(window.left), float(window.bottom), float(window.right))
        _title(sheet, place.sr, "SR window")
        draw_crop(sheet.axes(place.sr.fitted(window.width / window.height, top=True), "sr window"), sr, edges)
        if hr is not None and place.hr is not None:
            _title(sheet, place.hr, "HR window")
            draw_crop(sheet.axes(place.hr.fitted(window.width / window.height, top=True), "hr window"), hr, edges)
        _title(sheet, place.map, "Attribution map")
        limit = common_limit([result.map.sum(axis=0)])
        map_bar = draw_map(sheet.axes(place.map, "map"), result, lr, look, view, limit)
        _title(sheet, place.area, "Contribution area")
        area_bar = draw_area(sheet.axes(place.area, "area"), density, result, lr, look, view, float(density.max()))
        for box, bar, name in ((place.map, map_bar, "map"), (place.area, area_bar, "area")):
            length = max(box.width, _NARROWEST_MAP)
            below = Box(box.left + _INSET, box.bottom + 0.15, length - 2 * _INSET, 0.22)
            label = fitting(bar_labels(name, normalised=look.normalised), length, look.font, TEXT_SIZE)
            draw_bar(sheet.axes(below, f"{name} bar"), bar, label, "horizontal")
        _place_facts(sheet, known, place.facts)
        sheet.text(_MARGIN, caption_top, lines)
    return sheet.figure


def _arrange(result: Attribution, *, with_hr: bool) -> _Arrangement:
    """Beside each other if that leaves comfortable panels, else in two columns, else in one."""
    image = result.lr_size[1] / result.lr_size[0]
    window = result.window.width / result.window.height
    choices = [arrange(image, window, with_hr) for arrange in (_in_a_row, _in_two_columns, _in_one_column)]
    return next(
        (choice for choice in choices if choice.map.height >= _COMFORTABLE),
        max(choices, key=lambda choice: choice.map.height),
    )


def _in_a_row(image: float, window: float, with_hr: bool) -> _Arrangement:
    available = PAGE_WIDTH - 2 * _MARGIN
    # 3 panels and the windows' column, as wide as they come: the largest height that fits.
    height = _TALLEST
    while height > 0.2 and _row_width(height, image, window, with_hr) > available - 3 * _GAP:
        height -= 0.01
    width, column = image * height, _windows_width(height, window, with_hr)
    cell = max(width, _NARROWEST_MAP)
    gap = (available - _row_width(height, image, window, with_hr)) / 3
    top = 2 * _TITLE
    lr = Box(_MARGIN, top, width, height)
    each = (height - _TITLE) / 2 if with_hr else height
    sr = Box(lr.left + max(width, _NARROWEST) + gap, top, column, each)
    hr = Box(sr.left, sr.bottom + _TITLE, column, each) if with_hr else None
    attribution = Box(sr.right + gap, top, width, height)
    area = Box(attribution.left + cell + gap, top, width, height)
    numbers = Box(_MARGIN, lr.bottom + 0.15, sr.right - _MARGIN, 0)
    return _Arrangement(lr, sr, hr, attribution, area, numbers, lr.bottom + _BAR)


def _row_width(height: float, image: float, window: float, with_hr: bool) -> float:
    width = image * height
    return max(width, _NARROWEST) + 2 * max(width, _NARROWEST_MAP) + _windows_width(height, window, with_hr)


def _windows_width(height: float, window: float, with_hr: bool) -> float:
    return max(_NARROWEST, min(_WIDEST_WINDOW, window * ((height - _TITLE) / 2 if with_hr else height)))


def _in_two_columns(image: float, window: float, with_hr: bool) -> _Arrangement:
    width = min((PAGE_WIDTH - 2 * _MARGIN - _GAP) / 2, _TALLEST * image)
    height = width / image
    second = _MARGIN + width + _GAP
    lr = Box(_MARGIN, 2 * _TITLE, width, height)
    sr, hr = _side_by_side(Box(second, lr.top, width, height), window, with_hr)
    attribution = Box(_MARGIN, lr.bottom + 0.1 + _TITLE, width, height)
    area = Box(second, attribution.top, width, height)
    numbers = Box(_MARGIN, area.bottom + _BAR + 0.1, PAGE_WIDTH - 2 * _MARGIN, 0)
    return _Arrangement(lr, sr, hr, attribution, area, numbers, numbers.top)


def _in_one_column(image: float, window: float, with_hr: bool) -> _Arrangement:
    width = PAGE_WIDTH - 2 * _MARGIN
    height = min(width / image, 4.5)
    width = height * image
    sr, hr = _side_by_side(Box(_MARGIN, 2 * _TITLE, width, _WINDOW_ROW), window, with_hr)
    lr = Box(_MARGIN, sr.bottom + 0.1 + _TITLE, width, height)
    attribution = Box(_MARGIN, lr.bottom + 0.1 + _TITLE, width, height)
    area = Box(_MARGIN, attribution.bottom + _BAR + 0.1 + _TITLE, width, height)
    numbers = Box(_MARGIN, area.bottom + _BAR + 0.1, PAGE_WIDTH - 2 * _MARGIN, 0)
    return _Arrangement(lr, sr, hr, attribution, area, numbers, numbers.top)


def _side_by_side(cell: Box, window: float, with_hr: bool) -> tuple[Box, Box | None]:
    """The windows at the left of a cell, beside each other."""
    room = (cell.width - _GAP) / 2 if with_hr else cell.width
    column = max(_NARROWEST, min(cell.height * window, room))
    sr = Box(cell.left, cell.top, column, cell.height)
    return sr, Box(sr.right + _GAP, cell.top, column, cell.height) if with_hr else None


def _title(sheet: Sheet, box: Box, text: str) -> None:
    sheet.title(box.left, box.top, text)


@dataclass(frozen=True)
class _Column:
    """Facts below one another; widths of their labels and values in cm, with the space behind them."""

    facts: Sequence[Fact]
    labels: float
    values: float


def _columns(known: Sequence[Fact], width: float, look: Look) -> list[_Column]:
    """The facts in as few lines as a block of this width allows."""
    for lines in range(1, len(known) + 1):
        columns = []
        for part in (known[start : start + lines] for start in range(0, len(known), lines)):
            labels = max(text_width(fact.label, look.font, TEXT_SIZE) for fact in part) + 0.1
            values = max(text_width(fact.value, look.font, TEXT_SIZE, bold=True) for fact in part) + 0.25
            columns.append(_Column(part, labels, values))
        if sum(column.labels + column.values for column in columns) - 0.25 <= width:
            break
    return columns


def _facts_height(known: Sequence[Fact], width: float, look: Look) -> float:
    return len(_columns(known, width, look)[0].facts) * LIST_PITCH


def _place_facts(sheet: Sheet, known: Sequence[Fact], block: Box) -> None:
    left = block.left
    for column in _columns(known, block.width, sheet.look):
        sheet.list(left, block.top, [fact.label for fact in column.facts])
        sheet.list(left + column.labels, block.top, [fact.value for fact in column.facts], bold=True)
        left += column.labels + column.values
