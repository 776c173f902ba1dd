"""Several methods' maps of one network at one window, on one scale, with a table of their numbers."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from matplotlib.figure import Figure

from srlens.comparison.compare_methods import MethodComparison
from srlens.figures.blocks import (
    FULL_WIDTH,
    Block,
    column,
    grid,
    in_rows,
    largest,
    page,
    panel,
    paragraph,
    row,
    text,
    title,
)
from srlens.figures.caption import part_shown, remarks
from srlens.figures.checks import check_pictures
from srlens.figures.panels import bar_below, draw_crop, draw_lr, draw_shading
from srlens.figures.scales import MAP_SCALE, common_limit
from srlens.figures.shading import Shading, shading_of, uncertain_blocks
from srlens.figures.style import Look, Style, styled
from srlens.figures.view import View, choose_view
from srlens.imaging.degrade import psnr_channels
from srlens.imaging.terms import shown_size

_GAP, _BELOW = 0.25, 0.15  # cm: between columns and rows
_TALLEST = 7.0  # cm
_WINDOW, _WIDEST_WINDOW = 2.0, 3.6  # cm: height and width of the windows at most
_COLUMNS = 4
_UNIT = "% of the map's mass"


def methods_figure(comparison: MethodComparison, *, style: Style = "default") -> Figure:
    """Put methods side by side, 17 cm wide: what was explained, their maps on one scale, their numbers below.

    Each map is divided by its mass (the sum of its absolute values after summing the channels), since units differ.

    Args:
        comparison: the methods.
        style: ``"default"``, or ``"paper"`` for the look of Gu & Dong's figures, each map divided by its maximum.

    Raises:
        ImageError: a picture does not have the size that belongs to the results.
        SettingError: an unknown style.
    """
    results, subject = comparison.results, comparison.subject
    with styled(style, results[0].scale) as look:
        check_pictures(results, subject.picture, subject.hr, [comparison.sr])
        view = choose_view(results)
        sums = [100 * result.map.sum(axis=0) / result.absolute.sum() for result in results]
        limit = common_limit(sums)
        maps = [
            replace(shading_of("map", values, look, limit, subject.picture, _UNIT), dots=uncertain_blocks(result))
            for values, result in zip(sums, results, strict=True)
        ]
        _, body = largest(partial(_panels, look, comparison, view, maps), _TALLEST)
        head = title(look, comparison.network.name, bold=True, most=FULL_WIDTH)
        return page(
            look, column(head, body), _table(look, comparison), paragraph(look, _caption(comparison, look, view))
        )


def _panels(look: Look, comparison: MethodComparison, view: View, maps: Sequence[Shading], width: float) -> Block:
    """The LR image and a map a method, in rows of panels of that width in cm; the scale and the windows below."""
    size = comparison.results[0].lr_size
    height = width * size[0] / size[1]
    lr = panel(width, height, "lr", draw_lr, comparison.subject.picture, view)
    shown = [column(title(look, "LR {}×{}".format(*size)), lr)]
    for name, shading in zip(comparison.names, maps, strict=True):
        drawn = panel(width, height, f"map {name}", draw_shading, shading, view, thin=True)
        shown.append(column(title(look, name, most=width), drawn))
    rows = grid(in_rows(shown, _COLUMNS), across=_GAP, down=_BELOW)
    bar = bar_below(look, 2 * width, "map bar", maps[0]).padded(top=title(look, "").height)
    return column(rows, row(bar, *_windows(look, comparison), gap=_GAP), gap=_BELOW)


def _windows(look: Look, comparison: MethodComparison) -> list[Block]:
    """The window in the network's picture and, where it is known, in the clean one."""
    window = comparison.window
    edges = (window.top, window.left, window.bottom, window.right)
    high = min(_WINDOW, _WIDEST_WINDOW * window.height / window.width)
    wide = high * window.width / window.height
    pictures = [("SR window", comparison.sr), ("HR window", comparison.subject.hr)]
    return [
        column(title(look, name), panel(wide, high, name.lower(), draw_crop, image, edges))
        for name, image in pictures
        if image is not None
    ]


def _table(look: Look, comparison: MethodComparison) -> Block:
    """The numbers: one row a method, one column a measure."""
    columns = comparison.columns()
    names = column(text(look, ["", *comparison.names]))
    return row(names, *(text(look, [heading, *texts], across=1.0) for heading, texts in columns), gap=2 * _GAP)


_TESTED = (
    "Deletion gain: how much earlier replacing pixels in the map's order changes the window than the nearest first, in "
    "shares of the whole change, mean of the fills blur and patches. Infidelity r: sums of the map over random sets "
    "against the effects of replacing them."
)


def _caption(comparison: MethodComparison, look: Look, view: View) -> str:
    results = comparison.results
    first = results[0]
    scale = (
        "Maps: absolute value after summing the channels, divided by its maximum."
        if look.normalised
        else "Maps: signed, channels summed, each divided by its mass (the sum of its absolute values), since the "
        f"methods' units differ; one scale for all, a {MAP_SCALE}."
    )
    dots = any(result.interval is not None for result in results)
    settings = "; ".join(result.method.described(result.evaluations) for result in results)
    psnr = comparison.rows[0].psnr_window
    sentences = [
        f"{str(comparison.window).capitalize()}, {shown_size(first.scale, *first.lr_size)}.",
        "" if psnr is None else f"PSNR of the window {psnr:.2f} dB ({psnr_channels(first.scale)}).",
        scale,
        "Dots: effects whose 95 % interval holds 0." if dots else "",
        *part_shown(view),
        _TESTED if comparison.faithfulness else "",
        f"Methods: {settings}.",
        remarks(results),
        f"Weights (SHA-256): {first.network_digest[:8]}.",
    ]
    return " ".join(sentence for sentence in sentences if sentence)
