"""The record of a network call: which operators ran, on what, in what order."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from inspect import unwrap
from typing import Any

from torch import Tensor
from torch._ops import OpOverload
from torch.utils.flop_counter import flop_registry

from srlens.windowed.box import Box, full_box
from srlens.windowed.equivalent import equivalent

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
            function = equivalent(self.name, self.bound)
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
