"""The rule for operators that see the neighbours of a pixel: convolutions, also transposed, and pooling."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from srlens.windowed.axes import Restriction, Rule
from srlens.windowed.box import Box, Interval, cut, full_box
from srlens.windowed.graph import Node, Ref, Shapes, size_of

# What an interval of the output needs along one axis: interval of the input, padding before and behind it, padding of
# the output, and where in what is computed the interval starts.
_Reads = tuple[Interval, Interval, int, int]


def _plain(asked: Interval, size: int, kernel: int, stride: int, padding: int, dilation: int, _: int) -> _Reads:
    low = asked[0] * stride - padding
    high = (asked[1] - 1) * stride - padding + dilation * (kernel - 1) + 1
    inside = max(low, 0), min(high, size)
    return inside, (inside[0] - low, high - inside[1]), 0, 0


def _transposed(
    asked: Interval, size: int, kernel: int, stride: int, padding: int, dilation: int, output_padding: int
) -> _Reads:
    """Input pixel i adds to the outputs i·stride − padding … + dilation·(kernel − 1)."""
    first, last, reach = asked[0] + padding, asked[1] - 1 + padding, dilation * (kernel - 1)
    low = min(max(-((reach - first) // stride), 0), first // stride, size - 1)
    high = max(min(last // stride + 1, size), low + 1)
    # A stride beyond the kernel leaves gaps, of the bias alone.
    return (low, high), (0, 0), max(output_padding, stride - 1 - reach), first - low * stride


def neighbouring(node: Node, asked: Box, shapes: Shapes) -> Restriction | None:
    """Convolution and pooling; padded only where the box touches the border."""
    bound, size = node.bound, shapes[node.inputs[0]]
    batch, channels, *intervals = asked
    unforeseen = bound.get("ceil_mode") or bound.get("divisor_override") or bound.get("count_include_pad") is False
    if unforeseen or not isinstance(node.args[0], Ref) or len(intervals) != len(size) - 2:
        return None
    convolving = "weight" in bound
    kernel = size_of(bound["weight"], shapes)[2:] if convolving else bound["kernel_size"]
    stride = _by_axis(bound["stride"] or kernel, len(intervals))
    others = (bound["padding"], bound.get("dilation", 1), bound.get("output_padding", 0))
    geometry = [_by_axis(one, len(intervals)) for one in (kernel, stride, *others)]
    read = _transposed if bound.get("transposed") else _plain
    reads = [read(*axis) for axis in zip(intervals, size[2:], *geometry, strict=True)]
    inside, paddings, output_padding, starts = zip(*reads, strict=True)
    if any(first >= stop for first, stop in inside):
        return None
    both = [min(padding) for padding in paddings]
    further = [one - both[k] for k in reversed(range(len(both))) for one in paddings[k]]
    changed = {**bound, "stride": stride, "padding": both}
    if convolving:
        changed["output_padding"] = output_padding
    call = Node(node.operator, tuple(changed.values()), {}, node.outputs).call
    outside = -torch.inf if node.name.startswith("max") else 0.0
    kept = [(start, start + stop - first) for start, (first, stop) in zip(starts, intervals, strict=True)]

    def run(tensors: Sequence[Tensor]) -> Any:
        x = torch.constant_pad_nd(tensors[0], further, outside) if any(further) else tensors[0]
        result = call([x, *tensors[1:]])
        return cut(result, (*full_box(result.shape[:2]), *kept)) if read is _transposed else result

    produced, wanted = channels, channels
    if convolving:
        produced, wanted = (0, shapes[node.outputs[0]][1]), (0, size[1])
    # A weight or bias that depends on the image is taken in full.
    demands = ((batch, wanted, *inside), *(full_box(shapes[value]) for value in node.inputs[1:]))
    return Restriction((batch, produced, *intervals), demands, run)


def _by_axis(values: int | Sequence[int], axes: int) -> list[int]:
    """``[2]`` or ``2`` as one number an axis."""
    listed = [values] if isinstance(values, int) else list(values)
    return listed * axes if len(listed) == 1 else listed


RULES: dict[str, Rule] = dict.fromkeys(("convolution", "max_pool2d_with_indices", "avg_pool2d"), neighbouring)
