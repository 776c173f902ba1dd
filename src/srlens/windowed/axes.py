"""Rules for operators whose axes pass, change places, or are needed in full: pointwise, joins, norms, products.

A rule says how one operator computes a box of its output from boxes of its inputs.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import prod
from operator import mul
from typing import Any

import numpy as np
import torch
from torch import Tensor

from srlens.windowed.box import Box, Interval, cut, shape_of, volume
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


def permuting(node: Node, asked: Box, shapes: Shapes) -> Restriction | None:
    """Axes in another order."""
    order = list(node.call([torch.empty(tuple(range(len(asked))))]).shape)
    return along_axes(node, asked, shapes, lambda *_: [order.index(axis) for axis in range(len(order))])


def selecting(node: Node, asked: Box, shapes: Shapes) -> Restriction | None:
    """``x[..., index, ...]``: the axis vanishes."""
    shape = shapes[node.inputs[0]]
    axis = node.bound["dim"] % len(shape)
    index = node.bound["index"] % shape[axis]
    wanted = (*asked[:axis], (index, index + 1), *asked[axis:])
    return Restriction(asked, (wanted,), lambda tensors: tensors[0].squeeze(axis))


def expanding(node: Node, asked: Box, shapes: Shapes) -> Restriction | None:
    """An axis of one element repeated."""
    axes = _broadcast(shapes[node.inputs[0]], shapes[node.outputs[0]])
    wanted = tuple((0, 1) if axis is None else asked[axis] for axis in axes)
    return Restriction(asked, (wanted,), lambda tensors: tensors[0].expand(shape_of(asked)))


def reshaping(node: Node, asked: Box, shapes: Shapes) -> Restriction | None:
    """Axes split and merged; boxes grow until they hold the same elements on both sides."""
    before, after = shapes[node.inputs[0]], shapes[node.outputs[0]]
    # After how many axes of each shape so many elements have been run through; where the numbers meet, it is the same.
    ends = [{size: k for k, size in enumerate(accumulate(shape, mul), 1)} for shape in (before, after)]
    wanted: list[Interval] = []
    produced: list[Interval] = []
    for elements in sorted(ends[0].keys() & ends[1].keys()):
        shapes_here = before[len(wanted) : ends[0][elements]], after[len(produced) : ends[1][elements]]
        outer = asked[len(produced) : ends[1][elements]]
        inner = _in_other_shape(outer, *shapes_here[::-1])
        while volume(inner) != volume(outer):
            outer = _in_other_shape(inner, *shapes_here)
            inner = _in_other_shape(outer, *shapes_here[::-1])
        wanted += inner
        produced += outer
    return Restriction(tuple(produced), (tuple(wanted),), lambda tensors: tensors[0].reshape(shape_of(produced)))


def _in_other_shape(box: Box, sizes: Shape, others: Shape) -> Box:
    """The smallest box that holds the same elements where ``others`` are the sizes."""
    elements = np.arange(prod(sizes)).reshape(sizes)[tuple(slice(*interval) for interval in box)]
    indices = np.unravel_index(elements.ravel(), others)
    return tuple((int(axis.min()), int(axis.max()) + 1) for axis in indices)


RULES: dict[str, Rule] = {
    **dict.fromkeys(("cat", "stack"), joining),
    **dict.fromkeys(("_softmax", "native_layer_norm", "native_batch_norm", "cudnn_batch_norm"), normalising),
    **dict.fromkeys(("mean", "sum", "amax", "amin", "var", "std", "linalg_vector_norm"), reducing),
    **dict.fromkeys(("mm", "bmm", "addmm", "baddbmm"), multiplying),
    **dict.fromkeys(("permute", "transpose", "t"), permuting),
    # Not tagged as pointwise by PyTorch.
    **dict.fromkeys(("_prelu_kernel", "_to_copy", "copy", "hardswish", "rsub"), pointwise),
    "select": selecting,
    "expand": expanding,
    "reshape": reshaping,
}
