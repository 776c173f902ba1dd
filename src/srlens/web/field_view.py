"""A field for the browser: the diffusion index in colours over the grey picture, and its legend."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from srlens.attribution.field import Field
from srlens.figures.field import FIELD_COLOURS
from srlens.figures.shading import grey
from srlens.web.answers import FieldAnswer
from srlens.web.paint import Bar, preview_uri, strip_uri
from srlens.web.picker import picker_value
from srlens.web.results import field_html

_OPACITY = 0.7
_FAINT = 0.45  # the grey picture below the colours runs from here to white


def field_value(answer: FieldAnswer) -> dict[str, Any]:
    """The field as a picture to click, for the picker component."""
    field, lr = answer.field, answer.subject.lr
    height, width = (side * field.scale for side in field.lr_size)
    backdrop = grey(lr, _FAINT).repeat(field.scale, axis=0).repeat(field.scale, axis=1)
    index = _spread(field, height, width)
    colours = FIELD_COLOURS(np.nan_to_num(index) / _highest(field))[..., :3]
    cover = _OPACITY * ~np.isnan(index)[..., None]
    picture = torch.from_numpy(backdrop * (1 - cover) + colours * cover).permute(2, 0, 1)
    name = f"Diffusion index of {field.network} over {answer.subject.name}"
    return picker_value(preview_uri(picture), name, height, width, None)


def field_legend(answer: FieldAnswer) -> str:
    """Colour bar and one sentence of numbers, as HTML."""
    highest = _highest(answer.field)
    labels = tuple((at, f"{at * highest:.3g}") for at in (0.0, 0.5, 1.0))
    bar = Bar(strip_uri(FIELD_COLOURS), labels, "Diffusion index", _OPACITY, _FAINT)
    return field_html(answer.field, bar, answer.sampling)


def _highest(field: Field) -> float:
    return max(point.diffusion_index for point in field.points if point.diffusion_index is not None)


def _spread(field: Field, height: int, width: int) -> NDArray[np.float64]:
    """Each window's index over its cell, H×W in SR pixels; NaN where there is none."""
    grid = field.grid()
    step = field.points[0].window.width, field.stride
    rows = _cells({point.window.top for point in field.points}, *step, height)
    columns = _cells({point.window.left for point in field.points}, *step, width)
    spread = grid[np.clip(rows, 0, None)[:, None], np.clip(columns, 0, None)[None]]
    spread[(rows < 0)[:, None] | (columns < 0)[None]] = np.nan
    return spread


def _cells(starts: set[int], size: int, stride: int, length: int) -> NDArray[np.int64]:
    """To which of the windows starting at ``starts`` each of ``length`` pixels belongs; −1: to none."""
    first = min(starts) + (size - stride) / 2
    cell = np.floor((np.arange(length) + 0.5 - first) / stride).astype(np.int64)
    cell[(cell < 0) | (cell >= len(starts))] = -1
    return cell
