"""Rules, by operator: which box of its inputs a box of its output needs, and how to compute just that.

A rule says how one operator computes a box of its output from boxes of its inputs.
"""

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import Any

import torch
from torch import Tensor
from torch._ops import OpOverload

from srlens.imaging.constant import constant
from srlens.windowed.box import Box, Interval, cut, full_box, shape_of
from srlens.windowed.graph import Node, Ref, Shape, Shapes, map_arguments, size_of


@dataclass(frozen=True)
class Restriction:
    """One operator restricted to a box of its (first) output.

    Attributes:
        produced: the box that is computed; it holds the box that was asked for.
        demands: the box needed of each value in ``node.inputs``, in that order.
        run: the computation, given exactly those boxes in that order.
    """

    produced: Box
    demands: tuple[Box, ...]
    run: Callable[[Sequence[Tensor]], Any]


# From node and asked-for box of its first output; None where the operator cannot be restricted as it is used.
Rule = Callable[[Node, Box, Shapes], Restriction | None]
# For each axis of an argument the axis of the output that it goes along with; None: it is needed in full.
Axes = Sequence[int | None]
# The axes of a tensor argument, from its position among the tensor arguments and its shape; None: all in full.
AxesOf = Callable[[int, Shape], Axes | None]


def along_axes(node: Node, asked: Box, shapes: Shapes, axes_of: AxesOf, whole: Collection[int] = ()) -> Restriction:
    """The operator called as recorded, on parts of its arguments; axes of its output in ``whole`` computed in full."""
    size = shapes[node.outputs[0]]
    produced = tuple((0, size[axis]) if axis in whole else interval for axis, interval in enumerate(asked))
    boxes: list[Box] = []
    demands: list[Box] = []

    def part(argument: Ref | Tensor) -> Ref | Tensor:
        shape = size_of(argument, shapes)
        axes = axes_of(len(boxes), shape) or [None] * len(shape)
        boxes.append(tuple((0, n) if axis is None else produced[axis] for n, axis in zip(shape, axes, strict=True)))
        if isinstance(argument, Tensor):
            return cut(argument, boxes[-1])
        demands.append(boxes[-1])
        return argument

    args, kwargs = map_arguments((node.args, node.kwargs), (Ref, Tensor), part)
    return Restriction(produced, tuple(demands), Node(node.operator, args, kwargs, node.outputs).call)


def pointwise(node: Node, asked: Box, shapes: Shapes) -> Restriction | None:
    """Every element from the elements at the same place, with broadcasting."""
    output = shapes[node.outputs[0]]
    return along_axes(node, asked, shapes, lambda _, shape: _broadcast(shape, output))


def _broadcast(shape: Shape, output: Shape) -> Axes:
    missing = len(output) - len(shape)
    return [axis if size == output[axis] else None for axis, size in enumerate(shape, missing)]


def joining(node: Node, asked: Box, shapes: Shapes) -> Restriction | None:
    """Concatenation and stacking: all tensors in full along their axis, the box along the others."""
    joined = node.bound["dim"] % len(asked)
    axes = [*range(joined), *([None] * (node.name == "cat")), *range(joined + 1, len(asked))]
    return along_axes(node, asked, shapes, lambda *_: axes, whole={joined})


def normalising(node: Node, asked: Box, shapes: Shapes) -> Restriction | None:
    """Softmax, layer normalisation, batch normalisation with stored statistics: the same shape, some axes whole."""
    bound, rank = node.bound, len(asked)
    if len(node.inputs) != 1 or bound.get("training"):
        return None
    first = -len(bound["normalized_shape"]) if "normalized_shape" in bound else bound.get("dim", 1)
    whole = {axis % rank for axis in (range(first, 0) if "normalized_shape" in bound else [first])}
    return along_axes(node, asked, shapes, lambda position, _: None if position else range(rank), whole)


def reducing(node: Node, asked: Box, shapes: Shapes) -> Restriction | None:
    """Sum, mean, deviation, norm over some axes."""
    dims = node.bound.get("dim")
    if dims is None or dims == [] or len(node.inputs) != 1:
        return None
    rank = len(shapes[node.inputs[0]])
    gone = {axis % rank for axis in ([dims] if isinstance(dims, int) else dims)}
    left = iter(range(rank))
    axes = [None if axis in gone else axis if node.bound["keepdim"] else next(left) for axis in range(rank)]
    return along_axes(node, asked, shapes, lambda *_: axes)


def multiplying(node: Node, asked: Box, shapes: Shapes) -> Restriction | None:
    """Matrix products: rows of the first factor, columns of the second, batches of both."""
    output = shapes[node.outputs[0]]
    batch, (row, column) = range(len(output) - 2), range(len(output))[-2:]
    first = 1 if node.name in ("addmm", "baddbmm") else 0

    def axes_of(position: int, shape: Shape) -> Axes:
        if position < first:
            return _broadcast(shape, output)
        return [*batch, row, None] if position == first else [*batch, None, column]

    return along_axes(node, asked, shapes, axes_of)


_MOST_MOVED = 2**25  # elements of a tensor whose moves are followed one by one


def moving(node: Node, asked: Box, shapes: Shapes) -> Restriction | None:
    """Views, permutations: each element is one of the input; the operator itself tells which."""
    shape = shapes[node.inputs[0]]
    if prod(shape) > _MOST_MOVED:
        return None
    source = torch.arange(prod(shape)).reshape(shape)
    moved = cut(node.call([source]), asked)
    axes = (moved.div(step, rounding_mode="floor") % size for size, step in zip(shape, source.stride(), strict=True))
    wanted = tuple((int(axis.min()), int(axis.max()) + 1) for axis in axes)
    part = cut(source, wanted)
    with suppress(RuntimeError, IndexError):  # it may name sizes or places of the whole
        if torch.equal(node.call([part]), moved):
            return Restriction(asked, (wanted,), node.call)
    size = shape_of(asked)
    index = torch.searchsorted(part.flatten().contiguous(), moved.flatten().contiguous())
    place = constant(index)
    if len(index) == part.numel() and (index.diff() == 1).all():
        return Restriction(asked, (wanted,), lambda tensors: tensors[0].reshape(size))
    return Restriction(asked, (wanted,), lambda tensors: tensors[0].take(place(tensors[0])).reshape(size))


# What an interval of the output needs along one axis: interval of the input, padding before and behind it, padding of
# the output, and where in what is computed the interval starts.
_Reads = tuple[Interval, Interval, int, int]


def _plain(asked: Interval, size: int, kernel: int, stride: int, padding: int, dilation: int, _: int) -> _Reads:
    low = asked[0] * stride - padding
    high = (asked[1] - 1) * stride - padding + dilation * (kernel - 1) + 1
    inside = max(low, 0), min(high, size)
    return inside, (inside[0] - low, high - inside[1]), 0, 0


def _transposed(asked: Interval, size: int, kernel: int, stride: int, padding: int, dilation: int, out: int) -> _Reads:
    """Input pixel i adds to the outputs i·stride − padding … + dilation·(kernel − 1)."""
    first, last, reach = asked[0] + padding, asked[1] - 1 + padding, dilation * (kernel - 1)
    low = min(max(-((reach - first) // stride), 0), first // stride, size - 1)
    high = max(min(last // stride + 1, size), low + 1)
    # A stride beyond the kernel leaves gaps, of the bias alone.
    return (low, high), (0, 0), max(out, stride - 1 - reach), first - low * stride


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


def choosing(node: Node, asked: Box, shapes: Shapes) -> Restriction | None:
    """Slices, rolls, pads, repeats: along each axis, an output element is one of the input or of a constant border."""
    shape, middle = shapes[node.inputs[0]], [size // 2 for size in shapes[node.outputs[0]]]
    if len(shape) != len(middle):
        return None
    border = node.bound.get("value", 0.0)
    call = node.call if "value" not in node.bound else Node(node.operator, (*node.args[:2], -1.0), {}, ()).call
    wanted: list[tuple[int, int]] = []
    around: list[int] = []
    selections: list[tuple[int, Callable[[Tensor], Tensor]]] = []
    for axis, size in enumerate(shape):
        # The operator itself tells where a line of its output comes from.
        line = torch.arange(size, dtype=torch.float64).reshape([-1 if k == axis else 1 for k in range(len(shape))])
        index = call([line.expand(shape)])[(*middle[:axis], slice(*asked[axis]), *middle[axis + 1 :])].long()
        within = (index >= 0).nonzero().flatten()
        if not len(within) or node.bound.get("dims") == []:  # a roll without axes is one of all elements in a row
            return None
        around[:0] = int(within[0]), len(index) - 1 - int(within[-1])
        index = index[within]
        low, high = int(index.min()), int(index.max()) + 1
        wanted.append((low, high))
        if (index.diff() != 1).any():
            selections.append((axis, constant(index - low)))

    def run(tensors: Sequence[Tensor]) -> Tensor:
        result = tensors[0]
        for axis, index in selections:
            result = result.index_select(axis, index(result))
        return torch.constant_pad_nd(result, around, border) if any(around) else result

    return Restriction(asked, (tuple(wanted),), run)


def shuffling(node: Node, asked: Box, shapes: Shapes) -> Restriction | None:
    """Pixel shuffle: whole input pixels, all channels."""
    factor = node.bound["upscale_factor"]
    batch, *image = asked
    if len(image) != 3:
        return None
    pixels = [(first // factor, -(-stop // factor)) for first, stop in image[1:]]
    produced = (batch, (0, shapes[node.outputs[0]][1]), *((a * factor, b * factor) for a, b in pixels))
    return Restriction(produced, ((batch, (0, shapes[node.inputs[0]][1]), *pixels),), node.call)


def interpolating(node: Node, asked: Box, shapes: Shapes) -> Restriction | None:
    """Separable enlargement of any factor, as two small matrices that the operator itself supplies."""
    bound, wanted = node.bound, list(asked)
    weights: list[Callable[[Tensor], Tensor]] = []
    for axis, scale in ((2, "scales_h"), (3, "scales_w")):
        sizes = shapes[node.inputs[0]][axis], shapes[node.outputs[0]][axis]
        rows = _matrix(node.operator, *sizes, bound.get("align_corners"), bound[scale])[slice(*asked[axis])]
        used = (rows != 0).any(dim=0).nonzero()
        wanted[axis] = low, high = int(used.min()), int(used.max()) + 1
        rows = rows[:, low:high]
        weights.append(constant((rows if axis == 2 else rows.t()).contiguous()))
    vertical, horizontal = weights

    def run(tensors: Sequence[Tensor]) -> Tensor:
        x = tensors[0]
        return torch.matmul(vertical(x), torch.matmul(x, horizontal(x)))

    return Restriction(asked, (tuple(wanted),), run)


@lru_cache(maxsize=64)
def _matrix(operator: OpOverload, size: int, enlarged: int, corners: bool | None, scale: float | None) -> Tensor:
    """What each input element contributes to each output element of one axis: enlarged×size, float64, CPU."""
    # One basis vector a channel, four columns wide: with one, the operators for anti-aliasing mistake the layout.
    unit = torch.eye(size, dtype=torch.float64)[None, :, :, None].repeat(1, 1, 1, 4)
    options = [] if corners is None else [corners]  # nearest neighbours have none
    with torch.no_grad():
        result: Tensor = operator(unit, [enlarged, 4], *options, scale, None)
    return result[0, :, :, 0].t().contiguous()


_SEPARABLE = ("slice", "roll", "expand", "constant_pad_nd", "reflection_pad2d", "replication_pad2d")
_MOVING = ("reshape", "permute", "transpose", "t", "select", "pixel_unshuffle", "channel_shuffle")
_ENLARGING = ("nearest2d", "_nearest_exact2d", "bilinear2d", "bicubic2d", "_bilinear2d_aa", "_bicubic2d_aa")
RULES: dict[str, Rule] = {
    **dict.fromkeys(("cat", "stack"), joining),
    **dict.fromkeys(("_softmax", "native_layer_norm", "native_batch_norm", "cudnn_batch_norm"), normalising),
    **dict.fromkeys(("mean", "sum", "amax", "amin", "var", "std", "linalg_vector_norm"), reducing),
    **dict.fromkeys(("mm", "bmm", "addmm", "baddbmm"), multiplying),
    # Not tagged as pointwise by PyTorch.
    **dict.fromkeys(("_prelu_kernel", "_to_copy", "copy", "hardswish", "rsub"), pointwise),
    **dict.fromkeys(("convolution", "max_pool2d_with_indices", "avg_pool2d"), neighbouring),
    "pixel_shuffle": shuffling,
    **dict.fromkeys(_SEPARABLE, choosing),
    **dict.fromkeys(_MOVING, moving),
    **{("_upsample" if "_" in kind else "upsample_") + kind: interpolating for kind in _ENLARGING},
}
