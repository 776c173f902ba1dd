"""Charts of a study: quality against diffusion index, its distribution, the receptive field used, textures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator
from numpy.typing import NDArray

from srlens.figures.style import PAGE_WIDTH, find_look, styled

# Okabe and Ito's colours, told apart by the colour-blind; the markers say the same without colour.
KIND_MARKS: Mapping[str, tuple[str, str]] = {
    "convolution": ("#0072B2", "o"),
    "global pooling": ("#E69F00", "s"),
    "non-local": ("#009E73", "D"),
    "transformer": ("#CC79A7", "^"),
    "unknown": ("#777777", "v"),
}
_CM = 1 / 2.54
_GRID = "0.9"


@dataclass(frozen=True)
class Mark:
    """One network in a chart.

    Attributes:
        label: its name.
        kind: a key of :data:`KIND_MARKS`; anything else is drawn as unknown.
        x: value, with ``x_low`` and ``x_high`` the ends of its interval.
        y: value, with ``y_low`` and ``y_high`` likewise.
    """

    label: str
    kind: str
    x: float
    x_low: float
    x_high: float
    y: float
    y_low: float
    y_high: float


def scatter_figure(marks: Sequence[Mark], *, x_label: str, y_label: str, notes: Sequence[str]) -> Figure:
    """Networks by quality (linear) and diffusion index (logarithmic), with intervals and the line of least squares."""
    with styled(find_look("default")):
        figure, axes = _axes(PAGE_WIDTH, 8.4)
        x, y = np.array([m.x for m in marks]), np.array([m.y for m in marks])
        axes.set_xscale("log")
        if len(marks) > 2 and np.ptp(np.log(x)) > 0:
            slope, start = np.polyfit(np.log(x), y, 1)
            ends = np.array([x.min() * 0.93, x.max() * 1.07])
            axes.plot(ends, slope * np.log(ends) + start, color="0.7", linewidth=1, zorder=1)
        for mark in marks:
            colour, sign = _mark(mark.kind)
            axes.errorbar(
                mark.x,
                mark.y,
                xerr=_arms(mark.x, mark.x_low, mark.x_high),
                yerr=_arms(mark.y, mark.y_low, mark.y_high),
                color=colour,
                alpha=0.35,
                linewidth=0.8,
                zorder=2,
            )
            axes.plot(mark.x, mark.y, sign, color=colour, markersize=5, zorder=3)
        axes.set_xlabel(x_label)
        axes.set_ylabel(y_label)
        _log_ticks(axes, min(m.x_low for m in marks), max(m.x_high for m in marks))
        axes.margins(x=0.08, y=0.12)
        _kind_legend(axes, [m.kind for m in marks], notes)
        figure.canvas.draw()  # the axes have their place now, which the names need
        _name_points(axes, marks)
        return figure


def distribution_figure(labels: Sequence[str], kinds: Sequence[str], values: NDArray[np.float64], label: str) -> Figure:
    """One box a network over its windows (K×W), the widest view at the top; quartiles, median, mean (white dot)."""
    order = np.argsort(np.median(values, axis=1))
    with styled(find_look("default")):
        figure, axes = _axes(PAGE_WIDTH, 1.6 + 0.62 * len(labels))
        axes.set_xscale("log")
        for place, k in enumerate(order):
            colour, _ = _mark(kinds[k])
            row = values[k]
            _box(axes, row, place, colour)
            if len(row) <= 200:
                jitter = np.random.default_rng(k).uniform(-0.22, 0.22, len(row))
                axes.plot(row, place + jitter, ".", color="0.2", markersize=1.8, alpha=0.6)
            axes.plot(row.mean(), place, "o", markerfacecolor="white", markeredgecolor="0.2", markersize=4)
        axes.set_yticks(range(len(order)), [labels[k] for k in order])
        axes.set_xlabel(label)
        _log_ticks(axes, float(values.min()), float(values.max()))
        axes.grid(axis="y", visible=False)
        _kind_legend(axes, kinds, ())
        return figure


def reach_figure(rows: Sequence[tuple[str, str, str, float, float, float]]) -> Figure:
    """Share of the receptive field that holds 95 % of the mass: (label, kind, receptive field, mean, low, high)."""
    with styled(find_look("default")):
        figure, axes = _axes(PAGE_WIDTH, 1.6 + 0.62 * len(rows))
        ordered = sorted(rows, key=lambda row: row[3])
        for place, (_, kind, _, mean, low, high) in enumerate(ordered):
            colour, _ = _mark(kind)
            axes.barh(place, 100, color="0.93", height=0.62)
            axes.barh(place, 100 * mean, color=colour, alpha=0.75, height=0.62)
            arms = _arms(100 * mean, 100 * low, 100 * high)
            axes.errorbar(100 * mean, place, xerr=arms, color="0.2", linewidth=0.9)
            halo = [withStroke(linewidth=2.5, foreground="0.93")]
            axes.text(
                100 * high + 1.2, place, f"{100 * mean:.0f} %", va="center", color="0.2", path_effects=halo, zorder=4
            )
        axes.set_yticks(range(len(ordered)), [f"{label} · {field}" for label, _, field, _, _, _ in ordered])
        axes.axvline(50, color="0.4", linewidth=0.8, linestyle=(0, (4, 3)))
        axes.set_xlim(0, 100)
        axes.set_xlabel("share of the receptive field within the LR crop that holds 95 % of the map's mass, %")
        axes.grid(axis="y", visible=False)
        _kind_legend(axes, [row[1] for row in rows], ())
        return figure


def texture_figure(
    panels: Sequence[tuple[str, NDArray[np.float64], str]], index: NDArray[np.float64], pictures: Sequence[str]
) -> Figure:
    """Windows by texture (panels of name, values, note) and by diffusion index, coloured by picture."""
    names = sorted(set(pictures))
    with styled(find_look("default")):
        columns = 4
        rows = -(-len(panels) // columns)
        legend_rows = -(-len(names) // 8) if len(names) <= 24 else 0
        height = 0.7 + 4.6 * rows + 0.45 * legend_rows
        figure = Figure(figsize=(PAGE_WIDTH * _CM, height * _CM), layout="constrained")
        FigureCanvasAgg(figure)
        grid = figure.subplots(rows, columns, squeeze=False, sharey=True)
        palette = np.array(_palette(len(names)))
        colours = palette[[names.index(picture) for picture in pictures]]
        for axes, panel in zip(grid.flat, panels, strict=False):
            name, values, note = panel
            axes.scatter(values, index, c=colours, s=9, linewidths=0)
            axes.set_yscale("log")
            axes.set_title(f"{name}\n{note}", fontsize=7)
            _log_ticks(axes, float(index.min()), float(index.max()), of_y=True)
            _quiet(axes)
        for axes in list(grid.flat)[len(panels) :]:
            axes.set_visible(False)
        if legend_rows:
            handles = [
                Line2D([], [], linestyle="", marker="o", color=palette[k], markersize=3.5, label=name)
                for k, name in enumerate(names)
            ]
            figure.legend(handles=handles, loc="outside lower center", ncols=8, frameon=False, handletextpad=0.1)
        figure.supylabel("diffusion index, geometric mean over networks", fontsize=7)
        return figure


def _box(axes: Axes, values: NDArray[np.float64], place: int, colour: str) -> None:
    """A lying box: quartiles, median, and whiskers from 5 to 95 %."""
    p5, q1, median, q3, p95 = np.quantile(values, [0.05, 0.25, 0.5, 0.75, 0.95])
    axes.plot([p5, q1], [place, place], color="0.2", linewidth=0.8)
    axes.plot([q3, p95], [place, place], color="0.2", linewidth=0.8)
    axes.barh(place, q3 - q1, left=q1, height=0.6, color=colour, alpha=0.55, edgecolor="0.2", linewidth=0.5)
    for value, half in ((p5, 0.15), (p95, 0.15), (median, 0.3)):
        axes.plot([value, value], [place - half, place + half], color="0.2", linewidth=0.8)


def _arms(value: float, low: float, high: float) -> list[list[float]]:
    """Lengths of an error bar; an interval of few windows may leave its own mean out."""
    below, above = value - low, high - value
    return [[below if below > 0 else 0.0], [above if above > 0 else 0.0]]  # 0 for NaN too


def _axes(width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width * _CM, height * _CM), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    _quiet(axes)
    return figure, axes


def _quiet(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color=_GRID, linewidth=0.5)
    axes.set_axisbelow(True)


def _mark(kind: str) -> tuple[str, str]:
    return KIND_MARKS.get(kind, KIND_MARKS["unknown"])


def _palette(count: int) -> list[tuple[float, float, float, float]]:
    import matplotlib

    colours = matplotlib.colormaps["tab20" if count <= 20 else "turbo"]
    return [colours(k if count <= 20 else k / max(1, count - 1)) for k in range(count)]


def _log_ticks(axes: Axes, low: float, high: float, *, of_y: bool = False) -> None:
    """Ticks at 1, 2, 5 times powers of ten, as plain numbers."""
    values = [f * 10.0**e for e in range(-4, 4) for f in (1, 2, 5)]
    inside = [v for v in values if low * 0.8 <= v <= high * 1.25]
    axis = axes.yaxis if of_y else axes.xaxis
    axis.set_major_locator(FixedLocator(inside))
    axis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
    axis.set_minor_locator(NullLocator())
    axis.set_minor_formatter(NullFormatter())


def _name_points(axes: Axes, marks: Sequence[Mark]) -> None:
    """Names beside the points, each at the first of eight places where it covers no point and no other name."""
    canvas = FigureCanvasAgg(axes.get_figure(root=True))
    renderer = canvas.get_renderer()  # type: ignore[no-untyped-call]
    points = axes.transData.transform([(m.x, m.y) for m in marks])
    taken = [(px - 5, py - 5, px + 5, py + 5) for px, py in points * 1.0]
    scale = axes.figure.dpi / 72
    places = [(7, 0), (0, 9), (-7, 0), (0, -9), (6, 7), (6, -7), (-6, 7), (-6, -7), (12, 14), (12, -14)]
    for mark, (px, py) in sorted(zip(marks, points, strict=True), key=lambda pair: -pair[1][1]):
        best = None
        for dx, dy in places:
            text = axes.annotate(
                mark.label,
                (mark.x, mark.y),
                xytext=(dx, dy),
                textcoords="offset points",
                ha="left" if dx > 0 else "right" if dx < 0 else "center",
                va="center" if dy == 0 else "bottom" if dy > 0 else "top",
                parse_math=False,
                path_effects=[withStroke(linewidth=2, foreground="white")],
            )
            box = text.get_window_extent(renderer)
            extent = (box.x0 - scale, box.y0 - scale, box.x1 + scale, box.y1 + scale)
            if best is not None:
                best.remove()
            best = text
            if not any(_touch(extent, other) for other in taken if not _is_own(other, px, py)):
                break
        taken.append(extent)


def _is_own(box: tuple[float, ...], x: float, y: float) -> bool:
    return abs((box[0] + box[2]) / 2 - x) < 1e-6 and abs((box[1] + box[3]) / 2 - y) < 1e-6


def _touch(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _kind_legend(axes: Axes, kinds: Sequence[str], notes: Sequence[str]) -> None:
    present = [kind for kind in KIND_MARKS if kind in {k if k in KIND_MARKS else "unknown" for k in kinds}]
    handles = [
        Line2D([], [], linestyle="", marker=KIND_MARKS[kind][1], color=KIND_MARKS[kind][0], markersize=5, label=kind)
        for kind in present
    ]
    handles += [Line2D([], [], linestyle="", label=note) for note in notes]
    axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False, borderaxespad=0)
