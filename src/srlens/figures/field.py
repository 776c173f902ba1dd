"""The diffusion index over the whole image, as a heat map on the grey LR picture."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

from srlens.attribution.field import Field
from srlens.errors import ImageError, ZeroMapError
from srlens.figures.panels import pixels
from srlens.figures.sheet import Box, Sheet
from srlens.figures.style import PAGE_WIDTH, TEXT_SIZE, find_look, styled
from srlens.figures.typesetting import text_height, wrap

_MARGIN, _GAP, _TITLE, _BAR = 0.05, 0.45, 0.45, 1.15  # cm
_TALLEST = 9.0
_OPACITY = 0.8
_FAINT = 0.55  # the grey picture below the colours runs from here to white, so that colours stay near the bar


def field_figure(field: Field, lr: Tensor) -> Figure:
    """Picture a field, 17 cm wide: the LR image, the diffusion index, the effective pixels; settings below.

    Windows without a map (flat ones) show the grey picture alone.

    Args:
        field: what to show.
        lr: the LR image, C×h×w in [0, 1].

    Raises:
        ImageError: ``lr`` is not of the field's size.
        ZeroMapError: every window is flat.
    """
    if tuple(lr.shape[-2:]) != field.lr_size:
        raise ImageError(f"The LR image is {tuple(lr.shape[-2:])}, the field belongs to one of {field.lr_size}.")
    numbers = {name: field.grid(name) for name in ("diffusion_index", "effective_pixels")}
    if all(np.isnan(grid).all() for grid in numbers.values()):
        raise ZeroMapError("Every window of the field is flat: there is no diffusion index to show.")
    look = find_look("default")
    height, width = field.lr_size
    with styled(look):
        panel = (PAGE_WIDTH - 2 * _MARGIN - 2 * _GAP) / 3
        tall = min(panel * height / width, _TALLEST)
        lines = wrap(_caption(field), PAGE_WIDTH - 2 * _MARGIN, look.font, TEXT_SIZE)
        below = 2 * _TITLE + tall + _BAR
        sheet = Sheet(PAGE_WIDTH, below + text_height(len(lines), look.font, TEXT_SIZE) + 0.1, look)
        sheet.title(_MARGIN, _TITLE, field.network, bold=True)
        boxes = [
            Box(_MARGIN + k * (panel + _GAP), 2 * _TITLE, panel, tall).fitted(width / height, top=True)
            for k in range(3)
        ]
        sheet.title(boxes[0].left, boxes[0].top, f"LR {height}×{width}")
        _plain(sheet.axes(boxes[0], "lr"), pixels(lr))
        titles = {"diffusion_index": f"Diffusion index (LR {height}×{width})", "effective_pixels": "Effective pixels"}
        for box, (name, grid) in zip(boxes[1:], numbers.items(), strict=True):
            sheet.title(box.left, box.top, titles[name])
            scale = Normalize(0.0, float(np.nanmax(grid)))
            _heat(sheet.axes(box, name), field, lr, grid, scale, FIELD_COLOURS)
            bar = sheet.axes(Box(box.left + 0.2, box.bottom + 0.15, box.width - 0.4, 0.22), f"{name} bar")
            mappable = ScalarMappable(scale, FIELD_COLOURS)
            drawn = sheet.figure.colorbar(mappable, cax=bar, orientation="horizontal", alpha=_OPACITY)
            drawn.ax.tick_params(labelsize=TEXT_SIZE)
        sheet.text(_MARGIN, below, lines)
    return sheet.figure


FIELD_COLOURS = LinearSegmentedColormap.from_list(
    "field", [(0.0, "#fcfcfc"), (0.25, "#fdd49e"), (0.6, "#e34a33"), (1.0, "#4a0f0f")]
)
"""Of the diffusion index over an image, from 0 up."""


def _plain(axes: Axes, values: NDArray[np.float64]) -> None:
    axes.imshow(values, interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])


def _heat(axes: Axes, field: Field, lr: Tensor, grid: NDArray[np.float64], scale: Normalize, colours: Colormap) -> None:
    """Each window's place in its colour, half transparent, over the grey picture."""
    grey = pixels(lr.mean(dim=0, keepdim=True))
    _plain(axes, _FAINT + (1 - _FAINT) * grey)
    tops = sorted({point.window.top for point in field.points})
    lefts = sorted({point.window.left for point in field.points})
    edges_y, edges_x = (_edges(starts, field) for starts in (tops, lefts))
    axes.pcolormesh(edges_x, edges_y, np.ma.masked_invalid(grid), norm=scale, cmap=colours, alpha=_OPACITY, linewidth=0)
    height, width = field.lr_size
    axes.set_xlim(-0.5, width - 0.5)
    axes.set_ylim(height - 0.5, -0.5)


def _edges(starts: list[int], field: Field) -> NDArray[np.float64]:
    """Borders of the cells around windows, in LR pixels (pixel centres are whole numbers)."""
    window = field.points[0].window
    stride = starts[1] - starts[0] if len(starts) > 1 else window.height
    centres = np.array(starts) + window.height / 2
    borders = np.append(centres - stride / 2, centres[-1] + stride / 2)
    return borders / field.scale - 0.5


def _caption(field: Field) -> str:
    window = field.points[0].window
    errors = [point.map_error for point in field.points if point.map_error is not None]
    gaps = [
        p.completeness_gap for p in field.points if p.completeness_gap is not None and p.diffusion_index is not None
    ]
    flat = sum(point.diffusion_index is None for point in field.points)
    height, width = field.lr_size
    parts = [
        f"{len(field.points)} windows of {window.height}×{window.width} SR pixels, ×{field.scale}, "
        f"LR {height}×{width}, "
        f"method {field.method.described(field.evaluations)}.",
        f"Completeness gap: median {np.median(gaps):.2%}, largest {max(gaps):.2%}." if gaps else "",
        f"Map error, estimated: median {np.median(errors):.1%}, largest {max(errors):.1%}." if errors else "",
        f"{flat} flat windows have no map." if flat else "",
        f"DI depends on the LR size. Weights (SHA-256): {field.network_digest[:8]}.",
    ]
    return " ".join(part for part in parts if part)
