"""Fields of view on one scale: what a network could see, sees on average, and used at one hard window."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, Rectangle
from matplotlib.patheffects import AbstractPathEffect, withStroke
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator
from numpy.typing import NDArray

from srlens.errors import SettingError
from srlens.figures.lines import BLUE, VERMILION
from srlens.figures.sheet import LIST_PITCH, Box, Sheet
from srlens.figures.style import FRAME_COLOUR, PAGE_WIDTH, TEXT_SIZE, TITLE_SIZE, find_look, styled
from srlens.figures.typesetting import shorten, text_height, text_width, wrap

_MARGIN, _GAP, _TITLE, _BAND_GAP = 0.05, 0.3, 0.45, 0.35  # cm
_WIDEST, _NARROWEST = 4.4, 3.0
_DECADES = 4  # of the colour scale
Dashes = Literal["-", "--", "-.", ":"]
_SHARE_DASHES: Mapping[float, Dashes] = {0.5: "-", 0.9: "--", 0.95: ":"}


@dataclass(frozen=True, eq=False)
class View:
    """What is drawn of one network; lengths in LR pixels, about the centre of the central window.

    Attributes:
        name: of the network.
        effective: h×w, mean gradient magnitude, sums to 1.
        centre: (y, x) of the window's centre on the LR grid.
        theoretical: side of the theoretical receptive field; None where it is global or unknown.
        theoretical_text: the same in words.
        support: (top, left, bottom, right) of the measured support.
        radii: share of the effective field to the radius of the disc that holds it.
        lam_radius: of the disc about its window's centre that holds 95 % of a local attribution map.
        facts: numbers that stand below, label to value.
    """

    name: str
    effective: NDArray[np.float64]
    centre: tuple[float, float]
    theoretical: float | None
    theoretical_text: str
    support: tuple[int, int, int, int]
    radii: Mapping[float, float]
    lam_radius: float
    facts: Mapping[str, str]


def field_of_view_figure(views: Sequence[View], note: str) -> Figure:
    """Put fields of view side by side, 17 cm wide, all on one scale of lengths and one of colours.

    Args:
        views: one a network, all of one LR size.
        note: the conditions, for the caption.

    Raises:
        SettingError: no network, or networks on images of different sizes.
    """
    if not views or len({view.effective.shape for view in views}) > 1:
        raise SettingError("A picture of fields of view needs one network or more, all on LR images of one size.")
    look = find_look("default")
    height, width = views[0].effective.shape
    peak = max(float(view.effective.max()) for view in views) * 100
    norm = LogNorm(peak / 10**_DECADES, peak)
    with styled(look):
        labels = 0.15 + max(text_width(label, look.font, TEXT_SIZE) for label in views[0].facts)
        room = PAGE_WIDTH - 2 * _MARGIN - labels
        most = max(1, int((room + _GAP) / (_NARROWEST + _GAP)))
        bands = -(-len(views) // most)
        columns = -(-len(views) // bands)
        panel = min(_WIDEST, (room + _GAP) / columns - _GAP)
        tall = panel * height / width
        band_height = 2 * _TITLE - 0.1 + tall + 0.15 + len(views[0].facts) * LIST_PITCH + _BAND_GAP
        lines = wrap(_caption(views, note), PAGE_WIDTH - 2 * _MARGIN, look.font, TEXT_SIZE)
        key_top = bands * band_height
        caption_top = key_top + 1.55
        sheet = Sheet(PAGE_WIDTH, caption_top + text_height(len(lines), look.font, TEXT_SIZE) + 0.1, look)
        for number, view in enumerate(views):
            band, column = divmod(number, columns)
            top = band * band_height + 2 * _TITLE - 0.1
            box = Box(_MARGIN + labels + column * (panel + _GAP), top, panel, tall)
            name = shorten(view.name, panel, look.font, TITLE_SIZE, bold=True)
            sheet.text(box.left, top - _TITLE, name, size=TITLE_SIZE, anchor="baseline", bold=True)
            sheet.text(box.left, top - 0.1, view.theoretical_text, anchor="baseline")
            axes = sheet.axes(box, f"field of view {view.name}")
            _draw(axes, view, norm)
            _ruler(axes, height, width)
            if column == 0:
                sheet.list(_MARGIN, box.bottom + 0.15, list(view.facts))
            sheet.list(box.left + panel / 2, box.bottom + 0.15, list(view.facts.values()), align="center")
        _key(sheet, Box(_MARGIN, key_top, PAGE_WIDTH - 2 * _MARGIN, 1.3), norm)
        sheet.text(_MARGIN, caption_top, lines)
    return sheet.figure


_COLOURS = LinearSegmentedColormap.from_list(
    "faint-grey", matplotlib.colormaps["Greys"](np.linspace(0, 0.9, 256)).tolist()
)


def _draw(axes: Axes, view: View, norm: LogNorm) -> None:
    height, width = view.effective.shape
    shown = np.maximum(100 * view.effective, float(norm.vmin or 0))  # below the scale counts as its end
    axes.imshow(shown, cmap=_COLOURS, norm=norm, extent=(0, width, height, 0), interpolation="nearest", aspect="auto")
    y, x = view.centre
    halo: list[AbstractPathEffect] = [withStroke(linewidth=2.2, foreground="white")]
    if view.theoretical is not None:
        half = view.theoretical / 2
        axes.add_patch(_square(y - half, x - half, y + half, x + half, "black", "-", halo))
    axes.add_patch(_square(*view.support, "black", ":", halo, inset=0.3))
    axes.add_patch(_circle(x, y, view.lam_radius, VERMILION, "-", halo, width=1.3))
    for share, radius in view.radii.items():
        dashes = _SHARE_DASHES.get(share, "-.")
        axes.add_patch(_circle(x, y, radius, BLUE, dashes, halo))
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)


def _square(
    top: float,
    left: float,
    bottom: float,
    right: float,
    colour: str,
    dashes: Dashes,
    halo: list[AbstractPathEffect],
    inset: float = 0.0,
) -> Rectangle:
    square = Rectangle(
        (left + inset, top + inset),
        right - left - 2 * inset,
        bottom - top - 2 * inset,
        fill=False,
        edgecolor=colour,
        linestyle=dashes,
        linewidth=1.0,
    )
    square.set_path_effects(halo)
    return square


def _circle(
    x: float,
    y: float,
    radius: float,
    colour: str,
    dashes: Dashes,
    halo: list[AbstractPathEffect],
    width: float = 1.0,
) -> Circle:
    # The discs count from pixel centre to pixel centre; drawn to the pixels' edges, or the smallest would vanish.
    circle = Circle((x, y), radius + 0.5, fill=False, edgecolor=colour, linestyle=dashes, linewidth=width)
    circle.set_path_effects(halo)
    return circle


def _ruler(axes: Axes, height: int, width: int) -> None:
    """Ticks every 10 LR pixels without numbers, so that panels can be measured."""
    axes.xaxis.set_major_locator(FixedLocator(range(0, width + 1, 10)))
    axes.yaxis.set_major_locator(FixedLocator(range(0, height + 1, 10)))
    axes.xaxis.set_major_formatter(FixedFormatter([""] * (width // 10 + 1)))
    axes.yaxis.set_major_formatter(FixedFormatter([""] * (height // 10 + 1)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.tick_params(length=2, color=FRAME_COLOUR)


def _key(sheet: Sheet, box: Box, norm: LogNorm) -> None:
    """The colour bar on the left, the lines' meanings in two columns right of it."""
    bar = Box(box.left + 0.25, box.top + 0.1, 4.4, 0.22)
    axes = sheet.axes(bar, "field of view bar")
    colour_bar = sheet.figure.colorbar(ScalarMappable(norm, _COLOURS), cax=axes, orientation="horizontal")
    colour_bar.outline.set_linewidth(0.5)
    colour_bar.set_label("% of the gradient, logarithmic", size=TEXT_SIZE, labelpad=1.5)
    powers = range(math.ceil(math.log10(float(norm.vmin or 1))), math.floor(math.log10(float(norm.vmax or 1))) + 1)
    axes.xaxis.set_major_locator(FixedLocator([10.0**power for power in powers]))
    axes.xaxis.set_major_formatter(FixedFormatter([f"{10.0**power:g}" for power in powers]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.tick_params(labelsize=TEXT_SIZE)
    entries: list[tuple[str, Dashes, str]] = [
        ("black", "-", "theoretical receptive field"),
        ("black", ":", "measured support"),
        (VERMILION, "-", "95 % of the attribution map"),
        *((BLUE, dashes, f"{share * 100:.0f} % of the effective field") for share, dashes in _SHARE_DASHES.items()),
    ]
    for number, (colour, dashes, text) in enumerate(entries):
        column, row = divmod(number, 3)
        left, middle = box.left + 5.3 + column * 5.9, box.top + 0.2 + row * 0.38
        y = 1 - middle / sheet.height
        line = Line2D(
            [left / sheet.width, (left + 0.9) / sheet.width],
            [y, y],
            color=colour,
            linestyle=dashes,
            linewidth=1.2,
            transform=sheet.figure.transFigure,
        )
        sheet.figure.add_artist(line)
        sheet.text(left + 1.05, middle, text, anchor="center")


def _caption(views: Sequence[View], note: str) -> str:
    height, width = views[0].effective.shape
    return (
        f"Grey: mean gradient magnitude of the central SR pixels over the LR image of {height}×{width} pixels, one "
        "scale of colours and lengths for all (ticks every 10 LR pixels). A receptive field without a black square is "
        "global, unknown or wider than the panel; "
        "the circle of the attribution map is that of a hard window, moved to the centre. " + note
    )
