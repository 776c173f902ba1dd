"""The record of a network call: which operators ran, on what, in what order."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

from torch import Tensor
from torch._ops import OpOverload

from srlens.windowed.box import Box, full_box
from srlens.windowed.twin import twin_of


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
        bound = {}
        for position, argument in enumerate(self.operator._schema.arguments):
            if position < len(self.args):
                bound[argument.name] = self.args[position]
            elif argument.name in self.kwargs:
                bound[argument.name] = self.kwargs[argument.name]
            else:
                bound[argument.name] = argument.default_value if argument.has_default_value() else None
        return bound

    @cached_property
    def call(self) -> Callable[[Sequence[Tensor]], Any]:
        """The call as recorded, as a function of the values in the order of ``inputs``."""
        twin = twin_of(self.name, self.bound, len(self.inputs))
        if twin is not None:
            return twin
        operator, kwargs = self.operator, self.kwargs
        if not kwargs and all(
            isinstance(a, Ref) or not isinstance(a, list | tuple) or not _has_ref(a) for a in self.args
        ):
            # The frequent case without a walk: values stand only at the top level.
            template = list(self.args)
            places = [i for i, a in enumerate(template) if isinstance(a, Ref)]

            def quick(tensors: Sequence[Tensor]) -> Any:
                args = template.copy()
                for place, tensor in zip(places, tensors, strict=True):
                    args[place] = tensor
                return operator(*args)

            return quick

        def general(tensors: Sequence[Tensor]) -> Any:
            given = iter(tensors)
            args, named = map_arguments((self.args, kwargs), Ref, lambda _: next(given))
            return operator(*args, **named)

        return general


@dataclass(frozen=True, eq=False)
class Graph:
    """A network call from one input to one output.

    Attributes:
        nodes: in the order in which they ran.
        shapes: of every value.
        input: the value that was given.
        output: the value that was returned.
    """

    nodes: tuple[Node, ...]
    shapes: tuple[tuple[int, ...], ...]
    input: int
    output: int

    @cached_property
    def wholes(self) -> tuple[Box, ...]:
        """The full box of every value."""
        return tuple(full_box(shape) for shape in self.shapes)

    @cached_property
    def costs(self) -> tuple[int, ...]:
        """Multiply-adds of every node in full."""
        return tuple(multiply_adds(node, self.shapes) for node in self.nodes)


def pruned(graph: Graph) -> Graph:
    """The graph without nodes on which the output does not depend."""
    wanted = {graph.output}
    kept = []
    for node in reversed(graph.nodes):
        if wanted.intersection(node.outputs):
            kept.append(node)
            wanted.update(node.inputs)
    return Graph(tuple(reversed(kept)), graph.shapes, graph.input, graph.output)


def size_of(argument: Any, shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """Shape of a tensor argument, be it a value or a constant."""
    return shapes[argument.value] if isinstance(argument, Ref) else tuple(argument.shape)


_PRODUCTS = {"mm": "self", "bmm": "self", "addmm": "mat1", "baddbmm": "batch1"}


def multiply_adds(node: Node, shapes: Sequence[tuple[int, ...]]) -> int:
    """Multiply-adds of a node in full; 0 for anything but convolutions and matrix products."""
    if node.name == "convolution":
        # Each element of the smaller side meets the weights of one channel on the other side.
        bound = node.bound
        weight = size_of(bound["weight"], shapes)
        side = size_of(bound["input"], shapes) if bound["transposed"] else shapes[node.outputs[0]]
        return prod(side) * prod(weight[1:])
    if node.name in _PRODUCTS:
        return prod(shapes[node.outputs[0]]) * size_of(node.bound[_PRODUCTS[node.name]], shapes)[-1]
    return 0


def map_arguments(tree: Any, kind: type | tuple[type, ...], change: Callable[[Any], Any]) -> Any:
    """Lists, tuples and dicts rebuilt with ``change`` applied to every member of ``kind``."""
    if isinstance(tree, kind):
        return change(tree)
    if isinstance(tree, list):
        return [map_arguments(member, kind, change) for member in tree]
    if isinstance(tree, tuple):
        return tuple(map_arguments(member, kind, change) for member in tree)
    if isinstance(tree, dict):
        return {key: map_arguments(member, kind, change) for key, member in tree.items()}
    return tree


def _has_ref(tree: Any) -> bool:
    found = False

    def see(_: Ref) -> None:
        nonlocal found
        found = True

    map_arguments(tree, Ref, see)
    return found
