"""Maps of a sampled network over several seeds, beside the attention of the same window, on one scale."""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from srlens.attribution.attention_maps import AttentionMaps
from srlens.attribution.seeds import SeedMaps, mean_sram
from srlens.comparison.subject import Subject
from srlens.errors import SettingError
from srlens.figures.blocks import FULL_WIDTH, Block, column, grid, in_rows, largest, page, panel, paragraph, title
from srlens.figures.caption import remarks
from srlens.figures.checks import check_pictures
from srlens.figures.panels import bar_below, draw_lr, draw_shading
from srlens.figures.scales import MAP_SCALE, common_limit
from srlens.figures.shading import Shading, shading_of
from srlens.figures.style import Look, Style, styled
from srlens.figures.view import View

_GAP, _BELOW = 0.25, 0.15  # cm: between columns and rows
_TALLEST = 7.0  # cm
_COLUMNS = 4
_UNIT = "% of the map's mass"


def seeds_figure(
    maps: SeedMaps, subject: Subject | None = None, *, attention: Sequence[AttentionMaps] = (), style: Style = "default"
) -> Figure:
    """Picture the maps of several seeds, 17 cm wide: their mean, where all agree in sign, each, and the attention.

    Args:
        maps: one window, several seeds.
        subject: the LR image; without it there is no picture of it.
        attention: of the same window and network; the mean of their SRAMs is shown.
        style: ``"default"``, or ``"paper"`` for the look of Gu & Dong's figures, each map divided by its maximum.

    Raises:
        ImageError: the picture does not have the size that belongs to the results.
        SettingError: an unknown style, or attention of another window or size.
    """
    first = maps.results[0]
    for one in attention:
        if (one.window, one.lr_size) != (first.window, first.lr_size):
            raise SettingError(f"The attention is of {one.window}, LR {one.lr_size}; the maps of {first.conditions}.")
    with styled(style) as look:
        lr = subject.picture if subject is not None else None
        check_pictures(maps.results, lr, None, [])
        # All of it: attention is spread over the whole picture.
        view = View(0, 0, *first.lr_size, first.window.on_lr(first.scale), 1.0, whole=True)
        named = {"mean of the seeds": maps.mean, "where all agree in sign": np.where(maps.stable, maps.mean, 0)}
        if attention:
            named["attention (SRAM)"] = mean_sram(attention)
        named |= {f"seed {seed}": one.summed for seed, one in zip(maps.seeds, maps.results, strict=True)}
        mass = float(np.abs(maps.mean).sum())
        shares = {
            name: 100 * values / (mass if name == "where all agree in sign" else np.abs(values).sum())
            for name, values in named.items()
        }
        limit = common_limit(shares.values())
        shaded = {name: shading_of("map", values, look, limit, lr, _UNIT) for name, values in shares.items()}

        _, body = largest(partial(_panels, look, lr, view, shaded), _TALLEST)
        head = title(look, first.network, bold=True, most=FULL_WIDTH)
        return page(look, column(head, body), paragraph(look, _caption(maps, attention, look)))


def _panels(look: Look, lr: Tensor | None, view: View, shaded: Mapping[str, Shading], width: float) -> Block:
    """The LR image and the maps, in rows of panels of that width in cm; the scale below."""
    height = width / view.aspect
    shown = []
    if lr is not None:
        drawn = panel(width, height, "lr", draw_lr, lr, view)
        shown.append(column(title(look, f"LR {view.bottom}×{view.right}"), drawn))
    for name, shading in shaded.items():
        drawn = panel(width, height, f"map {name}", draw_shading, shading, view, thin=True)
        shown.append(column(title(look, name, most=width), drawn))
    bar = bar_below(look, 2 * width, "map bar", next(iter(shaded.values())))
    return column(grid(in_rows(shown, _COLUMNS), across=_GAP, down=_BELOW), bar, gap=_BELOW)


def _caption(maps: SeedMaps, attention: Sequence[AttentionMaps], look: Look) -> str:
    first = maps.results[0]
    indices = [index for index in maps.diffusion_indices if index is not None]
    spread = "" if maps.diffusion_spread is None else f" ± {maps.diffusion_spread:.2f} (standard deviation)"
    stable = (
        "" if maps.stable_share is None else f"{maps.stable_share:.0%} of the maps' mass has one sign in all seeds."
    )
    scale = (
        "Maps: absolute value after summing the channels, divided by its maximum."
        if look.normalised
        else "Maps: signed, channels summed, each divided by its mass (the sum of its absolute values); one scale for "
        f"all, a {MAP_SCALE}."
    )
    read = "" if not attention else (
        "Attention: where the window's places look (SRAM, mean over steps, heads, layers and seeds); its rank "
        f"correlation with the mean map is {maps.rank_correlation(attention):.2f}. It is no gradient."
    )  # fmt: skip
    sentences = [
        f"{maps.conditions[0].upper()}{maps.conditions[1:]}.",
        f"DI {np.mean(indices):.2f}{spread}." if indices else "",
        stable,
        scale,
        read,
        remarks(maps.results),
        f"Weights (SHA-256): {first.network_digest[:8]}.",
    ]
    return " ".join(sentence for sentence in sentences if sentence)
