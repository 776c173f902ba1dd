"""Rules for operators with a sliding window over the axes behind batch and channel: convolutions and pooling."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from srlens.windowed.box import Box, Interval, full_box
from srlens.windowed.graph import Node, Ref, size_of
from srlens.windowed.rule import Local, Rule, Shapes
from srlens.windowed.twin import mix_channels, pixelwise


def _expanded(values: Any, axes: int, default: int) -> list[int]:
    """``[2]`` or ``2`` or ``[]`` as one number an axis."""
    if isinstance(values, int):
        return [values] * axes
    listed = list(values) if values else [default]
    return listed * axes if len(listed) == 1 else listed


def _reach(
    out: Interval, size: int, kernel: int, stride: int, padding: int, dilation: int
) -> tuple[Interval, Interval]:
    """Input interval that an output interval reads, and how much padding it reads before and behind it."""
    first = out[0] * stride - padding
    stop = (out[1] - 1) * stride - padding + dilation * (kernel - 1) + 1
    inside = (max(first, 0), min(stop, size))
    return inside, (inside[0] - first, stop - inside[1])


def _pad(x: Tensor, pads: Sequence[Interval], value: float) -> Tensor:
    if not any(any(pair) for pair in pads):
        return x
    flat = [amount for pair in reversed(pads) for amount in pair]
    return torch.constant_pad_nd(x, flat, value)


def convolution(node: Node, asked: Box, shapes: Shapes) -> Local | None:
    """Convolution with zero padding only where the box touches the border; also transposed."""
    b = node.bound
    given = b["input"]
    axes = len(asked) - 2
    if not isinstance(given, Ref) or axes < 1 or len(shapes[given.value]) != axes + 2:
        return None
    kernel = size_of(b["weight"], shapes)[2:]
    stride, dilation = _expanded(b["stride"], axes, 1), _expanded(b["dilation"], axes, 1)
    padding = _expanded(b["padding"], axes, 0)
    shape = shapes[given.value]
    produced = (asked[0], (0, shapes[node.outputs[0]][1]), *asked[2:])
    plan = _transposed if b["transposed"] else _plain
    planned = plan(b, produced, shape[2:], kernel, stride, padding, dilation)
    if planned is None:
        return None
    inside, compute = planned
    wanted = (asked[0], (0, shape[1]), *inside)
    # A weight or bias that depends on the image is taken in full.
    demands = (wanted, *(full_box(shapes[value]) for value in node.inputs[1:]))
    if node.inputs[0] != given.value:
        return None

    def run(tensors: Sequence[Tensor]) -> Tensor:
        others = iter(tensors[1:])
        weight = next(others) if isinstance(b["weight"], Ref) else b["weight"]
        bias = next(others) if isinstance(b["bias"], Ref) else b["bias"]
        result: Tensor = compute(tensors[0], weight, bias)
        return result

    return Local(produced, demands, run)


def _plain(
    b: dict[str, Any],
    produced: Box,
    size: Sequence[int],
    kernel: Sequence[int],
    stride: list[int],
    padding: list[int],
    dilation: list[int],
) -> tuple[list[Interval], Any] | None:
    inside, both, extra = [], [], []
    for axis, out in enumerate(produced[2:]):
        reads, (before, behind) = _reach(out, size[axis], kernel[axis], stride[axis], padding[axis], dilation[axis])
        if reads[0] >= reads[1]:
            return None
        inside.append(reads)
        common = min(before, behind)
        both.append(common)
        extra.append((before - common, behind - common))
    if pixelwise(b):
        return inside, mix_channels
    groups = b["groups"]

    def compute(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        padded = _pad(x, extra, 0.0)
        return torch.convolution(padded, weight, bias, stride, both, dilation, False, [0] * len(both), groups)

    return inside, compute


def _transposed(
    b: dict[str, Any],
    produced: Box,
    size: Sequence[int],
    kernel: Sequence[int],
    stride: list[int],
    padding: list[int],
    dilation: list[int],
) -> tuple[list[Interval], Any] | None:
    """Input pixel i adds to the outputs i·stride − padding … + dilation·(kernel − 1)."""
    inside, starts, lengths, missing = [], [], [], []
    for axis, (first, stop) in enumerate(produced[2:]):
        s, p, reach = stride[axis], padding[axis], dilation[axis] * (kernel[axis] - 1)
        low = -(-(first + p - reach) // s)
        low = min(max(low, 0), (first + p) // s, size[axis] - 1)
        high = max(min((stop - 1 + p) // s + 1, size[axis]), low + 1)
        inside.append((low, high))
        starts.append(first - (low * s - p))
        lengths.append(stop - first)
        # Only where the recorded call had output padding does the box reach beyond what its inputs make.
        missing.append(max(0, starts[-1] + lengths[-1] - ((high - low - 1) * s + reach + 1)))
        if missing[-1] >= max(s, dilation[axis]) or starts[-1] < 0:
            return None
    groups = b["groups"]

    def compute(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        y = torch.convolution(x, weight, bias, stride, [0] * len(stride), dilation, True, missing, groups)
        for axis, (start, length) in enumerate(zip(starts, lengths, strict=True)):
            y = y.narrow(2 + axis, start, length)
        return y

    return inside, compute


def max_pool(node: Node, asked: Box, shapes: Shapes) -> Local | None:
    """Maximum over a window; padding counts as −∞."""
    return _pool(node, asked, shapes, float("-inf"))


def avg_pool(node: Node, asked: Box, shapes: Shapes) -> Local | None:
    """Mean over a window; padding counts as zeros."""
    b = node.bound
    padded = any(_expanded(b["padding"], 2, 0))
    if b["divisor_override"] is not None or (padded and not b["count_include_pad"]):
        return None
    return _pool(node, asked, shapes, 0.0)


def _pool(node: Node, asked: Box, shapes: Shapes, beyond: float) -> Local | None:
    b = node.bound
    if len(asked) != 4 or b["ceil_mode"]:
        return None
    shape = shapes[node.inputs[0]]
    kernel = _expanded(b["kernel_size"], 2, 1)
    stride = _expanded(b["stride"], 2, 1) if b["stride"] else kernel
    padding, dilation = _expanded(b["padding"], 2, 0), _expanded(b.get("dilation", 1), 2, 1)
    inside, pads = [], []
    for axis in range(2):
        reads, pad = _reach(asked[2 + axis], shape[2 + axis], kernel[axis], stride[axis], padding[axis], dilation[axis])
        if reads[0] >= reads[1]:
            return None
        inside.append(reads)
        pads.append(pad)
    maximum = beyond < 0

    def run(tensors: Sequence[Tensor]) -> Tensor:
        x = _pad(tensors[0], pads, beyond)
        if maximum:
            return torch.max_pool2d(x, kernel, stride, [0, 0], dilation)
        return torch.nn.functional.avg_pool2d(x, kernel, stride)

    return Local(asked, ((*asked[:2], *inside),), run)


RULES: dict[str, Rule] = {
    "convolution": convolution,
    "max_pool2d_with_indices": max_pool,
    "avg_pool2d": avg_pool,
}
