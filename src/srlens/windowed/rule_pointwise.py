"""Rules for operators that compute every element from the elements at the same place, with broadcasting."""

from torch import Tensor

from srlens.windowed.box import Box
from srlens.windowed.graph import Node
from srlens.windowed.rule import Local, Rule, Shapes, each_argument

# fmt: off
_POINTWISE = (
    "_prelu_kernel", "_to_copy", "abs", "add", "addcdiv", "addcmul", "atan", "bitwise_and", "bitwise_not",
    "bitwise_or", "ceil", "celu", "clamp", "clamp_max", "clamp_min", "clone", "copy", "cos", "cosh", "div",
    "elu", "eq", "erf", "exp", "exp2", "expm1", "fill", "floor", "fmod", "ge", "gelu", "gt", "hardshrink",
    "hardsigmoid", "hardswish", "hardtanh", "isfinite", "isinf", "isnan", "le", "leaky_relu", "lerp", "log",
    "log10", "log1p", "log2", "logical_and", "logical_not", "logical_or", "lt", "maximum", "minimum", "mish",
    "mul", "ne", "neg", "ones_like", "pow", "reciprocal", "relu", "remainder", "round", "rsqrt", "rsub", "sgn",
    "sigmoid", "sign", "silu", "sin", "sinh", "softplus", "softshrink", "sqrt", "square", "sub", "tan", "tanh",
    "threshold", "trunc", "where", "xlogy", "zeros_like",
)
# fmt: on


def pointwise(node: Node, asked: Box, shapes: Shapes) -> Local | None:
    """Every tensor argument at the same box; an axis that is broadcast has its one element."""
    shape = shapes[node.outputs[0]]
    rank = len(shape)

    def box_of(argument: tuple[int, ...]) -> Box:
        missing = rank - len(argument)
        return tuple(
            asked[missing + axis] if size == shape[missing + axis] else (0, 1) for axis, size in enumerate(argument)
        )

    return each_argument(node, box_of, shapes, asked)


def batch_norm(node: Node, asked: Box, shapes: Shapes) -> Local | None:
    """Batch normalisation with stored statistics: a factor and an offset a channel."""
    bound = node.bound
    if bound.get("training") or len(node.inputs) != 1:
        return None
    if any(bound[name] is None for name in ("running_mean", "running_var")):
        return None
    produced = (asked[0], (0, shapes[node.outputs[0]][1]), *asked[2:])

    def box_of(shape: tuple[int, ...]) -> Box:
        return produced if len(shape) == len(produced) else ((0, shape[0]),)

    local = each_argument(node, box_of, shapes, produced)

    def run(tensors: list[Tensor]) -> Tensor:
        result: Tensor = local.run(tensors)[0]
        return result

    return Local(produced, local.demands, run)  # type: ignore[arg-type]


RULES: dict[str, Rule] = {
    **dict.fromkeys(_POINTWISE, pointwise),
    "native_batch_norm": batch_norm,
    "_native_batch_norm_legit_no_training": batch_norm,
    "cudnn_batch_norm": batch_norm,
}
