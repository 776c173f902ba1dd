"""Maps of a sampled network over several seeds, with causal reach and attention of the same window, on one scale."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

from srlens.attribution.attention_maps import AttentionMaps
from srlens.attribution.seeds import SeedMaps, mean_sram
from srlens.comparison.formats import index, percent
from srlens.comparison.seeds import SeedComparison
from srlens.comparison.subject import Subject
from srlens.errors import SettingError
from srlens.figures.blocks import FULL_WIDTH, Block, column, grid, in_rows, largest, page, panel, paragraph, title
from srlens.figures.caption import remarks
from srlens.figures.checks import check_pictures
from srlens.figures.panels import bar_below, draw_lr, draw_shading, outline
from srlens.figures.scales import MAP_SCALE, common_limit
from srlens.figures.shading import Shading, shading_of
from srlens.figures.style import Look, Style, styled
from srlens.figures.view import View
from srlens.imaging.terms import shown_size
from srlens.trust.reach_result import Reach, reach_in_words

_GAP, _BELOW = 0.25, 0.15  # cm: between columns and rows
_TALLEST = 7.0  # cm
_COLUMNS = 4
_UNIT = "% of the map's mass"


@dataclass(frozen=True, eq=False)
class _Map:
    """A panel.

    Attributes:
        name: its title.
        values: h×w, in percent of a mass.
        told: what is written behind the name.
        reach: radius in LR pixels of the area that is outlined; None: none.
    """

    name: str
    values: NDArray[np.float64]
    told: str = ""
    reach: int | None = None


def seed_comparison_figure(comparison: SeedComparison, **options: Any) -> Figure:
    """:func:`seeds_figure` of all that was measured; options are its own."""
    measured: dict[str, Any] = {"attention": comparison.attention, "reach": comparison.reaches}
    return seeds_figure(comparison.maps, comparison.subject, **{**measured, **options})


def seeds_figure(
    maps: SeedMaps,
    subject: Subject | None = None,
    *,
    attention: Sequence[AttentionMaps] = (),
    reach: Sequence[Reach] = (),
    style: Style = "default",
) -> Figure:
    """Picture the maps of several seeds, 17 cm wide: their mean, where all agree in sign, each, and the attention.

    Args:
        maps: one window, several seeds.
        subject: the LR image; without it there is no picture of it.
        attention: of the same window and network; the mean of their SRAMs is shown.
        reach: of the same window and network, one a seed; it is outlined on the maps, the largest on those of all.
        style: ``"default"``, or ``"paper"`` for the look of Gu & Dong's figures, each map divided by its maximum.

    Raises:
        ImageError: the picture does not have the size that belongs to the results.
        SettingError: an unknown style; attention or reach of another window or size, or another number of reaches.
    """
    first = maps.results[0]
    measured: tuple[AttentionMaps | Reach, ...] = (*attention, *reach)
    for one in measured:
        if (one.window, one.lr_size) != (first.window, first.lr_size):
            what = "attention" if isinstance(one, AttentionMaps) else "reach"
            size = shown_size(first.scale, *one.lr_size)
            raise SettingError(f"The {what} is of {one.window}, {size}; the maps of {first.conditions}.")
    if reach and len(reach) != len(maps.seeds):
        raise SettingError(f"There are {len(reach)} reaches and {len(maps.seeds)} seeds; give one a seed, or none.")
    with styled(style, first.scale) as look:
        lr = subject.picture if subject is not None else None
        check_pictures(maps.results, lr, None, [])
        # All of it: attention is spread over the whole picture.
        view = View(0, 0, *first.lr_size, first.window.on_lr(first.scale), 1.0, whole=True)
        shown = _shown(maps, attention, reach)
        limit = common_limit(one.values for one in shown)
        shaded = {one: shading_of("map", one.values, look, limit, lr, _UNIT) for one in shown}

        _, body = largest(partial(_panels, look, lr, view, shaded), _TALLEST)
        head = title(look, first.network, bold=True, most=FULL_WIDTH)
        return page(look, column(head, body), paragraph(look, _caption(maps, attention, reach, look)))


def _shown(maps: SeedMaps, attention: Sequence[AttentionMaps], reach: Sequence[Reach]) -> list[_Map]:
    mass = np.abs(maps.mean).sum()
    most = max((one.radius for one in reach), default=None)
    shown = [
        _Map("mean of the seeds", _share(maps.mean), reach=most),
        _Map("where all agree in sign", 100 * np.where(maps.stable, maps.mean, 0) / (mass or 1), reach=most),
    ]
    if attention:
        shown.append(_Map("attention (SRAM)", _share(mean_sram(attention)), reach=most))
    for number, (seed, one) in enumerate(zip(maps.seeds, maps.results, strict=True)):
        own = reach[number].radius if reach else None
        told = "" if one.is_zero else f"DI {index(one.diffusion_index)}"
        told += "" if own is None else f", reach {own}"
        shown.append(_Map(f"seed {seed}", _share(one.summed), told.removeprefix(", "), own))
    return shown


def _share(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """In percent of its mass."""
    share: NDArray[np.float64] = 100 * values / (np.abs(values).sum() or 1)
    return share


def _panels(look: Look, lr: Tensor | None, view: View, shaded: Mapping[_Map, Shading], width: float) -> Block:
    """The LR image and the maps, in rows of panels of that width in cm; the scale below."""
    height = width / view.aspect
    shown = []
    if lr is not None:
        drawn = panel(width, height, "lr", draw_lr, lr, view)
        shown.append(column(title(look, f"LR {view.bottom}×{view.right}"), drawn))
    for one, shading in shaded.items():
        drawn = panel(width, height, f"map {one.name}", _draw, shading, view, one.reach)
        words = f"{one.name}: {one.told}" if one.told else one.name
        shown.append(column(title(look, words, most=width), drawn))
    bar = bar_below(look, 2 * width, "map bar", next(iter(shaded.values())))
    return column(grid(in_rows(shown, _COLUMNS), across=_GAP, down=_BELOW), bar, gap=_BELOW)


def _draw(axes: Axes, shading: Shading, view: View, reach: int | None) -> None:
    draw_shading(axes, shading, view, thin=True)
    if reach is not None:
        top, left, bottom, right = view.window
        area = (
            max(math.floor(top) - reach, view.top),
            max(math.floor(left) - reach, view.left),
            min(math.ceil(bottom) + reach, view.bottom),
            min(math.ceil(right) + reach, view.right),
        )
        outline(axes, area, ("white", "black"), dashed=True)


def _caption(maps: SeedMaps, attention: Sequence[AttentionMaps], reach: Sequence[Reach], look: Look) -> str:
    first = maps.results[0]
    indices = [one for one in maps.diffusion_indices if one is not None]
    spread = "" if maps.diffusion_spread is None else f" ± {maps.diffusion_spread:.2f} (standard deviation)"
    share = maps.stable_share
    stable = "" if share is None else f"{percent(share)} of the maps' mass has one sign in all seeds."
    scale = (
        "Maps: absolute value after summing the channels, divided by its maximum."
        if look.normalised
        else "Maps: signed, channels summed, each divided by its mass (the sum of its absolute values); one scale for "
        f"all, a {MAP_SCALE}."
    )
    read = "" if not attention else (
        "Attention: where the window's places look (SRAM, mean over steps, heads, layers and seeds); its rank "
        f"correlation with the mean map is {maps.rank_correlation(attention):.2f}. It is no gradient."
    ).replace("is -", "is −")  # fmt: skip
    sentences = [
        f"{maps.conditions[0].upper()}{maps.conditions[1:]}.",
        f"DI {np.mean(indices):.2f}{spread}." if indices else "",
        stable,
        scale,
        _reaches(reach),
        read,
        remarks(maps.results),
        f"Weights (SHA-256): {first.network_digest[:8]}.",
    ]
    return " ".join(sentence for sentence in sentences if sentence)


def _reaches(reach: Sequence[Reach]) -> str:
    if not reach:
        return ""
    radii = [one.radius for one in reach]
    span = str(radii[0]) if min(radii) == max(radii) else f"{min(radii)} to {max(radii)}"
    several = ", the largest of the seeds on the maps of all" if len(set(radii)) > 1 else ""
    return f"Dashed: the causal reach with each seed's noise, {span} LR pixels{several}. {reach_in_words(reach)}"
