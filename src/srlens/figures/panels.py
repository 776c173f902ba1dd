"""One panel each: an image with the window outlined, a crop, a map, a contribution area, a colour bar."""

from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator
from numpy.typing import NDArray
from torch import Tensor

from srlens.attribution.result import Attribution
from srlens.figures.scales import density_scale, signed_scale, tick_label, ticks, unit_scale
from srlens.figures.style import FRAME_COLOUR, PRINT_DPI, TEXT_SIZE, Look
from srlens.figures.typesetting import text_width
from srlens.figures.view import View

_DARKEST = 0.3  # the grey LR image below a contribution area runs from here to white: black would hide thin colour


@dataclass(frozen=True)
class Bar:
    """What a colour bar explains: a scale and the opaque colours in which it appears."""

    norm: Normalize
    colours: Colormap


def pixels(image: Tensor) -> NDArray[np.float64]:
    """C×H×W to H×W×3 in [0, 1]; other channel counts than 3 become the grey of their mean."""
    values = image.detach().to("cpu").double().clamp(0, 1).numpy()
    colour = values if values.shape[0] == 3 else np.repeat(values.mean(axis=0, keepdims=True), 3, axis=0)
    return np.ascontiguousarray(colour.transpose(1, 2, 0))


def draw_lr(axes: Axes, lr: Tensor, result: Attribution, view: View) -> None:
    """The LR image with the window outlined and, where the maps show a part of it, that part outlined in dashes."""
    _show(axes, pixels(lr))
    if not view.whole:
        part = (view.top, view.left, view.bottom, view.right)
        _outline(axes, part, dashed=True)
    _outline(axes, result.window.on_lr(result.scale))


def draw_crop(axes: Axes, image: Tensor, edges: tuple[float, float, float, float]) -> None:
    """A part of an image, its pixels as squares.

    Args:
        axes: to draw into; of the part's shape.
        image: C×H×W in [0, 1].
        edges: (top, left, bottom, right) in pixels of this image, fractions allowed.
    """
    top, left, bottom, right = edges
    _show(axes, pixels(image))
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)


def draw_map(axes: Axes, result: Attribution, lr: Tensor, look: Look, view: View, limit: float) -> Bar:
    """The attribution map, channels summed: signed on a common scale, or the paper's normalised absolute map.

    Args:
        axes: to draw into.
        result: what to show.
        lr: the LR image, C×h×w; the paper's look blends it in.
        look: the style.
        view: the part that is shown.
        limit: end of the signed scale, in units of the detector; share it between networks.
    """
    if look.normalised:
        values = result.absolute / result.absolute.max()
        return _overlay(axes, values, pixels(lr), unit_scale(), look.map_colours, result, view, thin=True)
    norm = signed_scale(limit)
    _show(axes, result.map.sum(axis=0), norm=norm, cmap=look.map_colours, view=view)
    _outline(axes, result.window.on_lr(result.scale), thin=True)
    return Bar(norm, look.map_colours)


def draw_area(
    axes: Axes, density: NDArray[np.float64], result: Attribution, lr: Tensor, look: Look, view: View, limit: float
) -> Bar:
    """The contribution area: the density of absolute attribution over the LR image.

    Args:
        axes: to draw into.
        density: h×w, of :func:`srlens.measures.density.contribution_density`, in percent per LR pixel.
        result: whose it is.
        lr: the LR image, C×h×w.
        look: the style.
        view: the part that is shown.
        limit: end of the scale, in percent per LR pixel; share it between networks.
    """
    image = pixels(lr)
    if look.normalised:
        return _overlay(axes, density / density.max(), image, unit_scale(), look.area_colours, result, view)
    grey = _DARKEST + (1 - _DARKEST) * np.repeat(image.mean(axis=2, keepdims=True), 3, axis=2)
    return _overlay(axes, density, grey, density_scale(limit), look.area_colours, result, view)


def draw_bar(axes: Axes, bar: Bar, label: str, direction: Literal["vertical", "horizontal"]) -> None:
    """Turn axes into a colour bar with its label; label and numbers stand to the right or below."""
    where = _apart(axes, bar.norm, direction)
    colour_bar = axes.figure.colorbar(
        ScalarMappable(bar.norm, bar.colours),
        cax=axes,
        orientation=direction,
        ticks=FixedLocator(where),
        format=FixedFormatter([tick_label(value) for value in where]),
    )
    long_axis = axes.yaxis if direction == "vertical" else axes.xaxis
    long_axis.set_minor_locator(NullLocator())
    axes.tick_params(labelsize=TEXT_SIZE)
    colour_bar.outline.set_linewidth(0.5)
    colour_bar.set_label(label, size=TEXT_SIZE, labelpad=1.5)


def _apart(axes: Axes, norm: Normalize, direction: Literal["vertical", "horizontal"]) -> list[float]:
    """Those ticks of a scale whose numbers do not touch on a bar of this length; the ends go first."""
    font = axes.xaxis.label.get_fontfamily()[0]
    length = _inches(axes)[1 if direction == "vertical" else 0] * 2.54
    kept: list[tuple[float, float, float]] = []
    assert norm.vmax is not None
    middle = norm.vmax / 2  # 0 goes after the ends and before the inner ones
    for value in sorted(ticks(norm), key=lambda tick: -abs(tick) if tick else -middle):
        place = float(norm(value)) * length
        size = TEXT_SIZE / 72 * 2.54 if direction == "vertical" else text_width(tick_label(value), font, TEXT_SIZE)
        if all(abs(place - other) > (size + its_size) / 2 + 0.05 for _, other, its_size in kept):
            kept.append((value, place, size))
    return sorted(value for value, _, _ in kept)


def _overlay(
    axes: Axes,
    values: NDArray[np.float64],
    backdrop: NDArray[np.float64],
    norm: Normalize,
    colours: Colormap,
    result: Attribution,
    view: View,
    *,
    thin: bool = False,
) -> Bar:
    """Values in colours of varying opacity over an image; the bar shows them over the image's mean colour."""
    _show(axes, backdrop, view=view)
    _show(axes, values, norm=norm, cmap=colours, view=view)
    _outline(axes, result.window.on_lr(result.scale), thin=thin)
    table = colours(np.linspace(0, 1, colours.N))
    opaque = table[:, 3:] * table[:, :3] + (1 - table[:, 3:]) * backdrop.mean()
    return Bar(norm, ListedColormap(opaque.tolist(), name=f"{colours.name}-over-grey"))


def _show(axes: Axes, values: NDArray[np.float64], *, view: View | None = None, **options: Any) -> AxesImage:
    """An image whose pixel (row, column) covers [row, row + 1) × [column, column + 1) of the axes, without ticks."""
    height, width = values.shape[:2]
    shown = (view.right - view.left) if view is not None else width
    inches = _inches(axes)[0]
    # Larger pixels than the printer's stay squares; smaller ones are averaged, or some would be left out.
    interpolation = "nearest" if shown <= inches * PRINT_DPI else "antialiased"
    image = axes.imshow(
        values, extent=(0, width, height, 0), interpolation=interpolation, aspect="auto", origin="upper", **options
    )
    if view is not None:
        axes.set_xlim(view.left, view.right)
        axes.set_ylim(view.bottom, view.top)
    axes.xaxis.set_major_locator(NullLocator())
    axes.yaxis.set_major_locator(NullLocator())
    return image


def _outline(axes: Axes, edges: tuple[float, float, float, float], *, dashed: bool = False, thin: bool = False) -> None:
    """A double line, white and black, that is seen on any background; ``thin`` is a grey one.

    It runs around the area and covers none of its pixels.
    """
    top, left, bottom, right = edges
    lines = [(0.6, FRAME_COLOUR if thin else "black", "dashed" if dashed else "solid")]
    if not thin:
        lines.insert(0, (1.8, "white", "solid"))
    points = 0.3 if thin else 0.9
    inches = _inches(axes)
    (x0, x1), (y0, y1) = axes.get_xlim(), axes.get_ylim()
    across = points / 72 * abs(x1 - x0) / inches[0]
    down = points / 72 * abs(y1 - y0) / inches[1]
    for width, colour, dashes in lines:
        axes.add_patch(
            Rectangle(
                (left - across, top - down),
                right - left + 2 * across,
                bottom - top + 2 * down,
                fill=False,
                linewidth=width,
                edgecolor=colour,
                linestyle=dashes,
                joinstyle="miter",
                clip_on=False,
            )
        )


def _inches(axes: Axes) -> tuple[float, float]:
    """Width and height of the panel."""
    position, figure = axes.get_position(), cast(Figure, axes.figure)
    return position.width * figure.get_figwidth(), position.height * figure.get_figheight()
