"""Fields of view on one scale: what a network could see, sees on average, and used at one hard window."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, LogNorm
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FixedLocator, NullFormatter

from srlens.comparison.field_of_view import FieldOfView
from srlens.errors import SettingError
from srlens.figures.blocks import Block, column, grid, page_of_bands, panel, paragraph, row, text, titles
from srlens.figures.caption import conditions, weights
from srlens.figures.charts import BLUE, VERMILION, sample
from srlens.figures.panels import bar_below, draw_shading
from srlens.figures.shading import Shading
from srlens.figures.style import FRAME_COLOUR, Look, styled
from srlens.trust.reach_result import reach_in_words

_GAP = 0.3  # cm
_NARROWEST, _COMFORTABLE, _WIDEST = 2.4, 2.5, 4.4  # cm: panels
_DECADES = 4  # of the colour scale
_SHARE_DASHES: Mapping[float, str] = {0.5: "-", 0.9: "--", 0.95: ":"}
_COLOURS = LinearSegmentedColormap.from_list(
    "faint-grey", matplotlib.colormaps["Greys"](np.linspace(0, 0.9, 256)).tolist()
)


def field_of_view_figure(fields: Sequence[FieldOfView]) -> Figure:
    """Put fields of view side by side, 17 cm wide, all on one scale of lengths and one of colours.

    Args:
        fields: one a network, all of one LR size.

    Raises:
        SettingError: no network, or networks on images of different sizes.
    """
    if not fields or len({field.side for field in fields}) > 1:
        raise SettingError("A picture of fields of view needs one network or more, all on LR images of one size.")
    with styled(scale=fields[0].network.scale) as look:
        peak = max(float(field.effective.map.max()) for field in fields) * 100
        lowest = peak / 10**_DECADES  # what lies below the scale counts as its end
        norm = LogNorm(lowest, peak)
        values = [np.maximum(100 * field.effective.map.numpy(), lowest) for field in fields]
        shadings = [Shading(each, norm, _COLOURS, captions=["% of the gradient, logarithmic"]) for each in values]
        key, caption = _key(look, shadings[0]), paragraph(look, _caption(fields))
        sizes = (_NARROWEST, _COMFORTABLE, _WIDEST)
        return page_of_bands(look, partial(_band, look, fields, shadings), len(fields), sizes, key, caption)


def _band(
    look: Look, fields: Sequence[FieldOfView], shadings: Sequence[Shading], numbers: Sequence[int], _: int, width: float
) -> Block:
    """The networks of these numbers: panels of that width, what is measured below."""
    drawn = [(fields[number], shadings[number]) for number in numbers]
    names = titles(look, [field.network.name for field in fields], bold=True, most=width)
    facts = [_facts(field) for field, _ in drawn]
    cells: list[list[Block | None]] = [
        [None, *(names[number] for number in numbers)],
        [None, *(text(look, f"RF {f.network.receptive_field}", most=width).padded(bottom=0.06) for f, _ in drawn)],
        [None, *(panel(width, width, f"field of view {f.network.name}", _draw, f, shading) for f, shading in drawn)],
        [
            text(look, list(facts[0])).padded(top=0.12, right=0.15 - _GAP),
            *(text(look, list(own.values()), across=0.5).padded(top=0.12) for own in facts),
        ],
    ]
    return grid(cells, across=_GAP)


def _facts(field: FieldOfView) -> dict[str, str]:
    effective, share, reach = field.effective, field.lam_share, field.explained.reach
    support = "×".join(map(str, field.support_size))
    return {
        "Support, LR pixels": "whole image" if field.support.is_whole_image else support,
        "Effective σ": "–" if effective.sigma == float("inf") else f"{effective.sigma:.1f}",
        "Radii 50/90/95 %": "/".join(f"{radius:.1f}" for radius in effective.radii.values()),
        "Map, 95 % area": f"{field.lam_area:.0f}",
        "Map, 95 % radius": f"{field.lam_radius:.1f}",
        "95 % area / RF": "–" if share is None else f"{100 * share:.0f} %",
        "Causal reach": "–" if reach is None else f"{reach.radius}",
        f"DI (LR {field.side}×{field.side})": f"{field.attribution.diffusion_index:.2f}",
    }


def _draw(axes: Axes, field: FieldOfView, shading: Shading) -> None:
    draw_shading(axes, shading)
    top, left, bottom, right = field.effective.window.on_lr(field.effective.scale)
    y, x = (top + bottom) / 2, (left + right) / 2
    side = field.network.receptive_field.true
    halo = [withStroke(linewidth=2.2, foreground="white")]
    line: dict[str, Any] = {"fill": False, "linewidth": 1.0, "path_effects": halo}
    if side is not None:
        axes.add_patch(Rectangle((x - side / 2, y - side / 2), side, side, edgecolor="black", **line))
    top, left, bottom, right = field.support.bounds
    corner, size = (left + 0.3, top + 0.3), (right - left - 0.6, bottom - top - 0.6)
    axes.add_patch(Rectangle(corner, *size, edgecolor="black", linestyle=":", **line))
    # The discs count from pixel centre to pixel centre; drawn to the pixels' edges, or the smallest would vanish.
    axes.add_patch(Circle((x, y), field.lam_radius + 0.5, edgecolor=VERMILION, **{**line, "linewidth": 1.3}))
    for share, radius in field.effective.radii.items():
        axes.add_patch(Circle((x, y), radius + 0.5, edgecolor=BLUE, linestyle=_SHARE_DASHES.get(share, "-."), **line))
    # Ticks every 10 LR pixels without numbers, so that panels can be measured.
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(FixedLocator(range(0, field.side + 1, 10)))
        axis.set_major_formatter(NullFormatter())
    axes.tick_params(length=2, color=FRAME_COLOUR)


def _key(look: Look, shading: Shading) -> Block:
    """The colour bar on the left, the lines' meanings in two columns right of it."""
    bar = bar_below(look, 5.0, "field of view bar", shading)
    lines = [("theoretical receptive field", "black", "-"), ("measured support", "black", ":")]
    lines += [("95 % of the attribution map", VERMILION, "-")]
    shares = [(f"{share * 100:.0f} % of the effective field", BLUE, dashes) for share, dashes in _SHARE_DASHES.items()]
    entries = [
        column(*(sample(look, words, color=colour, linestyle=dashes, linewidth=1.2) for words, colour, dashes in part))
        for part in (lines, shares)
    ]
    return row(bar, *entries, gap=0.6)


def _caption(fields: Sequence[FieldOfView]) -> str:
    first, maps = fields[0], [field.attribution for field in fields]
    return (
        f"Grey: mean gradient magnitude of the central SR pixels over the LR image of {first.side}×{first.side} "
        "pixels, one scale of colours and lengths for all (ticks every 10 LR pixels). A receptive field without a "
        "black square is global, unknown or wider than the panel; the circle of the attribution map is that of a hard "
        f"window, moved to the centre. Effective fields are means over {first.effective.images} places, supports over "
        f"{first.support.draws} random images. Attribution maps: {conditions(maps)} {weights(maps)} "
        + reach_in_words(field.explained.reach for field in fields)
    ).rstrip()
