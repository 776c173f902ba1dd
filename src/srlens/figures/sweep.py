"""How stable a claim is: the diffusion index of networks against one setting, and their order."""

import re
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, FuncFormatter, MaxNLocator, NullFormatter, NullLocator

from srlens.attribution.result import Attribution
from srlens.comparison.formats import percent
from srlens.errors import SettingError
from srlens.figures.caption import remarks, weights
from srlens.figures.lines import line_look
from srlens.figures.scales import tick_label
from srlens.figures.sheet import Box, Sheet
from srlens.figures.style import COLUMN_WIDTH, PAGE_WIDTH, TEXT_SIZE, find_look, styled
from srlens.figures.typesetting import shorten, text_height, text_width, wrap

SETTINGS: Mapping[str, str] = {
    "sigma": "σ of the baseline's blur, LR pixels",
    "steps": "steps",
    "window": "side of the window, SR pixels",
    "kernel": "side of the blur kernel, LR pixels",
}
"""The settings that can be swept, as an axis names them."""

_MARGIN, _TITLE = 0.05, 0.45  # cm
_SCALE, _BELOW, _GAP = 1.05, 0.95, 0.55  # cm: numbers and label left of axes and below them; between the panels
_HEIGHT, _PITCH = 5.0, 0.36  # cm: of the axes; between the ranks of many networks
_RANKS = 5.2  # cm: width of the ranks
_NAMES = 3.6  # cm: at most, beside the ranks
_WIDE = 10.0  # ratio of the indices from which on they stand on a logarithmic scale


def sweep_figure(setting: str, values: Sequence[float], results: Mapping[str, Sequence[Attribution]]) -> Figure:
    """Picture a sweep: the index against the setting, and for several networks their ranks beside it.

    One network takes 8.5 cm, several 17 cm.

    Args:
        setting: a key of :data:`SETTINGS`.
        values: of the setting, ascending, in its unit.
        results: for each network's name one result a value.

    Raises:
        SettingError: an unknown setting, no network or value, or another number of results than of values.
    """
    if setting not in SETTINGS:
        raise SettingError(f"No picture of a sweep of {setting!r}; known: {', '.join(SETTINGS)}.")
    if not values or not results or any(len(row) != len(values) for row in results.values()):
        raise SettingError(f"A sweep of {len(values)} values needs that many results of one or more networks.")
    look = find_look("default")
    indices = np.array([[result.diffusion_index for result in row] for row in results.values()])
    ranks = rank_by_index(indices)
    width = PAGE_WIDTH if len(results) > 1 else COLUMN_WIDTH
    with styled(look):
        lines = wrap(_caption(setting, results), width - 2 * _MARGIN, look.font, TEXT_SIZE)
        names = [shorten(name, _NAMES, look.font, TEXT_SIZE)[0] for name in results]
        beside = 0.25 + max(text_width(name, look.font, TEXT_SIZE) for name in names)
        height = max(_HEIGHT, _PITCH * len(results))
        caption_top = _TITLE + height + _BELOW
        sheet = Sheet(width, caption_top + text_height(len(lines), look.font, TEXT_SIZE) + 0.1, look)
        several = len(results) > 1
        right = width - _MARGIN - 0.2 - (beside + _RANKS + _SCALE + _GAP if several else 0)
        box = Box(_SCALE + 0.1, _TITLE, right - _SCALE - 0.1, height)
        first = next(iter(results.values()))[0]
        sheet.title(box.left, box.top, "Diffusion index (LR {}×{})".format(*first.lr_size))
        axes = sheet.axes(box, "indices")
        _draw(axes, setting, values, indices)
        _index_axis(axes, indices)
        if several:
            box = Box(right + _GAP + _SCALE, _TITLE, _RANKS, height)
            sheet.title(box.left, box.top, "Rank by diffusion index")
            axes = sheet.axes(box, "ranks")
            _draw(axes, setting, values, ranks.astype(float))
            _rank_axis(axes, len(results))
            for name, last in zip(names, ranks[:, -1], strict=True):
                down = box.top + box.height * (last - 0.5) / len(results)
                sheet.text(box.right + 0.2, down, name, anchor="center")
        sheet.text(_MARGIN, caption_top, lines)
    return sheet.figure


def rank_by_index(indices: np.ndarray) -> np.ndarray:
    """Rank of each network at each value, 1 the largest index; of equal ones the earlier row comes first."""
    order = np.argsort(-indices, axis=0, kind="stable")
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(1, len(indices) + 1)[:, None], axis=0)
    return ranks


def _draw(axes: Axes, setting: str, values: Sequence[float], rows: np.ndarray) -> None:
    for number, row in enumerate(rows):
        look = line_look(number)
        axes.plot(
            values,
            row,
            color=look.colour,
            marker=look.marker,
            linestyle=look.dashes,
            linewidth=1.0,
            markersize=4.5,
            markeredgecolor="white",
            markeredgewidth=0.4,
            clip_on=False,
            zorder=3,
        )
    if len(values) > 1 and values[0] > 0 and values[-1] / values[0] >= 4:
        axes.set_xscale("log")  # before the ticks, which it resets
    axes.xaxis.set_major_locator(FixedLocator(list(values)))
    axes.xaxis.set_major_formatter(FixedFormatter([tick_label(value) for value in values]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel(SETTINGS[setting], fontsize=TEXT_SIZE, labelpad=2)
    axes.tick_params(labelsize=TEXT_SIZE)
    axes.grid(visible=True, linewidth=0.4, color="0.88")
    axes.spines[["top", "right"]].set_visible(False)


def _index_axis(axes: Axes, indices: np.ndarray) -> None:
    smallest, largest = float(indices.min()), float(indices.max())
    if smallest > 0 and largest / smallest >= _WIDE:
        axes.set_yscale("log")
        axes.set_ylim(smallest / 1.25, largest * 1.25)
        axes.yaxis.set_major_locator(FixedLocator(_round_values(smallest, largest)))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: tick_label(value)))
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.yaxis.set_minor_locator(NullLocator())
    else:
        top = largest * 1.08
        axes.set_ylim(0, top)
        axes.yaxis.set_major_locator(FixedLocator([v for v in MaxNLocator(6).tick_values(0, top) if 0 <= v <= top]))


def _round_values(smallest: float, largest: float) -> list[float]:
    """1, 2 and 5 times the powers of ten within the range."""
    powers = range(int(np.floor(np.log10(smallest))), int(np.ceil(np.log10(largest))) + 1)
    values = [float(f"{factor}e{power}") for power in powers for factor in (1, 2, 5)]
    return [value for value in values if smallest / 1.25 <= value <= largest * 1.25]


def _rank_axis(axes: Axes, networks: int) -> None:
    axes.set_ylim(networks + 0.5, 0.5)
    axes.yaxis.set_major_locator(FixedLocator(range(1, networks + 1)))
    axes.grid(visible=False, axis="x")


def _caption(setting: str, results: Mapping[str, Sequence[Attribution]]) -> str:
    every = [result for row in results.values() for result in row]
    parts = [re.split(r", | (?=\()", result.conditions) for result in every]
    shared = [part for part in parts[0] if all(part in other for other in parts) and not part.endswith(" steps")]
    least, most = min(r.evaluations for r in every), max(r.evaluations for r in every)
    errors = [result.map_error for result in every if result.map_error is not None]
    text = re.sub(r", (?=\()", " ", ", ".join(shared))
    sentences = [
        f"Swept: {SETTINGS[setting]}; all else stays: {text}.",
        "The kernel grows with σ where it must." if setting == "sigma" else "",
        f"Steps: {least}." if least == most else f"Steps: {least} to {most}.",
        f"Map error, estimated: at most {percent(max(errors))}." if errors else "",
        remarks(every),
        weights([row[0] for row in results.values()]),
    ]
    return " ".join(sentence for sentence in sentences if sentence)
