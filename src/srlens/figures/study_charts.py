"""Charts of a study: quality against diffusion index, its distribution, the receptive field used, textures."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.text import Annotation
from matplotlib.transforms import Bbox
from numpy.typing import NDArray

from srlens.figures.blocks import FULL_WIDTH, column, grid, in_rows, page, panel, row, space, text
from srlens.figures.charts import fixed_ticks, linear_ticks, log_ticks, quiet, sample
from srlens.figures.style import TEXT_SIZE, styled
from srlens.figures.typesetting import wrap
from srlens.imaging.terms import worded

# Okabe and Ito's colours, told apart by the colour-blind; the markers say the same without colour.
KIND_MARKS: Mapping[str, tuple[str, str]] = {
    "convolution": ("#0072B2", "o"),
    "global pooling": ("#E69F00", "s"),
    "non-local": ("#009E73", "D"),
    "transformer": ("#CC79A7", "^"),
    "unknown": ("#777777", "v"),
}
_PITCH, _NAMES = 0.62, 5.5  # cm: between rows; their names at most
_LISTED = 24  # pictures that a key names
# Of names beside their points, in pt, the nearest first: eight directions, and farther off with a line to the point.
_NEAR = (7, 0), (0, 8), (-7, 0), (0, -8), (6, 6), (6, -6), (-6, 6), (-6, -6)
_PLACES = tuple((far * x, far * y) for far in (1, 2, 3, 4, 5.5, 7) for x, y in _NEAR)
_LED = 12  # pt: a name farther off has a line to its point


@dataclass(frozen=True)
class Mark:
    """One network in a chart.

    Attributes:
        label: its name.
        kind: a key of :data:`KIND_MARKS`; anything else is drawn as unknown.
        x: value, and the ends of its interval.
        y: likewise.
    """

    label: str
    kind: str
    x: tuple[float, float, float]
    y: tuple[float, float, float]


@dataclass(frozen=True)
class Reach:
    """What one network uses of its receptive field.

    Attributes:
        label: its name.
        kind: a key of :data:`KIND_MARKS`.
        field: the receptive field, as text.
        share: of it that holds 95 % of the mass, in [0, 1], and the ends of its interval.
        gaussian: the share of a Gaussian effective field: a dotted line.
        random: the share of the same network with random weights: a white diamond; None where it is not known.
    """

    label: str
    kind: str
    field: str
    share: tuple[float, float, float]
    gaussian: float
    random: float | None = None


def scatter_figure(
    marks: Sequence[Mark], *, x_label: str, y_label: str, notes: Sequence[str], scale: int = 4
) -> Figure:
    """Networks by quality (linear) and diffusion index (logarithmic), with intervals and the line of least squares.

    ``scale`` is that of the networks, in whose words labels are written.
    """
    x, y = (np.array([getattr(m, axis)[0] for m in marks]) for axis in "xy")

    def draw(axes: Axes) -> None:
        axes.set_xscale("log")
        if len(marks) > 2 and np.ptp(np.log(x)) > 0:
            slope, start = np.polyfit(np.log(x), y, 1)
            ends = np.array([x.min() * 0.93, x.max() * 1.07])
            axes.plot(ends, slope * np.log(ends) + start, color="0.7", linewidth=1, zorder=1)
        for mark in marks:
            colour, sign = _mark(mark.kind)
            place = mark.x[0], mark.y[0]
            axes.errorbar(*place, _arms(*mark.y), _arms(*mark.x), color=colour, alpha=0.35, linewidth=0.8, zorder=2)
            axes.plot(*place, sign, color=colour, markersize=5, zorder=3)
        axes.set_ylabel(worded(y_label, scale))
        axes.margins(x=0.08, y=0.12)
        log_ticks(axes.xaxis, *axes.get_xlim())
        linear_ticks(axes.yaxis, *axes.get_ylim(), 7)
        _name_points(axes, marks)

    return _chart(draw, 7.2, x_label, [m.kind for m in marks], notes=notes, scale=scale)


def distribution_figure(labels: Sequence[str], kinds: Sequence[str], values: NDArray[np.float64], label: str) -> Figure:
    """One box a network over its windows (K×W), the widest view at the top; quartiles, median, mean (white dot)."""
    order = np.argsort(np.median(values, axis=1))

    def draw(axes: Axes) -> None:
        axes.set_xscale("log")
        for place, k in enumerate(order):
            colour, _ = _mark(kinds[k])
            row = values[k]
            _box(axes, row, place, colour)
            if len(row) <= 200:
                jitter = np.random.default_rng(k).uniform(-0.22, 0.22, len(row))
                axes.plot(row, place + jitter, ".", color="0.2", markersize=1.8, alpha=0.6)
            axes.plot(row.mean(), place, "o", markerfacecolor="white", markeredgecolor="0.2", markersize=4)
        log_ticks(axes.xaxis, *axes.get_xlim())

    return _chart(draw, _PITCH * len(labels) + 0.3, label, kinds, places=[labels[k] for k in order])


def reach_figure(rows: Sequence[Reach], *, scale: int = 4) -> Figure:
    """Share of the receptive field that holds 95 % of the mass, of each network, beside what it is held against.

    ``scale`` is that of the networks, in whose words labels are written.
    """
    ordered = sorted(rows, key=lambda row: row.share[0])

    def draw(axes: Axes) -> None:
        for place, one in enumerate(ordered):
            colour, _ = _mark(one.kind)
            mean, low, high = (100 * value for value in one.share)
            axes.barh(place, 100, color="0.93", height=0.62)
            axes.barh(place, mean, color=colour, alpha=0.75, height=0.62)
            axes.errorbar(mean, place, xerr=_arms(mean, low, high), color="0.2", linewidth=0.9)
            axes.vlines(100 * one.gaussian, place - 0.31, place + 0.31, color="0.2", linewidth=0.9, linestyle="dotted")
            if one.random is not None:
                axes.plot(100 * one.random, place, "D", markerfacecolor="white", markeredgecolor="0.2", markersize=4)
            axes.text(101.5, place, f"{mean:.0f} %", va="center", color="0.2")
        axes.axvline(50, color="0.4", linewidth=0.8, linestyle=(0, (4, 3)))
        axes.set_xlim(0, 112)
        axes.spines["bottom"].set_bounds(0, 100)
        fixed_ticks(axes.xaxis, range(0, 101, 20))

    label = "share of the receptive field within the LR crop that holds 95 % of the map's mass, %"
    places = [f"{one.label} · {one.field}" for one in ordered]
    return _chart(draw, _PITCH * len(rows) + 0.3, label, [one.kind for one in rows], places=places, scale=scale)


def texture_figure(
    panels: Sequence[tuple[str, NDArray[np.float64], str]], index: NDArray[np.float64], pictures: Sequence[str]
) -> Figure:
    """Windows by texture (panels of name, values, note) and by diffusion index, coloured by picture."""
    with styled() as look:
        columns, left = 4, 1.0
        names = sorted(set(pictures))
        palette = _palette(len(names))
        colours = [palette[names.index(picture)] for picture in pictures]
        wide = (FULL_WIDTH - left - (columns - 1) * 0.4) / columns

        def draw(axes: Axes, values: NDArray[np.float64], first: bool) -> None:
            quiet(axes)
            axes.scatter(values, index, c=colours, s=9, linewidths=0)
            axes.set_yscale("log")
            log_ticks(axes.yaxis, *axes.get_ylim())
            linear_ticks(axes.xaxis, *axes.get_xlim(), 3)
            axes.tick_params(labelleft=first)
            axes.set_ylabel("diffusion index" if first else "")

        charts = []
        for number, (name, values, note) in enumerate(panels):
            first = number % columns == 0
            above = text(look, [name, note], across=0.5, most=wide).within(width=wide)
            axes = panel(wide, 3.7, f"texture {name}", draw, values, first)
            charts.append(column(above, axes).padded(left=left if first else 0.0, bottom=0.55))
        entries = [
            sample(look, name, 0, marker="o", color=colour, markersize=3.5)
            for name, colour in zip(names, palette, strict=True)
        ]
        fitting = max(1, int(FULL_WIDTH / (0.3 + max(entry.width for entry in entries))))
        listed = grid(in_rows(entries, fitting), across=0.3) if len(names) <= _LISTED else space()
        below = text(look, "Diffusion index: geometric mean over the networks.")
        return page(look, grid(in_rows(charts, columns), across=0.4), listed, below)


def _chart(
    draw: Callable[[Axes], None],
    height: float,
    x_label: str,
    kinds: Sequence[str],
    *,
    notes: Sequence[str] = (),
    places: Sequence[str] = (),
    scale: int = 4,
) -> Figure:
    """One chart, the key of the kinds of networks to its right; ``places`` are the names of rows, lowest first."""
    with styled(scale=scale) as look:
        present = [kind for kind in KIND_MARKS if kind in {k if k in KIND_MARKS else "unknown" for k in kinds}]
        entries = [sample(look, k, 0, marker=KIND_MARKS[k][1], color=KIND_MARKS[k][0], markersize=5) for k in present]
        key = column(*entries, text(look, notes))
        # Names of rows stand at the middle of equal parts of the height, as the rows do.
        names = [text(look, name, most=_NAMES).at(1, 0.5).within(height=height / len(places)) for name in places[::-1]]
        beside = column(*names).padded(right=0.1) if names else space(1.45)
        wide = FULL_WIDTH - beside.width - key.width - 0.3

        def fill(axes: Axes) -> None:
            quiet(axes)
            draw(axes)
            if places:
                axes.set(yticks=[], ylim=(-0.5, len(places) - 0.5))

        label = (
            text(look, wrap(worded(x_label, scale), wide, look.font, TEXT_SIZE), across=0.5)
            .within(width=wide)
            .padded(top=0.4)
        )
        chart = column(panel(wide, height, "chart", fill), label)
        return page(look, row(beside, chart, key.padded(left=0.3)).padded(top=0.1))


def _box(axes: Axes, values: NDArray[np.float64], place: int, colour: str) -> None:
    """A lying box: quartiles, median, and whiskers from 5 to 95 %."""
    p5, q1, median, q3, p95 = np.quantile(values, [0.05, 0.25, 0.5, 0.75, 0.95])
    half = np.array([0.15, 0.3, 0.15])
    axes.hlines([place, place], [p5, q3], [q1, p95], color="0.2", linewidth=0.8)
    axes.barh(place, q3 - q1, left=q1, height=0.6, color=colour, alpha=0.55, edgecolor="0.2", linewidth=0.5)
    axes.vlines([p5, median, p95], place - half, place + half, color="0.2", linewidth=0.8)


def _arms(value: float, low: float, high: float) -> list[list[float]]:
    """Lengths of an error bar; an interval of few windows may leave its own mean out."""
    below, above = value - low, high - value
    return [[below if below > 0 else 0.0], [above if above > 0 else 0.0]]  # 0 for NaN too


def _mark(kind: str) -> tuple[str, str]:
    return KIND_MARKS.get(kind, KIND_MARKS["unknown"])


def _palette(count: int) -> list[tuple[float, float, float, float]]:
    colours = matplotlib.colormaps["tab20" if count <= 20 else "turbo"]
    return [colours(k if count <= 20 else k / max(1, count - 1)) for k in range(count)]


def _name_points(axes: Axes, marks: Sequence[Mark]) -> None:
    """Names beside the points, each where it covers the fewest points and names and stays within the axes."""
    axes.autoscale_view()  # else the points have no place yet
    figure = axes.get_figure(root=True)
    assert figure is not None
    renderer = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]
    points = axes.transData.transform([(m.x[0], m.y[0]) for m in marks])
    half = 4 / 72 * figure.dpi
    taken = [Bbox.from_bounds(x - half, y - half, 2 * half, 2 * half) for x, y in points]
    for k in np.argsort(-points[:, 1], kind="stable"):
        choices: list[tuple[int, int, Annotation, Bbox]] = []
        for dx, dy in _PLACES:
            name = axes.annotate(
                marks[k].label,
                (marks[k].x[0], marks[k].y[0]),
                xytext=(dx, dy),
                textcoords="offset points",
                ha="left" if dx > 0 else "right" if dx < 0 else "center",
                va="center" if dy == 0 else "bottom" if dy > 0 else "top",
                parse_math=False,
                zorder=5,
                path_effects=[withStroke(linewidth=2, foreground="white")],
            )
            box = name.get_window_extent(renderer).padded(figure.dpi / 72)
            inside = (
                axes.bbox.x0 <= box.x0 and box.x1 <= axes.bbox.x1 and axes.bbox.y0 <= box.y0 <= box.y1 <= axes.bbox.y1
            )
            choices.append((box.count_overlaps(taken) + 3 * (not inside), len(choices), name, box))
            if not choices[-1][0]:
                break
        (_, place, _, box), *others = sorted(choices)
        taken.append(box)
        for *_, name, _ in others:
            name.remove()
        if math.hypot(*_PLACES[place]) > _LED:
            led = {"arrowstyle": "-", "color": "0.5", "linewidth": 0.6, "shrinkA": 0, "shrinkB": 3}
            point = marks[k].x[0], marks[k].y[0]
            axes.annotate("", point, xytext=_PLACES[place], textcoords="offset points", arrowprops=led, zorder=4)
