"""Pictures for the browser: arrays to PNG as data URIs, at their own resolution; the browser enlarges them."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from srlens.attribution.result import Attribution
from srlens.figures.scales import bar_labels, common_limit, density_scale, signed_scale, tick_label, ticks, unit_scale
from srlens.figures.shading import common_bandwidth, percent_density
from srlens.figures.style import find_look
from srlens.web.choices import Style

_DARKEST = 0.3
_PREVIEW_SIDE = 1024  # pixels: enough for any screen, and a small answer


def picture_uri(image: Tensor) -> str:
    """C×H×W in [0, 1] as a data URI; other channel counts than 1 and 3 show their mean."""
    shown = image if image.shape[0] in (1, 3) else image.mean(dim=0, keepdim=True)
    levels = (shown.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
    return _uri(levels)


def grey_uri(image: Tensor) -> str:
    """The picture as a light grey, for thin colour to be seen on it."""
    return picture_uri(_DARKEST + (1 - _DARKEST) * image.clamp(0, 1).mean(dim=0, keepdim=True))


def preview_uri(image: Tensor) -> str:
    """The same, shrunk to at most 1024 pixels a side."""
    step = -(-max(image.shape[-2:]) // _PREVIEW_SIDE)
    if step > 1:
        height, width = (side - side % step for side in image.shape[-2:])
        blocks = image[:, :height, :width].reshape(-1, height // step, step, width // step, step)
        image = blocks.mean(dim=(2, 4))
    return picture_uri(image)


@dataclass(frozen=True)
class Bar:
    """A colour bar: its picture, one pixel high, and labels at fractions of its length."""

    uri: str
    labels: tuple[tuple[float, str], ...]
    caption: str


@dataclass(frozen=True)
class Maps:
    """Signed map and contribution area of each network, on scales that all share."""

    signed: tuple[str, ...]
    areas: tuple[str, ...]
    map_bar: Bar
    area_bar: Bar


def paint_maps(results: Sequence[Attribution], style: Style) -> Maps:
    """Colour the maps and areas of a comparison; bandwidth and colour scales are shared."""
    look = find_look(style)
    sums = [result.map.sum(axis=0) for result in results]
    if look.normalised:
        shown, scale = [np.abs(values) / np.abs(values).max() for values in sums], unit_scale()
    else:
        shown, scale = sums, signed_scale(common_limit(sums))
    # One Gaussian for all, so that areas differ by what was used and not by how it is drawn.
    bandwidth = common_bandwidth(results)
    densities = [percent_density(result, bandwidth)[0] for result in results]
    if look.normalised:
        densities = [density / density.max() for density in densities]
        area_scale = unit_scale()
    else:
        area_scale = density_scale(common_limit(densities))
    map_label, area_label = (bar_labels(panel, normalised=look.normalised)[0] for panel in ("map", "area"))
    return Maps(
        signed=tuple(_coloured(values, scale, look.map_colours, opaque=True) for values in shown),
        areas=tuple(_coloured(values, area_scale, look.area_colours) for values in densities),
        map_bar=_bar(scale, look.map_colours, f"Attribution map: {map_label}"),
        area_bar=_bar(
            area_scale, look.area_colours, f"Contribution area: {area_label}; Gaussian of {bandwidth:g} LR pixels"
        ),
    )


def _coloured(values: NDArray[np.float64], scale: Any, colours: Any, *, opaque: bool = False) -> str:
    """Values in the colours of a scale; ``opaque`` where the page's slider says how far the picture shines through."""
    levels = colours(scale(values), bytes=True)
    return _uri(levels[..., :3] if opaque else levels)


def coloured_uri(values: NDArray[np.float64], colours: Any) -> str:
    """Values in [0, 1], H×W, in opaque colours."""
    return _uri(colours(values, bytes=True)[..., :3])


def _bar(scale: Any, colours: Any, caption: str) -> Bar:
    labels = tuple((float(scale(value)), tick_label(value)) for value in ticks(scale))
    return Bar(coloured_uri(np.linspace(0, 1, 256)[None], colours), labels, caption)


def _uri(levels: NDArray[np.uint8]) -> str:
    from PIL import Image

    buffer = io.BytesIO()
    array = np.ascontiguousarray(levels[..., 0] if levels.ndim == 3 and levels.shape[2] == 1 else levels)
    Image.fromarray(array).save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
