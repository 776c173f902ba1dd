"""Rules for operators that only rearrange: permutations, views, concatenation, expansion."""

from collections.abc import Sequence
from math import prod

from torch import Tensor

from srlens.windowed.box import Box, Interval, full_box, shape_of
from srlens.windowed.graph import Node, Ref
from srlens.windowed.rule import Local, Rule, Shapes, each_argument, replaced


def permuting(node: Node, asked: Box, _: Shapes) -> Local | None:
    """Axes in another order."""
    rank = len(asked)
    b = node.bound
    if "dims" in b:
        order = [axis % rank for axis in b["dims"]]
    else:
        order = list(range(rank))
        one, other = (b["dim0"] % rank, b["dim1"] % rank) if "dim0" in b else (0, rank - 1)
        order[one], order[other] = order[other], order[one]
    wanted = [(0, 0)] * rank
    for axis, source in enumerate(order):
        wanted[source] = asked[axis]
    return Local(asked, (tuple(wanted),), lambda tensors: tensors[0].permute(order))


def viewing(node: Node, asked: Box, shapes: Shapes) -> Local | None:
    """Axes split and merged; boxes grow until they are boxes on both sides."""
    before, after = shapes[node.inputs[0]], shapes[node.outputs[0]]
    if 0 in before:
        return None
    wanted: list[Interval] = [(0, 1)] * len(before)
    produced: list[Interval] = [(0, 1)] * len(after)
    for inner, outer in _blocks(before, after):
        box = [asked[axis] for axis in outer]
        if len(inner) == len(outer) == 1:
            wanted[inner[0]] = produced[outer[0]] = box[0]
            continue
        sizes_in, sizes_out = [before[axis] for axis in inner], [after[axis] for axis in outer]
        first, stop = _span(box, sizes_out)
        while True:
            box_in = _cover(first, stop, sizes_in)
            box_out = _cover(*_span(box_in, sizes_in), sizes_out)
            if _span(box_out, sizes_out) == (first, stop) == _span(box_in, sizes_in):
                break
            first, stop = _span(box_out, sizes_out)
        for axis, interval in zip(inner, box_in, strict=True):
            wanted[axis] = interval
        for axis, interval in zip(outer, box_out, strict=True):
            produced[axis] = interval
    shape = shape_of(tuple(produced))
    return Local(tuple(produced), (tuple(wanted),), lambda tensors: tensors[0].reshape(shape))


def _blocks(before: Sequence[int], after: Sequence[int]) -> list[tuple[list[int], list[int]]]:
    """Runs of axes of both shapes that hold the same elements in the same order."""
    blocks: list[tuple[list[int], list[int]]] = []
    i = j = 0
    while i < len(before) or j < len(after):
        inner: list[int] = []
        outer: list[int] = []
        left = right = 1
        while not inner or not outer or left != right:
            if j >= len(after) or (i < len(before) and (left < right or not inner)):
                if i >= len(before):
                    break
                left *= before[i]
                inner.append(i)
                i += 1
            else:
                right *= after[j]
                outer.append(j)
                j += 1
        blocks.append((inner, outer))
    return blocks


def _span(box: Sequence[Interval], sizes: Sequence[int]) -> Interval:
    """First and one past the last element of a box, counted through all axes."""
    first = last = 0
    for (start, stop), size in zip(box, sizes, strict=True):
        first, last = first * size + start, last * size + stop - 1
    return first, last + 1


def _cover(first: int, stop: int, sizes: Sequence[int]) -> list[Interval]:
    """The smallest box without gaps that holds a run of elements."""
    box: list[Interval] = []
    stride = prod(sizes)
    for k, size in enumerate(sizes):
        stride //= size
        low, high = first // stride, (stop - 1) // stride + 1
        box.append((low, high))
        if high - low > 1:
            return box + [(0, rest) for rest in sizes[k + 1 :]]
        first, stop = first - low * stride, stop - low * stride
    return box


def shuffling_channels(node: Node, asked: Box, shapes: Shapes) -> Local | None:
    """Channels in another order: all of them."""
    box = replaced(asked, 1, (0, shapes[node.outputs[0]][1]))
    return Local(box, (box,), node.call)


def unsqueezing(node: Node, asked: Box, _: Shapes) -> Local | None:
    """A new axis of one element."""
    axis = node.bound["dim"] % len(asked)
    return Local(asked, ((*asked[:axis], *asked[axis + 1 :]),), lambda tensors: tensors[0].unsqueeze(axis))


def squeezing(node: Node, asked: Box, shapes: Shapes) -> Local | None:
    """Axes of one element vanish; the same as a view, but an axis cropped to one element stays."""
    shape = shapes[node.inputs[0]]
    dims = node.bound.get("dim")
    axes = list(range(len(shape))) if dims is None else [dims] if isinstance(dims, int) else list(dims)
    gone = {axis % len(shape) for axis in axes if shape[axis] == 1}
    left = iter(asked)
    wanted = tuple((0, 1) if axis in gone else next(left) for axis in range(len(shape)))
    result = shape_of(asked)
    return Local(asked, (wanted,), lambda tensors: tensors[0].reshape(result))


def concatenating(node: Node, asked: Box, shapes: Shapes) -> Local | None:
    """All tensors in full along the axis, the box along the others."""
    shape = shapes[node.outputs[0]]
    axis = node.bound["dim"] % len(shape)
    tensors = node.bound["tensors"]
    if any(len(shapes[t.value] if isinstance(t, Ref) else t.shape) != len(shape) for t in tensors):
        return None  # an old habit: an empty one-axis tensor among the others
    produced = replaced(asked, axis, (0, shape[axis]))
    return each_argument(node, lambda size: replaced(produced, axis, (0, size[axis])), shapes, produced)


def stacking(node: Node, asked: Box, shapes: Shapes) -> Local | None:
    """As concatenation, along a new axis."""
    shape = shapes[node.outputs[0]]
    axis = node.bound["dim"] % len(shape)
    produced = replaced(asked, axis, (0, shape[axis]))
    return each_argument(node, lambda _: (*produced[:axis], *produced[axis + 1 :]), shapes, produced)


def expanding(node: Node, asked: Box, shapes: Shapes) -> Local | None:
    """An axis of one element repeated."""
    shape, result = shapes[node.inputs[0]], shape_of(asked)
    missing = len(asked) - len(shape)
    wanted = tuple(
        asked[missing + axis] if size == shapes[node.outputs[0]][missing + axis] else (0, 1)
        for axis, size in enumerate(shape)
    )
    return Local(asked, (wanted,), lambda tensors: tensors[0].expand(result))


def repeating(node: Node, asked: Box, shapes: Shapes) -> Local | None:
    """Axes tiled: in full where they are, the box where not."""
    shape, repeats = shapes[node.inputs[0]], list(node.bound["repeats"])
    whole = full_box(shapes[node.outputs[0]])
    missing = len(repeats) - len(shape)
    produced = tuple(a if r == 1 else w for a, w, r in zip(asked, whole, repeats, strict=True))
    wanted = tuple(
        produced[missing + axis] if repeats[missing + axis] == 1 else (0, size) for axis, size in enumerate(shape)
    )
    return Local(produced, (wanted,), lambda tensors: _repeated(tensors[0], repeats))


def _repeated(tensor: Tensor, repeats: list[int]) -> Tensor:
    return tensor.repeat(repeats)


RULES: dict[str, Rule] = {
    "permute": permuting,
    "transpose": permuting,
    "t": permuting,
    "view": viewing,
    "_unsafe_view": viewing,
    "reshape": viewing,
    "channel_shuffle": shuffling_channels,
    "native_channel_shuffle": shuffling_channels,
    "unsqueeze": unsqueezing,
    "squeeze": squeezing,
    "cat": concatenating,
    "stack": stacking,
    "expand": expanding,
    "repeat": repeating,
}
