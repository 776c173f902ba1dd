"""How stable a claim is: the diffusion index of networks against one setting, and their order."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from srlens.comparison.formats import percent
from srlens.comparison.sweep import Sweep
from srlens.errors import SettingError
from srlens.figures.blocks import MARGIN, Block, column, page, panel, paragraph, row, text, title
from srlens.figures.caption import remarks, shared_conditions, weights
from srlens.figures.charts import fixed_ticks, line_look, linear_ticks, log_ticks, quiet
from srlens.figures.style import COLUMN_WIDTH, PAGE_WIDTH, TEXT_SIZE, styled
from srlens.figures.typesetting import distinct
from srlens.imaging.terms import worded

#: The settings that can be swept, as an axis names them.
SETTINGS: Mapping[str, str] = {
    "sigma": "σ of the baseline's blur, LR pixels",
    "steps": "steps",
    "window": "side of the window, SR pixels",
    "kernel": "side of the blur kernel, LR pixels",
}

_SCALE, _BELOW, _GAP = 1.1, 0.75, 0.5  # cm: numbers and label left of axes and below them; between the panels
_HEIGHT, _PITCH = 5.0, 0.36  # cm: of the axes; between the ranks of many networks
_RANKS = 5.2  # cm: width of the ranks
_NAMES = 3.6  # cm: at most, beside the ranks
_WIDE = 10.0  # ratio of the indices from which on they stand on a logarithmic scale


def sweep_figure(sweep: Sweep) -> Figure:
    """Picture a sweep: the index against the setting, and for several networks their ranks beside it.

    One network takes 8.5 cm, several 17 cm.

    Raises:
        SettingError: an unknown setting, no network or value, or networks swept over different values.
    """
    if sweep.setting not in SETTINGS:
        raise SettingError(f"No picture of a sweep of {sweep.setting!r}; known: {', '.join(SETTINGS)}.")
    rows = list(sweep.points.values())
    if not rows or not rows[0] or len({tuple(point.value for point in points) for points in rows}) > 1:
        raise SettingError("A picture of a sweep needs one network or more, all at the same one or more values.")
    with styled(scale=rows[0][0].result.scale) as look:
        indices = np.array([[point.result.diffusion_index for point in points] for points in rows])
        ranks = np.array([[point.rank for point in points] for points in rows])
        page_width = PAGE_WIDTH if len(rows) > 1 else COLUMN_WIDTH
        inside = page_width - 2 * MARGIN
        height = max(_HEIGHT, _PITCH * len(rows))

        def chart(label: str, name: str, width: float, draw: Callable[[Axes], None]) -> Block:
            axes = panel(width, height, label, draw).padded(bottom=_BELOW)
            return column(title(look, name), axes).padded(left=_SCALE)

        blocks, taken = [], _SCALE + 0.2
        if len(rows) > 1:
            last = [name for _, name in sorted(zip(ranks[:, -1], sweep.points, strict=True))]
            apart = distinct(last, _NAMES, look.font, TEXT_SIZE)
            names = [text(look, name, most=_NAMES).at(down=0.5).within(height=height / len(rows)) for name in apart]
            ranked = chart("ranks", "Rank by diffusion index", _RANKS, partial(_draw_ranks, sweep, ranks))
            blocks = [row(ranked, column(*names).padded(top=title(look, "").height), gap=0.2)]
            taken = _SCALE + _GAP + blocks[0].width
        name = "Diffusion index (LR {}×{})".format(*rows[0][0].result.lr_size)
        blocks.insert(0, chart("indices", name, inside - taken, partial(_draw_indices, sweep, indices)))
        return page(look, row(*blocks, gap=_GAP), paragraph(look, _caption(sweep), inside), width=page_width)


def _draw_indices(sweep: Sweep, indices: NDArray[np.float64], axes: Axes) -> None:
    _draw(axes, sweep, indices)
    smallest, largest = float(indices.min()), float(indices.max())
    if smallest > 0 and largest / smallest >= _WIDE:
        axes.set(yscale="log", ylim=(smallest / 1.25, largest * 1.25))
        log_ticks(axes.yaxis, smallest, largest)
    else:
        axes.set_ylim(0, largest * 1.08)
        linear_ticks(axes.yaxis, 0, largest * 1.08, 6)


def _draw_ranks(sweep: Sweep, ranks: NDArray[np.int64], axes: Axes) -> None:
    _draw(axes, sweep, ranks)
    axes.set_ylim(len(ranks) + 0.5, 0.5)
    fixed_ticks(axes.yaxis, range(1, len(ranks) + 1))
    axes.grid(visible=False, axis="x")


def _draw(axes: Axes, sweep: Sweep, rows: NDArray[Any]) -> None:
    quiet(axes)
    style: dict[str, Any] = {"linewidth": 1.0, "markersize": 4.5, "markeredgecolor": "white", "markeredgewidth": 0.4}
    for number, values in enumerate(rows):
        axes.plot(sweep.values, values, clip_on=False, zorder=3, **line_look(number), **style)
    first, last = sweep.values[0], sweep.values[-1]
    if first > 0 and last / first >= 4:
        axes.set_xscale("log")  # before the ticks, which it resets
    fixed_ticks(axes.xaxis, sweep.values)
    scale = next(iter(sweep.points.values()))[0].result.scale
    axes.set_xlabel(worded(SETTINGS[sweep.setting], scale), labelpad=2)


def _caption(sweep: Sweep) -> str:
    every = [point.result for points in sweep.points.values() for point in points]
    least, most = min(r.evaluations for r in every), max(r.evaluations for r in every)
    errors = [result.map_error for result in every if result.map_error is not None]
    sentences = [
        f"Swept: {SETTINGS[sweep.setting]}; all else stays: {shared_conditions(every)}.",
        "The kernel grows with σ where it must." if sweep.setting == "sigma" else "",
        f"Steps: {least}." if least == most else f"Steps: {least} to {most}.",
        f"Map error, estimated: at most {percent(max(errors))}." if errors else "",
        remarks(every),
        weights([points[0].result for points in sweep.points.values()]),
    ]
    return " ".join(sentence for sentence in sentences if sentence)
