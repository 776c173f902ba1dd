"""How much context a window needs: what changes when everything farther, or nearer, than a radius is replaced."""

from collections.abc import Callable
from functools import partial
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from srlens.figures.blocks import FULL_WIDTH, Block, column, page, panel, paragraph, row, title
from srlens.figures.charts import fixed_ticks, line_look, linear_ticks, quiet, sample
from srlens.figures.style import RULE_COLOUR, Look, styled
from srlens.imaging.terms import worded
from srlens.trust.reach_result import Reach, ReachCurve, ReachPoint

_LEFT, _BELOW, _GAP, _HEIGHT = 0.85, 0.75, 0.35, 4.2  # cm: labels left of axes and below them; between panels; of axes
_FLOOR = -80.0  # dB: smaller changes stand here, a hundredth of a grey level of 8 bits being −88 dB
_LINE: dict[str, Any] = {"linewidth": 1.0, "markersize": 3.5, "markeredgecolor": "white", "markeredgewidth": 0.3}

Quantity = Callable[[ReachPoint], float | None]


def reach_figure(reach: Reach) -> Figure:
    """Picture a reach, 17 cm wide: the window's change, the detector's share and the change of PSNR, by radius.

    Solid: everything farther than the radius is replaced; dashed: everything nearer, where that was done.
    """
    with styled(scale=reach.scale) as look:
        drawn: list[tuple[str, Quantity, bool]] = [
            ("Change of the window, dB", lambda point: max(-point.change_db, _FLOOR), True),
            ("Share of the detector's change", lambda point: point.detector_share, False),
        ]
        if reach.psnr is not None:
            drawn.append(("Change of its PSNR, dB", lambda point: point.psnr_change, False))
        width = FULL_WIDTH / len(drawn) - _LEFT - _GAP
        blocks = []
        for name, of, bounded in drawn:
            axes = panel(width, _HEIGHT, name, partial(_draw, reach, of, bounded=bounded)).padded(bottom=_BELOW)
            blocks.append(column(title(look, name), axes).padded(left=_LEFT))
        body = column(title(look, reach.network, bold=True, most=FULL_WIDTH), row(*blocks, gap=_GAP))
        return page(look, body, _key(look, reach), paragraph(look, _caption(reach)))


def _draw(reach: Reach, of: Quantity, axes: Axes, *, bounded: bool) -> None:
    quiet(axes)
    values: list[float] = [0.0]
    for number, curve in enumerate(reach.curves):
        for points, dashes in ((curve.farther, "-"), (curve.nearer, "--")):
            known = [(point.radius, value) for point in points if (value := of(point)) is not None]
            if known:
                style = {**line_look(number), "linestyle": dashes}
                axes.plot(*zip(*known, strict=True), clip_on=False, zorder=3, **style, **_LINE)
                values += [value for _, value in known]
    radii = sorted({point.radius for curve in reach.curves for point in curve.farther if _is_tick(point, reach)})
    axes.set_xscale("symlog", base=2, linthresh=1, linscale=0.7)
    axes.set_xlim(0, max(radii[-1], 1))
    fixed_ticks(axes.xaxis, radii)
    axes.set_xlabel(worded("r, LR pixels", reach.scale), labelpad=2)
    if bounded:
        axes.set_ylim(_FLOOR, 0)
        linear_ticks(axes.yaxis, _FLOOR, 0, 5)
        axes.axhline(-reach.threshold_db, color=RULE_COLOUR, linewidth=0.8, zorder=1)
    else:
        axes.axhline(0, color=RULE_COLOUR, linewidth=0.8, zorder=1)
        low, high = min(values), max(values)
        axes.set_ylim(low - 0.05 * (high - low or 1), high + 0.05 * (high - low or 1))
        linear_ticks(axes.yaxis, low, high, 5)
    axes.axvline(reach.radius, color="black", linewidth=0.8, linestyle=":", zorder=2)


def _is_tick(point: ReachPoint, reach: Reach) -> bool:
    """The radii of the coarse search, and the last where the numbers stand apart."""
    if point.radius == reach.field_radius:
        return True
    return point.radius & (point.radius - 1) == 0 and point.radius <= 0.72 * reach.field_radius


def _key(look: Look, reach: Reach) -> Block:
    def entry(number: int, curve: ReachCurve) -> Block:
        words = f"{curve.fill}: reach {curve.radius}"
        return sample(look, words, **{**line_look(number), "linestyle": "-"}, **{**_LINE, "markevery": [0]})

    fills = [entry(number, curve) for number, curve in enumerate(reach.curves)]
    how = [sample(look, "farther than r replaced", color="0.3", linewidth=1.0)]
    if any(curve.nearer for curve in reach.curves):
        how.append(sample(look, "r and nearer replaced", color="0.3", linewidth=1.0, linestyle="--"))
    how.append(sample(look, "causal reach", color="black", linewidth=0.8, linestyle=":"))
    return column(row(*fills, gap=0.5), row(*how, gap=0.5)).padded(left=0.1)


def _caption(reach: Reach) -> str:
    level = f"{reach.threshold_db:g} dB"
    sentences = [
        f"Causal reach: {reach.radius} LR pixels{' (the whole image)' if reach.whole_image else ''}, the smallest r "
        f"from which on replacing everything farther changes the window by less than {level} under every fill.",
        "Change of the window: 20 log₁₀ of the root mean square difference of its SR pixels on [0, 1]; what is below "
        f"−{-_FLOOR:g} dB is drawn there; the grey line is the threshold.",
        f"Share of the detector's change ({reach.detector}): of what it loses when everything is replaced.",
        "" if reach.monotone else "A fill's change does not fall with r: smaller radii stay below the threshold too.",
        f"Conditions: {reach.conditions}; {reach.passes} evaluations, {reach.evaluation}.",
        f"Weights (SHA-256): {reach.network_digest[:8]}.",
    ]
    return " ".join(sentence for sentence in sentences if sentence)
