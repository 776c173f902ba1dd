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
from srlens.figures.scales import tick_label, ticks
from srlens.figures.shading import DARKEST, Shading, common_bandwidth, grey, pixels, shade
from srlens.figures.style import find_look
from srlens.figures.view import View, choose_view
from srlens.imaging.terms import worded
from srlens.web.choices import Style

_BLEND = "var(--srl-blend, 0.75)"  # the slider's, in CSS
_PREVIEW_SIDE = 1024  # pixels: enough for any screen, and a small answer


def picture_uri(image: Tensor) -> str:
    """C×H×W in [0, 1] as a data URI; other channel counts than 1 and 3 show their mean."""
    return _uri((255 * pixels(image)).round())


def grey_uri(image: Tensor) -> str:
    """The picture as a light grey, for thin colour to be seen on it."""
    return _uri((255 * grey(image)).round())


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
    """A colour bar: its picture, one pixel high, labels at fractions of its length, and over what it is drawn how."""

    uri: str
    labels: tuple[tuple[float, str], ...]
    caption: str
    opacity: float | str = 1.0
    darkest: float = 0.0


@dataclass(frozen=True)
class Maps:
    """Signed map and contribution area of each network, on scales that all share, and which part is worth a zoom."""

    zoom: View
    signed: tuple[str, ...]
    areas: tuple[str, ...]
    map_bar: Bar
    area_bar: Bar


def paint_maps(results: Sequence[Attribution], style: Style) -> Maps:
    """Colour the maps and areas of a comparison; bandwidth and colour scales are shared."""
    # One Gaussian for all, so that areas differ by what was used and not by how it is drawn.
    bandwidth = common_bandwidth(results)
    maps, areas, _ = shade(results, None, find_look(style), bandwidth)
    view = choose_view(results)
    of_area = worded(
        f"Contribution area: {areas[0].captions[0]}; Gaussian of {bandwidth:g} LR pixels", results[0].scale
    )
    return Maps(
        choose_view(results, 0.0) if view.whole else view,
        # Opaque: the page's slider says how far the picture shines through.
        signed=tuple(_uri(one.colours(one.norm(one.values), bytes=True)[..., :3]) for one in maps),
        areas=tuple(_uri(one.colours(one.norm(one.values), bytes=True)) for one in areas),
        map_bar=_bar(maps[0], f"Attribution map: {maps[0].captions[0]}", opacity=_BLEND),
        area_bar=_bar(areas[0], of_area, darkest=DARKEST),
    )


def strip_uri(colours: Any) -> str:
    """The colours of a scale, one pixel high."""
    return _uri(colours(np.linspace(0, 1, 256)[None], bytes=True))


def _bar(shading: Shading, caption: str, **drawn: Any) -> Bar:
    labels = tuple((float(shading.norm(value)), tick_label(value)) for value in ticks(shading.norm))
    return Bar(strip_uri(shading.colours), labels, caption, **drawn)


def _uri(levels: NDArray[Any]) -> str:
    """Levels from 0 to 255, H×W×3 or H×W×4, as a PNG in a data URI."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(levels, dtype=np.uint8)).save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
