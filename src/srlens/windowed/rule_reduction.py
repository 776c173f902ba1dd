"""Rules for operators that need some axes in full and pass the others: sums, norms, softmax, matrix products."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from srlens.windowed.box import Box, Interval, full_box
from srlens.windowed.cut import crop
from srlens.windowed.graph import Node, Ref, size_of
from srlens.windowed.rule import Local, Rule, Shapes, replaced


def reducing(node: Node, asked: Box, shapes: Shapes) -> Local | None:
    """Sum, mean, extremum, norm… over some axes."""
    shape = shapes[node.inputs[0]]
    dims = node.bound.get("dim")
    if dims is None or dims == [] or len(node.inputs) != 1:
        return None
    axes = {axis % len(shape) for axis in ([dims] if isinstance(dims, int) else dims)}
    kept = bool(node.bound.get("keepdim"))
    left = iter(asked)
    wanted: list[Interval] = []
    for axis, size in enumerate(shape):
        passing = next(left) if kept or axis not in axes else (0, size)
        wanted.append((0, size) if axis in axes else passing)
    return Local(asked, (tuple(wanted),), node.call)


def along(node: Node, asked: Box, shapes: Shapes) -> Local | None:
    """Softmax, cumulative sum: the shape is kept, one axis is needed in full."""
    shape = shapes[node.inputs[0]]
    axis = node.bound["dim"] % len(shape)
    box = replaced(asked, axis, (0, shape[axis]))
    return Local(box, (box,), node.call)


def layer_norm(node: Node, asked: Box, shapes: Shapes) -> Local | None:
    """Normalisation over the last axes."""
    if len(node.inputs) != 1:
        return None
    shape = shapes[node.inputs[0]]
    passing = len(shape) - len(node.bound["normalized_shape"])
    box = (*asked[:passing], *full_box(shape)[passing:])

    def run(tensors: Sequence[Tensor]) -> Tensor:
        result: Tensor = node.call(tensors)[0]
        return result

    return Local(box, (box,), run)


_FACTORS = {
    "mm": ("self", "mat2"),
    "bmm": ("self", "mat2"),
    "addmm": ("mat1", "mat2"),
    "baddbmm": ("batch1", "batch2"),
}


def multiplying(node: Node, asked: Box, shapes: Shapes) -> Local | None:
    """Matrix products: rows of the first factor, columns of the second, batches of both."""
    bound, names = node.bound, _FACTORS[node.name]
    whole = shapes[node.outputs[0]]
    inner = (0, size_of(bound[names[0]], shapes)[-1])
    boxes = {names[0]: (*asked[:-1], inner), names[1]: (*asked[:-2], inner, asked[-1])}
    if "self" not in names:
        added = size_of(bound["self"], shapes)
        missing = len(whole) - len(added)
        boxes["self"] = tuple(asked[missing + k] if n == whole[missing + k] else (0, 1) for k, n in enumerate(added))
    demands: list[Box] = []
    args: list[Any] = []
    for name, argument in zip(bound, node.args, strict=False):
        if isinstance(argument, Ref):
            demands.append(boxes[name])
        args.append(crop(argument, full_box(argument.shape), boxes[name]) if isinstance(argument, Tensor) else argument)
    return Local(asked, tuple(demands), Node(node.operator, tuple(args), node.kwargs, node.outputs).call)


RULES: dict[str, Rule] = {
    **dict.fromkeys(
        ("mean", "sum", "amax", "amin", "var", "std", "linalg_vector_norm", "norm", "logsumexp", "any", "all"), reducing
    ),
    **dict.fromkeys(("_softmax", "_safe_softmax", "_log_softmax", "cumsum"), along),
    "native_layer_norm": layer_norm,
    **dict.fromkeys(_FACTORS, multiplying),
}
