"""Rules for operators whose axes pass, change places, or are needed in full: pointwise, joins, norms, products."""

from itertools import accumulate
from math import prod
from operator import mul

import numpy as np

from srlens.windowed.box import Box, Interval, shape_of, volume
from srlens.windowed.graph import Node, Shapes
from srlens.windowed.restriction import Axes, Restriction, Rule, along_axes


def pointwise(node: Node, asked: Box, shapes: Shapes) -> Restriction | None:
    """Every element from the elements at the same place, with broadcasting."""
    output = shapes[node.outputs[0]]
    return along_axes(node, asked, shapes, lambda _, shape: _broadcast(shape, output))


def _broadcast(shape: tuple[int, ...], output: tuple[int, ...]) -> Axes:
    missing = len(output) - len(shape)
    return [axis if size == output[axis] else None for axis, size in enumerate(shape, missing)]


def joining(node: Node, asked: Box, shapes: Shapes) -> Restriction | None:
    """Concatenation and stacking: all tensors in full along their axis, the box along the others."""
    joined = node.bound["dim"] % len(asked)
    axes: list[int | None] = list(range(len(asked)))
    if node.name == "stack":
        axes.pop(joined)
    else:
        axes[joined] = None
    return along_axes(node, asked, shapes, lambda *_: axes, whole={joined})


def normalising(node: Node, asked: Box, shapes: Shapes) -> Restriction | None:
    """Softmax, layer normalisation, batch normalisation with stored statistics: the same shape, some axes whole."""
    bound, rank = node.bound, len(asked)
    if len(node.inputs) != 1 or bound.get("training"):
        return None
    whole = {1}
    if "normalized_shape" in bound:
        whole = set(range(rank - len(bound["normalized_shape"]), rank))
    elif "dim" in bound:
        whole = {bound["dim"] % rank}
    return along_axes(
        node, asked, shapes, lambda position, shape: range(rank) if position == 0 else [None] * len(shape), whole
    )


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

    def axes_of(position: int, shape: tuple[int, ...]) -> Axes:
        if position < first:
            return _broadcast(shape, output)
        return [*batch, row, None] if position == first else [*batch, None, column]

    return along_axes(node, asked, shapes, axes_of)


def permuting(node: Node, asked: Box, shapes: Shapes) -> Restriction | None:
    """Axes in another order."""
    order = list(range(len(asked)))
    if node.name == "permute":
        order = [axis % len(asked) for axis in node.bound["dims"]]
    else:
        one, other = node.bound.get("dim0", 0), node.bound.get("dim1", -1)
        order[one], order[other] = order[other], order[one]
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
    wanted: list[Interval] = []
    produced: list[Interval] = []
    for stop_before, stop_after in _common_ends(before, after):
        sizes = before[len(wanted) : stop_before], after[len(produced) : stop_after]
        box_after = asked[len(produced) : stop_after]
        box_before = box_after if len(sizes[0]) == len(sizes[1]) == 1 else _in_other_shape(box_after, *sizes[::-1])
        while volume(box_before) != volume(box_after):
            box_after = _in_other_shape(box_before, *sizes)
            box_before = _in_other_shape(box_after, *sizes[::-1])
        wanted += box_before
        produced += box_after
    return Restriction(tuple(produced), (tuple(wanted),), lambda tensors: tensors[0].reshape(shape_of(tuple(produced))))


def _common_ends(before: tuple[int, ...], after: tuple[int, ...]) -> list[tuple[int, int]]:
    """After how many axes of each shape the same elements have been run through, from the slowest axis on."""
    one, other = ({size: k for k, size in enumerate(accumulate(shape, mul), 1)} for shape in (before, after))
    return [(one[size], other[size]) for size in one if size in other]


def _in_other_shape(box: Box, sizes: tuple[int, ...], others: tuple[int, ...]) -> Box:
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
