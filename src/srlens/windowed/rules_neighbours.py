"""Rules for operators that see the neighbours of a pixel: convolutions and pooling."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from srlens.windowed.box import Box, Interval, cut, full_box
from srlens.windowed.graph import Node, Ref, Shapes, size_of
from srlens.windowed.restriction import Restriction, Rule

Steps = tuple[int, int, int]
"""Stride, padding and dilation along one axis."""


def _expanded(values: Any, axes: int) -> list[int]:
    """``[2]`` or ``2`` as one number an axis."""
    listed = [values] if isinstance(values, int) else list(values)
    return listed * axes if len(listed) == 1 else listed


def _reads(
    asked: Sequence[Interval], sizes: Sequence[int], kernel: Sequence[int], steps: Sequence[Steps]
) -> tuple[list[Interval], list[int], list[int]] | None:
    """What a box of the output reads of the input, and the padding that it reads.

    Args:
        asked: the output's intervals behind batch and channel.
        sizes: of the input there.
        kernel: its sizes.
        steps: for each axis.

    Returns:
        Intervals; padding on both sides alike, by axis; further padding as ``constant_pad_nd`` takes it. None where
        nothing but padding is read.
    """
    inside, both = [], []
    further: list[int] = []
    for (first, stop), size, width, (stride, padding, dilation) in zip(asked, sizes, kernel, steps, strict=True):
        low, high = first * stride - padding, (stop - 1) * stride - padding + dilation * (width - 1) + 1
        inside.append((max(low, 0), min(high, size)))
        if inside[-1][0] >= inside[-1][1]:
            return None
        before, behind = inside[-1][0] - low, high - inside[-1][1]
        both.append(min(before, behind))
        further[:0] = [before - both[-1], behind - both[-1]]
    return inside, both, further


def _with(node: Node, **changes: Any) -> Callable[[Sequence[Tensor]], Any]:
    """The call as recorded, but for some arguments."""
    return Node(node.operator, tuple({**node.bound, **changes}.values()), {}, node.outputs).call


def convolution(node: Node, asked: Box, shapes: Shapes) -> Restriction | None:
    """Convolution with zero padding only where the box touches the border; also transposed."""
    bound, axes = node.bound, len(asked) - 2
    if not isinstance(bound["input"], Ref):
        return None
    shape = shapes[bound["input"].value]
    kernel = size_of(bound["weight"], shapes)[2:]
    steps = list(zip(*(_expanded(bound[name], axes) for name in ("stride", "padding", "dilation")), strict=True))
    local = (_transposed if bound["transposed"] else _plain)(node, asked[2:], shape[2:], kernel, steps)
    if local is None:
        return None
    inside, run = local
    produced = (asked[0], (0, shapes[node.outputs[0]][1]), *asked[2:])
    # A weight or bias that depends on the image is taken in full.
    others = tuple(full_box(shapes[value]) for value in node.inputs[1:])
    return Restriction(produced, ((asked[0], (0, shape[1]), *inside), *others), run)


_Local = tuple[list[Interval], Callable[[Sequence[Tensor]], Tensor]]
"""What is read of the input behind batch and channel, and the computation."""


def _plain(node: Node, asked: Box, sizes: Sequence[int], kernel: Sequence[int], steps: list[Steps]) -> _Local | None:
    reads = _reads(asked, sizes, kernel, steps)
    if reads is None:
        return None
    inside, both, further = reads
    call = _with(node, padding=both)
    if not any(further):
        return inside, call
    return inside, lambda tensors: call([torch.constant_pad_nd(tensors[0], further), *tensors[1:]])


def _transposed(node: Node, asked: Box, sizes: Sequence[int], kernel: Sequence[int], steps: list[Steps]) -> _Local:
    """Input pixel i adds to the outputs i·stride − padding … + dilation·(kernel − 1)."""
    inside, kept, outwards = [], [], []
    recorded = _expanded(node.bound["output_padding"], len(steps))
    for (first, stop), size, width, (stride, padding, dilation), beyond in zip(
        asked, sizes, kernel, steps, recorded, strict=True
    ):
        reach = dilation * (width - 1)
        low = min(max(-(-(first + padding - reach) // stride), 0), (first + padding) // stride, size - 1)
        inside.append((low, max(min((stop - 1 + padding) // stride + 1, size), low + 1)))
        start = first + padding - low * stride
        kept.append((start, start + stop - first))
        outwards.append(max(beyond, stride - 1 - reach))  # a stride beyond the kernel leaves gaps, of the bias alone
    call = _with(node, padding=[0] * len(steps), output_padding=outwards)

    def run(tensors: Sequence[Tensor]) -> Tensor:
        result: Tensor = call(tensors)
        return cut(result, (*full_box(result.shape[:2]), *kept))

    return inside, run


def pooling(node: Node, asked: Box, shapes: Shapes) -> Restriction | None:
    """Maximum or mean over a window; padding counts as −∞ or as zeros."""
    bound, maximum = node.bound, node.name.startswith("max")
    if len(asked) != 4 or bound["ceil_mode"]:
        return None
    if not maximum and (
        bound["divisor_override"] is not None or (any(bound["padding"]) and not bound["count_include_pad"])
    ):
        return None
    kernel = _expanded(bound["kernel_size"], 2)
    stride = _expanded(bound["stride"] or kernel, 2)
    steps = list(zip(stride, _expanded(bound["padding"], 2), _expanded(bound.get("dilation", 1), 2), strict=True))
    reads = _reads(asked[2:], shapes[node.inputs[0]][2:], kernel, steps)
    if reads is None:
        return None
    inside, both, further = reads
    call = _with(node, stride=stride, padding=both)
    fill = float("-inf") if maximum else 0.0

    def run(tensors: Sequence[Tensor]) -> Any:
        return call([torch.constant_pad_nd(tensors[0], further, fill) if any(further) else tensors[0]])

    return Restriction(asked, ((*asked[:2], *inside),), run)


RULES: dict[str, Rule] = {
    "convolution": convolution,
    "max_pool2d_with_indices": pooling,
    "avg_pool2d": pooling,
}
