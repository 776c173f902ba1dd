"""Rules for enlargement: pixel shuffle, nearest, bilinear, bicubic (also with anti-aliasing)."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch._ops import OpOverload

from srlens.windowed.box import Box, Interval
from srlens.windowed.graph import Node
from srlens.windowed.rule import Local, Rule, Shapes
from srlens.windowed.rule_gather import gathered


def shuffling(node: Node, asked: Box, shapes: Shapes) -> Local | None:
    """Pixel shuffle: whole input pixels, all channels."""
    factor = node.bound["upscale_factor"]
    shape = shapes[node.inputs[0]]
    if len(shape) != 4:
        return None
    inside = [(first // factor, -(-stop // factor)) for first, stop in asked[2:]]
    produced = (
        asked[0],
        (0, shape[1] // factor**2),
        *((first * factor, stop * factor) for first, stop in inside),
    )
    return Local(produced, ((asked[0], (0, shape[1]), *inside),), lambda t: torch.pixel_shuffle(t[0], factor))


def unshuffling(node: Node, asked: Box, shapes: Shapes) -> Local | None:
    """The reverse of pixel shuffle."""
    factor = node.bound["downscale_factor"]
    shape = shapes[node.inputs[0]]
    if len(shape) != 4:
        return None
    outside = [(first * factor, stop * factor) for first, stop in asked[2:]]
    produced = (asked[0], (0, shape[1] * factor**2), *asked[2:])
    return Local(produced, ((asked[0], (0, shape[1]), *outside),), lambda t: torch.pixel_unshuffle(t[0], factor))


def nearest(node: Node, asked: Box, shapes: Shapes) -> Local | None:
    """Nearest-neighbour enlargement: by the native operator for whole factors, else by choosing elements."""
    axes = _axes(node, shapes)
    if axes is None:
        return None
    sources = {2 + k: _matrix(*axis).argmax(dim=1).numpy() for k, axis in enumerate(axes)}
    factors = [axis[2] // axis[1] for axis in axes]
    for factor, source in zip(factors, sources.values(), strict=True):
        if factor < 1 or not np.array_equal(source, np.arange(len(source)) // factor):
            return gathered(asked, sources)
    inside = [(first // f, -(-stop // f)) for f, (first, stop) in zip(factors, asked[2:], strict=True)]
    grown = [(first * f, stop * f) for f, (first, stop) in zip(factors, inside, strict=True)]
    size = [stop - first for first, stop in grown]

    def run(tensors: Sequence[Tensor]) -> Tensor:
        return torch.nn.functional.interpolate(tensors[0], size=size, mode="nearest")

    return Local((*asked[:2], *grown), ((*asked[:2], *inside),), run)


def linear(node: Node, asked: Box, shapes: Shapes) -> Local | None:
    """Separable enlargement of any factor, as two small matrices that the operator itself supplies."""
    axes = _axes(node, shapes)
    if axes is None:
        return None
    inside: list[Interval] = []
    weights: list[Tensor] = []
    for axis, (first, stop) in zip(axes, asked[2:], strict=True):
        rows = _matrix(*axis)[first:stop]
        used = (rows != 0).any(dim=0).nonzero().flatten()
        low, high = int(used.min()), int(used.max()) + 1
        inside.append((low, high))
        weights.append(rows[:, low:high].contiguous())
    vertical, horizontal = weights[0], weights[1].t().contiguous()

    def run(tensors: Sequence[Tensor]) -> Tensor:
        x = tensors[0]
        return torch.matmul(vertical.to(x), torch.matmul(x, horizontal.to(x)))

    return Local(asked, ((*asked[:2], *inside),), run)


Axis = tuple[OpOverload, int, int, bool | None, float | None]
"""Operator, input size, output size, align_corners, scale factor."""


def _axes(node: Node, shapes: Shapes) -> list[Axis] | None:
    b = node.bound
    shape = shapes[node.inputs[0]]
    if len(shape) != 4 or "scales_h" not in b or "output_size" not in b:
        return None
    return [
        (node.operator, shape[2 + k], b["output_size"][k], b.get("align_corners"), b[scale])
        for k, scale in enumerate(("scales_h", "scales_w"))
    ]


@lru_cache(maxsize=64)
def _matrix(operator: OpOverload, size: int, enlarged: int, corners: bool | None, scale: float | None) -> Tensor:
    """What each input element contributes to each output element of one axis: enlarged×size, float64, CPU."""
    # One basis vector a channel, four columns wide: with one, the operators for anti-aliasing mistake the layout.
    unit = torch.eye(size, dtype=torch.float64)[None, :, :, None].repeat(1, 1, 1, 4)
    options: list[Any] = [corners] if corners is not None else []
    with torch.no_grad():
        result: Tensor = operator(unit, [enlarged, 4], *options, scale, None)
    return result[0, :, :, 0].t().contiguous()


RULES: dict[str, Rule] = {
    "pixel_shuffle": shuffling,
    "pixel_unshuffle": unshuffling,
    "upsample_nearest2d": nearest,
    "_upsample_nearest_exact2d": nearest,
    "upsample_bilinear2d": linear,
    "upsample_bicubic2d": linear,
    "_upsample_bilinear2d_aa": linear,
    "_upsample_bicubic2d_aa": linear,
}
