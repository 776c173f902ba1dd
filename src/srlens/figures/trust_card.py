"""The trust card: everything that was found of one map, on one printed page."""

from functools import partial
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from srlens.figures.blocks import FULL_WIDTH, Block, column, grid, page, panel, paragraph, row, text, title
from srlens.figures.caption import part_shown, weights
from srlens.figures.charts import fixed_ticks, line_look, linear_ticks, quiet, sample
from srlens.figures.interest import AGREEMENT_COLOURS, draw_matrix
from srlens.figures.panels import bar_below, draw_lr, draw_shading
from srlens.figures.scales import MAP_SCALE, unit_scale
from srlens.figures.shading import Shading, shade
from srlens.figures.style import RULE_COLOUR, TEXT_SIZE, Look, styled
from srlens.figures.typesetting import wrap
from srlens.figures.view import choose_view
from srlens.imaging.terms import worded
from srlens.trust.deletion import DIVERGED, MAP
from srlens.trust.numbers import NUMBERS
from srlens.trust.verification import Verification

_PICTURE = 3.7  # cm: the longer side of the picture and of the map
_LEFT, _BELOW, _GAP, _HEIGHT = 0.75, 0.75, 0.3, 2.8  # cm: labels left of axes and below them; between charts; of axes
_CELL = 0.72, 0.5  # cm: width and height of a cell of the matrix of agreement
_FLOOR = -80.0  # dB: smaller changes of the window are drawn here
_LINE: dict[str, Any] = {"linewidth": 1.0, "markersize": 3.0, "markeredgecolor": "white", "markeredgewidth": 0.3}


def trust_card(found: Verification) -> Figure:
    """Picture a verification, 17 cm wide: map, reach, deletion, randomisation, agreement, and every number in words."""
    result = found.attribution
    with styled(scale=result.scale) as look:
        heading = f"Is it true? {result.method.name} of {result.network}, {result.window}"
        charts = [_reach_chart(look, found), *(_deletion_chart(look, found, fill) for fill in found.deletion.fills)]
        charts.append(_ladder_chart(look, found))
        return page(
            look,
            column(title(look, heading, bold=True, most=FULL_WIDTH), _above(look, found)),
            row(*charts, gap=_GAP),
            _key(look, found),
            _agreement(look, found),
            _numbers(look, found),
            paragraph(look, _caption(found)),
        )


def _above(look: Look, found: Verification) -> Block:
    """Picture, map, and what was found in words."""
    result = found.attribution
    view = choose_view([result])
    height, width = result.lr_size
    parts = []
    lr = None if result.image is None else torch.tensor(result.image)
    if lr is not None:
        high, wide = _PICTURE * height / max(height, width), _PICTURE * width / max(height, width)
        drawn = panel(wide, high, "lr", draw_lr, lr, view)
        parts.append(column(title(look, f"LR {height}×{width}"), drawn))
    (shown,), _, _ = shade([result], lr, look, None)
    wide = min(_PICTURE, _PICTURE * view.aspect)
    drawn = panel(wide, wide / view.aspect, "map", draw_shading, shown, view, thin=True)
    parts.append(column(title(look, "Attribution map"), drawn, bar_below(look, wide, "map bar", shown)))
    room = FULL_WIDTH - sum(part.width + 2 * _GAP for part in parts)
    sentences = [text(look, wrap(words, room, look.font, TEXT_SIZE)) for words in found.words]
    parts.append(column(title(look, "In words"), column(*sentences, gap=0.12)))
    return row(*parts, gap=2 * _GAP)


def _chart(look: Look, count: int, name: str, draw: partial[None]) -> Block:
    width = FULL_WIDTH / count - _LEFT - _GAP
    axes = panel(width, _HEIGHT, name, draw).padded(bottom=_BELOW)
    return column(title(look, name, most=width), axes).padded(left=_LEFT)


def _count(found: Verification) -> int:
    return 2 + len(found.deletion.fills)


def _reach_chart(look: Look, found: Verification) -> Block:
    return _chart(look, _count(found), "Reach: change, dB", partial(_draw_reach, found))


def _draw_reach(found: Verification, axes: Axes) -> None:
    quiet(axes)
    reach = found.reach
    for number, curve in enumerate(reach.curves):
        values = [max(-point.change_db, _FLOOR) for point in curve.farther]
        axes.plot(
            [point.radius for point in curve.farther], values, clip_on=False, zorder=3, **line_look(number), **_LINE
        )
    axes.axhline(-reach.threshold_db, color=RULE_COLOUR, linewidth=0.8, zorder=1)
    axes.axvline(reach.radius, color="black", linewidth=0.8, linestyle=":", zorder=2)
    axes.set_xscale("symlog", base=2, linthresh=1, linscale=0.7)
    last = max(reach.field_radius, 1)
    axes.set_xlim(0, last)
    fixed_ticks(
        axes.xaxis, [r for r in (0, *(2**k for k in range(last.bit_length()))) if r <= last][:: 1 + (last > 40)]
    )
    axes.set_ylim(_FLOOR, 0)
    linear_ticks(axes.yaxis, _FLOOR, 0, 5)
    axes.set_xlabel(worded("farther than r LR px", reach.scale), labelpad=2)


_ORDERS = (MAP, "distance", "contrast", "random")


def _deletion_chart(look: Look, found: Verification, fill: str) -> Block:
    diverges = " (diverges)" if fill in found.deletion.diverged else ""
    return _chart(look, _count(found), f"Deletion by {fill}{diverges}", partial(_draw_deletion, found, fill))


def _draw_deletion(found: Verification, fill: str, axes: Axes) -> None:
    quiet(axes)
    known = {curve.order for curve in found.deletion.fills[fill].curves}
    highest, cut = 1.0, fill in found.deletion.diverged
    for number, order in enumerate(_ORDERS):
        if order in known:
            values = found.deletion.curve(order, fill)
            highest = min(max(highest, float(values.max())), DIVERGED)
            axes.plot(found.deletion.pixels, values, clip_on=cut, zorder=4 - number / 4, **line_look(number), **_LINE)
    axes.set_xscale("log", base=2)
    last = found.deletion.pixels[-1]
    axes.set_xlim(1, last)
    fixed_ticks(axes.xaxis, [4**k for k in range(0, int(np.log(last) / np.log(4)) + 1, 2 if last > 1024 else 1)])
    axes.set_ylim(0, 1.05 * highest)
    linear_ticks(axes.yaxis, 0, highest, 4)
    axes.set_xlabel(worded("LR pixels replaced", found.attribution.scale), labelpad=2)


def _ladder_chart(look: Look, found: Verification) -> Block:
    return _chart(look, _count(found), "Randomised weights", partial(_draw_ladder, found))


def _draw_ladder(found: Verification, axes: Axes) -> None:
    quiet(axes)
    stages = found.randomisation.stages
    for number, name in enumerate(("rank_correlation", "ssim")):
        known = [(100 * s.weights, getattr(s, name)) for s in stages if getattr(s, name) is not None]
        colour = line_look(number)["color"]
        axes.plot(*zip((0.0, 1.0), *known, strict=True), clip_on=False, zorder=3, **line_look(number), **_LINE)
        floor = getattr(found.randomisation.floor, name)
        if floor is not None:
            axes.axhline(floor, color=colour, linewidth=0.8, linestyle=":", zorder=1)
    axes.set_xlim(0, 100)
    fixed_ticks(axes.xaxis, (0, 25, 50, 75, 100))
    lowest = min(0.0, axes.get_ylim()[0])
    axes.set_ylim(lowest, 1.03)
    linear_ticks(axes.yaxis, lowest, 1, 5)
    axes.set_xlabel("% of weights re-drawn", labelpad=2)


def _key(look: Look, found: Verification) -> Block:
    """What the lines are, chart by chart, in as few rows as the width takes."""

    def entry(number: int, words: str) -> Block:
        return sample(look, words, 0.6, **{**line_look(number), "linestyle": "-"}, **{**_LINE, "markevery": [0]})

    floor = sample(look, "floor of each", 0.6, color="0.3", linewidth=0.8, linestyle=":")
    parts = {
        "Reach:": [entry(k, f"{curve.fill} {curve.radius}") for k, curve in enumerate(found.reach.curves)],
        "Randomised:": [entry(0, "rank correlation"), entry(1, "SSIM"), floor],
        "Deletion, order of:": [entry(k, order) for k, order in enumerate(_ORDERS)],
    }
    rows: list[Block] = []
    for name, entries in parts.items():
        part = row(text(look, name, bold=True), *entries, gap=0.3)
        if rows and rows[-1].width + 0.6 + part.width <= FULL_WIDTH - 0.1:
            rows[-1] = row(rows[-1], part, gap=0.6)
        else:
            rows.append(part)
    return column(*rows).padded(left=0.1)


def _agreement(look: Look, found: Verification) -> Block:
    """Rank correlation of every pair of methods, and what interventions say of each."""
    agreed = found.agreement
    count = len(agreed.methods)
    shading = Shading(
        np.ma.masked_invalid(np.where(np.tri(count, k=-1, dtype=bool), agreed.matrix, np.nan)),
        unit_scale(),
        AGREEMENT_COLOURS,
        captions=["rank correlation"],
    )
    wide, high = _CELL

    def lines(words: list[str], across: float = 1.0) -> Block:
        return column(*(text(look, one, across=across).at(across, 0.5).within(height=high) for one in words))

    def numbers(values: tuple[float | None, ...], digits: int) -> list[str]:
        return ["–" if one is None else f"{one:.{digits}f}".replace("-", "−") for one in values]

    columns = [
        ("Method", lines(list(agreed.methods), 0.0)),
        ("Rank correlation", panel(wide * count, high * count, "agreement", draw_matrix, shading)),
        ("DI", lines(numbers(agreed.diffusion_index, 2))),
        ("Deletion gain", lines(numbers(agreed.gain_over_distance, 3))),
        ("Additivity, r", lines(numbers(agreed.infidelity_correlation, 2))),
    ]
    return grid([[title(look, name) for name, _ in columns], [block for _, block in columns]], across=0.5)


def _numbers(look: Look, found: Verification) -> Block:
    columns = [
        text(look, [one.label for one in NUMBERS]),
        text(look, [one.text(found) for one in NUMBERS], bold=True, across=1.0),
        text(look, [one.direction for one in NUMBERS]),
        text(look, [one.meaning for one in NUMBERS]),
    ]
    return row(*columns, gap=(FULL_WIDTH - sum(one.width for one in columns)) / 3)


def _caption(found: Verification) -> str:
    share = 100 * 10 ** (-found.reach.threshold_db / 20)
    result = found.attribution
    return " ".join(
        [
            f"Map: signed, channels summed; the colour scale is a {MAP_SCALE}.",
            *part_shown(choose_view([result]), pictured=result.image is not None),
            f"Reach: everything farther than r replaced; grey line {share:.2g} % of the value range, dotted the causal "
            "reach.",
            "Deletion: root mean square change of the window, 1 where every pixel is replaced; contrast and random "
            "under the first fill alone; gains are areas over the curve of the order of distance, means over octaves "
            "of the number of pixels.",
            "Rank correlations are over the LR pixels where either map is not zero.",
            f"Conditions: {found.conditions}.",
            weights([result]),
        ]
    )
