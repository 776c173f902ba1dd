"""The record of a network call: which operators ran, on what, in what order."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from inspect import unwrap
from typing import Any

import torch
from torch import Tensor
from torch._ops import OpOverload
from torch.nn import functional as nnf
from torch.utils.flop_counter import flop_registry

from srlens.windowed.box import Box, full_box

Shape = tuple[int, ...]
Shapes = Sequence[Shape]  # of every value of a graph, as recorded (in full)


@dataclass(frozen=True)
class Ref:
    """Stands for a value of the graph among the arguments of a node."""

    value: int


@dataclass(frozen=True)
class Node:
    """One operator call.

    Attributes:
        operator: ATen (or a library's own) operator; never one that writes in place.
        args: positional arguments, with a :class:`Ref` for each value; other tensors are constants (weights).
        kwargs: keyword arguments, likewise.
        outputs: the values that it makes.
    """

    operator: OpOverload
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    outputs: tuple[int, ...]

    @cached_property
    def name(self) -> str:
        """Without namespace and overload: ``"convolution"``; ``"library::name"`` outside ATen."""
        return str(self.operator._schema.name).removeprefix("aten::")

    @property
    def is_view(self) -> bool:
        """Whether the result shares the memory of an argument."""
        return any(returned.alias_info is not None for returned in self.operator._schema.returns)

    @cached_property
    def inputs(self) -> tuple[int, ...]:
        """The values among the arguments, in order, as often as they occur."""
        found: list[int] = []
        map_arguments((self.args, self.kwargs), Ref, lambda ref: found.append(ref.value))
        return tuple(found)

    @cached_property
    def bound(self) -> dict[str, Any]:
        """Arguments by the names of the operator's schema, defaults filled in."""
        names = self.operator._schema.arguments
        defaults = {one.name: one.default_value if one.has_default_value() else None for one in names}
        return {**defaults, **dict(zip(defaults, self.args, strict=False)), **self.kwargs}

    @cached_property
    def call(self) -> Callable[[Sequence[Tensor]], Any]:
        """The call as recorded, as a function of the values in the order of ``inputs``."""
        operator, args, kwargs, count = self.operator, self.args, self.kwargs, len(self.inputs)
        if count == 1 and isinstance(args[0], Ref):
            function = _equivalent(self.name, self.bound)
            if function is not None:
                return lambda tensors: function(*tensors)
        if all(isinstance(argument, Ref) for argument in args[:count]):  # the frequent case without a walk
            return lambda tensors: operator(*tensors, *args[count:], **kwargs)

        def general(tensors: Sequence[Tensor]) -> Any:
            given = iter(tensors)
            positional, named = map_arguments((args, kwargs), Ref, lambda _: next(given))
            return operator(*positional, **named)

        return general


@dataclass(frozen=True, eq=False)
class Graph:
    """A network call from one input to one output.

    Attributes:
        nodes: in the order in which they ran.
        shapes: of every value.
        output: the value that was returned; what was given is value 0.
    """

    nodes: tuple[Node, ...]
    shapes: Shapes
    output: int

    @cached_property
    def wholes(self) -> tuple[Box, ...]:
        """The full box of every value."""
        return tuple(full_box(shape) for shape in self.shapes)

    @cached_property
    def costs(self) -> tuple[int, ...]:
        """Multiply-adds of every node in full: of convolutions, matrix products and attention."""
        return tuple(_multiply_adds(node, self.shapes) for node in self.nodes)


def size_of(argument: Any, shapes: Shapes) -> Shape:
    """Shape of a tensor argument, be it a value or a constant."""
    return shapes[argument.value] if isinstance(argument, Ref) else tuple(argument.shape)


def _multiply_adds(node: Node, shapes: Shapes) -> int:
    count = flop_registry.get(node.operator.overloadpacket)
    if count is None:
        return 0
    args, kwargs = map_arguments((node.args, node.kwargs), (Ref, Tensor), lambda given: size_of(given, shapes))
    return int(unwrap(count)(*args, **kwargs, out_shape=shapes[node.outputs[0]])) // 2  # its wrapper asks for tensors


def map_arguments(tree: Any, kind: type | tuple[type, ...], change: Callable[[Any], Any]) -> Any:
    """Lists, tuples and dicts rebuilt with ``change`` applied to every member of ``kind``."""
    # As torch.utils._pytree.tree_map_only, in a third of its time: recording and planning do little else.
    if isinstance(tree, kind):
        return change(tree)
    if isinstance(tree, list) and tree and isinstance(tree[0], int):
        return tree
    if isinstance(tree, list | tuple):
        return type(tree)([map_arguments(member, kind, change) for member in tree])
    return {k: map_arguments(v, kind, change) for k, v in tree.items()} if isinstance(tree, dict) else tree


# Operators that are slow as they are, in terms of others; the same numbers up to rounding.
#
# A convolution by one pixel is a matrix product of the image as it lies channels last; PyTorch's convolution writes
# zeros before it writes the gradient (measured on one thread: PAN and BSRN as a whole 1.06).
#
# PyTorch writes the gradient of a mean as a full tensor, always contiguous: channels last, every sum with it runs
# several times slower. ``std`` takes ten times as long as its formula. The gradient of a sum is a view (IMDN, BSRN:
# 1.06).
def _equivalent(name: str, bound: Mapping[str, Any]) -> Callable[[Tensor], Tensor] | None:
    """An operator call as a function of the one value among its arguments, the first; None: it is called as it is.

    Args:
        name: of the ATen operator.
        bound: its arguments by name.
    """
    if name == "convolution" and isinstance(bound["weight"], Tensor) and bound["weight"].shape[2:] == (1, 1):
        plain = bound["groups"] == 1 and not bound["transposed"]
        if plain and not any(bound["padding"]) and all(step == 1 for step in bound["stride"]):
            return lambda x: _mixed(x, bound["weight"], bound["bias"])
    if name in ("mean", "std") and bound.get("dim") and bound["keepdim"] and bound.get("dtype") is None:
        return lambda x: _by_sums(x, name, bound)
    return None


def _mixed(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Convolution by one pixel: N×C×h×w, C'×C×1×1, C'."""
    if x.device.type == "cpu" and x.dtype == torch.float32 and x.stride(1) == 1:
        return nnf.linear(x.permute(0, 2, 3, 1), weight.flatten(1), bias).permute(0, 3, 1, 2)
    return nnf.conv2d(x, weight, bias)


def _by_sums(x: Tensor, name: str, bound: Mapping[str, Any]) -> Tensor:
    """Mean or deviation over axes that are kept."""
    wide = x.to(torch.promote_types(x.dtype, torch.float32))
    total = wide.sum(bound["dim"], keepdim=True)
    count = x.numel() / max(total.numel(), 1)
    if name == "mean":
        return (total / count).to(x.dtype)
    # What is taken off the number of elements: the older form of the operator says unbiased=True for 1.
    correction = bound.get("correction", int(bound.get("unbiased", True)))
    squares = (wide - total / count).square().sum(bound["dim"], keepdim=True)
    variance = squares / (count - (1 if correction is None else correction))
    # A constant channel gets the gradient 0, as from torch.std: the smallest number keeps the root's slope finite.
    return (variance + torch.finfo(wide.dtype).tiny).sqrt().to(x.dtype)
