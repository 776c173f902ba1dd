"""The diffusion index over the whole image, as a heat map on the grey LR picture."""

from collections.abc import Sequence

import numpy as np
from matplotlib.colors import LinearSegmentedColormap, ListedColormap, Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

from srlens.attribution.field import Field
from srlens.comparison.formats import percent
from srlens.errors import ImageError, ZeroMapError
from srlens.figures.blocks import FULL_WIDTH, column, page, panel, paragraph, row, title
from srlens.figures.panels import bar_below, draw_image, draw_shading
from srlens.figures.shading import Shading, grey
from srlens.figures.style import styled

_GAP, _WIDEST, _TALLEST = 0.45, 6.5, 9.0  # cm
_OPACITY = 0.8
_FAINT = 0.55  # the grey picture below the colours runs from here to white, so that colours stay near the bar

#: Of the diffusion index over an image, from 0 up.
FIELD_COLOURS = LinearSegmentedColormap.from_list(
    "field", [(0.0, "#fcfcfc"), (0.25, "#fdd49e"), (0.6, "#e34a33"), (1.0, "#4a0f0f")]
)


def field_figure(field: Field, lr: Tensor | None = None) -> Figure:
    """Picture a field, 17 cm wide: the LR image, the diffusion index, the effective pixels; settings below.

    Windows without a map (flat ones) show the grey picture alone.

    Args:
        field: what to show.
        lr: the LR image, C×h×w in [0, 1], where it is at hand.

    Raises:
        ImageError: ``lr`` is not of the field's size.
        ZeroMapError: every window is flat.
    """
    height, width = field.lr_size
    if lr is not None and tuple(lr.shape[-2:]) != field.lr_size:
        raise ImageError(f"The LR image is {tuple(lr.shape[-2:])}, the field belongs to one of {field.lr_size}.")
    numbers = {
        "diffusion_index": (f"Diffusion index (LR {height}×{width})", field.grid("diffusion_index")),
        "effective_pixels": ("Effective pixels", field.grid("effective_pixels")),
    }
    if all(np.isnan(grid).all() for _, grid in numbers.values()):
        raise ZeroMapError("Every window of the field is flat: there is no diffusion index to show.")
    with styled(scale=field.scale) as look:
        count = 2 if lr is None else 3
        wide = min((FULL_WIDTH - _GAP * (count - 1)) / count, _WIDEST, _TALLEST * width / height)
        tall = wide * height / width
        blocks = []
        if lr is not None:
            blocks.append(column(title(look, f"LR {height}×{width}"), panel(wide, tall, "lr", draw_image, lr)))
        for label, (name, grid) in numbers.items():
            shading = _shading(field, grid, lr)
            drawn = panel(wide, tall, label, draw_shading, shading)
            blocks.append(column(title(look, name), drawn, bar_below(look, wide, f"{label} bar", shading)))
        body = column(title(look, field.network, bold=True, most=FULL_WIDTH), row(*blocks, gap=_GAP))
        return page(look, body, paragraph(look, _caption(field)))


def _shading(field: Field, grid: NDArray[np.float64], lr: Tensor | None) -> Shading:
    """Each window's place in its colour, half transparent, over the grey picture."""
    colours = FIELD_COLOURS(np.linspace(0, 1, 256))
    colours[:, 3] = _OPACITY
    left, right = _edges([point.window.left for point in field.points], field)
    top, bottom = _edges([point.window.top for point in field.points], field)
    height, width = field.lr_size
    return Shading(
        np.ma.masked_invalid(grid),
        Normalize(0.0, float(np.nanmax(grid))),
        ListedColormap(colours.tolist(), name="field-transparent"),
        np.ones((height, width, 3)) if lr is None else grey(lr, _FAINT),
        extent=(left, right, bottom, top),
    )


def _edges(starts: Sequence[int], field: Field) -> tuple[float, float]:
    """First and last border of the cells around windows, in LR pixels."""
    middle = (field.points[0].window.height - field.stride) / 2
    return (min(starts) + middle) / field.scale, (max(starts) + middle + field.stride) / field.scale


def _caption(field: Field) -> str:
    window = field.points[0].window
    errors = [point.map_error for point in field.points if point.map_error is not None]
    with_map = [point for point in field.points if point.diffusion_index is not None]
    gaps = [point.completeness_gap for point in with_map if point.completeness_gap is not None]
    flat = len(field.points) - len(with_map)
    height, width = field.lr_size
    parts = [
        f"{len(field.points)} windows of {window.height}×{window.width} SR pixels, one every {field.stride}, "
        f"×{field.scale}, LR {height}×{width}, {field.method.described(field.evaluations)}.",
        f"Completeness gap: {_spread(gaps)}." if gaps else "",
        f"Map error, estimated: {_spread(errors)}." if errors else "",
        f"{flat} flat windows have no map." if flat else "",
        f"DI depends on the LR size. Weights (SHA-256): {field.network_digest[:8]}.",
    ]
    return " ".join(part for part in parts if part)


def _spread(shares: Sequence[float]) -> str:
    return f"median {percent(float(np.median(shares)))}, largest {percent(max(shares))}"
