"""What a rule is: how one operator computes a box of its output from boxes of its inputs."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from srlens.windowed.box import Box, cut
from srlens.windowed.graph import Node, Ref, Shapes, map_arguments, size_of


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


Rule = Callable[[Node, Box, Shapes], Restriction | None]
"""From node and asked-for box of its first output; None where the operator cannot be restricted as it is used."""

Axes = Sequence[int | None]
"""For each axis of an argument the axis of the output that it goes along with; None: it is needed in full."""


def along_axes(
    node: Node,
    asked: Box,
    shapes: Shapes,
    axes_of: Callable[[int, tuple[int, ...]], Axes],
    whole: Collection[int] = (),
) -> Restriction:
    """The operator called as recorded, on parts of its arguments.

    Args:
        node: the operator.
        asked: the box of its output.
        shapes: of the values.
        axes_of: the axes of a tensor argument, from its position among the tensor arguments and its shape.
        whole: axes of the output that are computed in full.
    """
    size = shapes[node.outputs[0]]
    produced = tuple((0, size[axis]) if axis in whole else interval for axis, interval in enumerate(asked))
    demands: list[Box] = []
    position = 0

    def part(argument: Ref | Tensor) -> Ref | Tensor:
        nonlocal position
        shape = size_of(argument, shapes)
        axes = axes_of(position, shape)
        box = tuple((0, n) if axis is None else produced[axis] for n, axis in zip(shape, axes, strict=True))
        position += 1
        if isinstance(argument, Tensor):
            return cut(argument, box)
        demands.append(box)
        return argument

    args, kwargs = map_arguments((node.args, node.kwargs), (Ref, Tensor), part)
    return Restriction(produced, tuple(demands), Node(node.operator, args, kwargs, node.outputs).call)
