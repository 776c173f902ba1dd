"""Rules for operators that choose, mix or move elements along rows and columns: slices, pads, enlargement."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch._ops import OpOverload

from srlens.windowed.box import Box, Interval
from srlens.windowed.graph import Node, Shapes
from srlens.windowed.restriction import Restriction, Rule

Indices = NDArray[np.int64]


def _chosen(asked: Box, sources: Mapping[int, Indices], fill: float = 0.0) -> Restriction | None:
    """Output index j on an axis is input index ``sources[axis][j]``, ``fill`` where that is −1; other axes pass."""
    wanted = list(asked)
    around = [0] * (2 * len(asked))
    selections: list[tuple[int, Tensor]] = []
    for axis, source in sources.items():
        chosen = source[slice(*asked[axis])]
        within = np.flatnonzero(chosen >= 0)
        if not len(within):
            return None
        around[-2 * axis - 2 : len(around) - 2 * axis] = int(within[0]), len(chosen) - 1 - int(within[-1])
        chosen = chosen[within]
        wanted[axis] = low, high = int(chosen.min()), int(chosen.max()) + 1
        if not np.array_equal(chosen, np.arange(low, high)):
            selections.append((axis, torch.from_numpy(chosen - low)))

    def run(tensors: Sequence[Tensor]) -> Tensor:
        result = tensors[0]
        for axis, index in selections:
            result = result.index_select(axis, index.to(result.device))
        return torch.constant_pad_nd(result, around, fill) if any(around) else result

    return Restriction(asked, (tuple(wanted),), run)


def slicing(node: Node, asked: Box, shapes: Shapes) -> Restriction | None:
    """``x[..., start:end:step, ...]``."""
    bound = node.bound
    axis = bound["dim"] % len(asked)
    size = shapes[node.inputs[0]][axis]
    return _chosen(asked, {axis: np.arange(size)[slice(bound["start"], bound["end"], bound["step"])]})


def rolling(node: Node, asked: Box, shapes: Shapes) -> Restriction | None:
    """Axes shifted cyclically."""
    shape = shapes[node.inputs[0]]
    shifts = {axis % len(shape): n for axis, n in zip(node.bound["dims"], node.bound["shifts"], strict=False)}
    if len(shifts) < len(node.bound["shifts"]):
        return None
    return _chosen(asked, {axis: np.roll(np.arange(shape[axis]), n) for axis, n in shifts.items()})


_BEYOND: dict[str, Callable[[Indices, int], Indices]] = {
    "constant_pad_nd": lambda index, size: np.where((index >= 0) & (index < size), index, -1),
    "reflection_pad2d": lambda index, size: size - 1 - np.abs(size - 1 - np.abs(index)),
    "replication_pad2d": lambda index, size: np.clip(index, 0, size - 1),
}
"""Where the padding takes its values from, for each index that may lie outside of 0 … size − 1."""


def padding(node: Node, asked: Box, shapes: Shapes) -> Restriction | None:
    """Border of a constant (negative amounts crop), reflected without its edge, or repeated."""
    shape, pads = shapes[node.inputs[0]], node.args[1]
    sources = {}
    for k, (before, behind) in enumerate(zip(pads[::2], pads[1::2], strict=True), 1):
        size = shape[-k]
        sources[len(shape) - k] = _BEYOND[node.name](np.arange(-before, size + behind), size)
    return _chosen(asked, sources, node.bound.get("value", 0.0))


def shuffling(node: Node, asked: Box, shapes: Shapes) -> Restriction | None:
    """Pixel shuffle: whole input pixels, all channels."""
    factor = node.bound["upscale_factor"]
    if len(asked) != 4:
        return None
    inputs, outputs = _whole_pixels(asked, factor, factor)
    channels = shapes[node.inputs[0]][1]
    return Restriction(
        (asked[0], (0, channels // factor**2), *outputs), ((asked[0], (0, channels), *inputs),), node.call
    )


def nearest(node: Node, asked: Box, shapes: Shapes) -> Restriction | None:
    """Nearest-neighbour enlargement by whole factors."""
    shape, enlarged = shapes[node.inputs[0]], shapes[node.outputs[0]]
    factors = [large // small for large, small in zip(enlarged[2:], shape[2:], strict=True)]
    if any(small * factor != large for small, factor, large in zip(shape[2:], factors, enlarged[2:], strict=True)):
        return None
    inputs, outputs = _whole_pixels(asked, *factors)
    size = [stop - start for start, stop in outputs]
    return Restriction(
        (*asked[:2], *outputs),
        ((*asked[:2], *inputs),),
        lambda tensors: torch.nn.functional.interpolate(tensors[0], size=size, mode="nearest"),
    )


def _whole_pixels(asked: Box, *factors: int) -> tuple[list[Interval], list[Interval]]:
    """Rows and columns of the input pixels that a box of the enlarged image lies in, and of all that these become."""
    pairs = list(zip(asked[2:], factors, strict=True))
    inputs = [(first // factor, -(-stop // factor)) for (first, stop), factor in pairs]
    return inputs, [(first * f, stop * f) for (first, stop), f in zip(inputs, factors, strict=True)]


def interpolating(node: Node, asked: Box, shapes: Shapes) -> Restriction | None:
    """Separable enlargement of any factor, as two small matrices that the operator itself supplies."""
    bound = node.bound
    if "scales_h" not in bound:
        return None
    inside: list[Interval] = []
    weights: list[Tensor] = []
    for axis, scale in ((2, bound["scales_h"]), (3, bound["scales_w"])):
        sizes = shapes[node.inputs[0]][axis], shapes[node.outputs[0]][axis]
        rows = _matrix(node.operator, *sizes, bound["align_corners"], scale)[slice(*asked[axis])]
        used = (rows != 0).any(dim=0).nonzero()
        low, high = int(used.min()), int(used.max()) + 1
        inside.append((low, high))
        weights.append(rows[:, low:high])
    vertical, horizontal = weights[0].contiguous(), weights[1].t().contiguous()

    def run(tensors: Sequence[Tensor]) -> Tensor:
        x = tensors[0]
        return torch.matmul(vertical.to(x), torch.matmul(x, horizontal.to(x)))

    return Restriction(asked, ((*asked[:2], *inside),), run)


@lru_cache(maxsize=64)
def _matrix(operator: OpOverload, size: int, enlarged: int, corners: bool, scale: float | None) -> Tensor:
    """What each input element contributes to each output element of one axis: enlarged×size, float64, CPU."""
    # One basis vector a channel, four columns wide: with one, the operators for anti-aliasing mistake the layout.
    unit = torch.eye(size, dtype=torch.float64)[None, :, :, None].repeat(1, 1, 1, 4)
    with torch.no_grad():
        result: Tensor = operator(unit, [enlarged, 4], corners, scale, None)
    return result[0, :, :, 0].t().contiguous()


RULES: dict[str, Rule] = {
    "slice": slicing,
    "roll": rolling,
    **dict.fromkeys(_BEYOND, padding),
    "pixel_shuffle": shuffling,
    **dict.fromkeys(("upsample_nearest2d", "_upsample_nearest_exact2d"), nearest),
    **dict.fromkeys(
        ("upsample_bilinear2d", "upsample_bicubic2d", "_upsample_bilinear2d_aa", "_upsample_bicubic2d_aa"),
        interpolating,
    ),
}
