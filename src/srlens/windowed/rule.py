"""What a rule is: how one operator computes a box of its output from boxes of its inputs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor

from srlens.windowed.box import Box, full_box
from srlens.windowed.cut import crop
from srlens.windowed.graph import Node, map_arguments

Shapes = Sequence[tuple[int, ...]]
"""Shape of every value of the graph, as recorded (in full)."""


@dataclass(frozen=True)
class Local:
    """One operator restricted to a box of its (first) output.

    Attributes:
        produced: the box that is computed; it holds the box that was asked for.
        demands: the box needed of each value in ``node.inputs``, in that order.
        run: the computation, given exactly those boxes in that order.
    """

    produced: Box
    demands: tuple[Box, ...]
    run: Callable[[Sequence[Tensor]], Tensor]


Rule = Callable[[Node, Box, Shapes], Local | None]
"""From node and asked-for box of its first output; None where the operator cannot be restricted as it is used."""


def each_argument(node: Node, box_of: Callable[[tuple[int, ...]], Box], shapes: Shapes, produced: Box) -> Local:
    """The operator called as recorded, with every tensor argument cropped to ``box_of(its shape)``."""
    demands = tuple(box_of(shapes[value]) for value in node.inputs)

    def cut(constant: Tensor) -> Tensor:
        shape = tuple(constant.shape)
        return crop(constant, full_box(shape), box_of(shape))

    args, kwargs = map_arguments((node.args, node.kwargs), Tensor, cut)
    return Local(produced, demands, Node(node.operator, args, kwargs, node.outputs).call)


def replaced(box: Box, axis: int, interval: tuple[int, int]) -> Box:
    """The box with another interval on one axis."""
    axis %= len(box)
    return (*box[:axis], interval, *box[axis + 1 :])
