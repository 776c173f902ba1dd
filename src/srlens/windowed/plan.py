"""From a graph and a window to the steps that compute just the window."""

from dataclasses import dataclass

import torch
from torch import Tensor

from srlens.imaging.window import Window
from srlens.windowed.box import Box, cut, hull, inside, volume
from srlens.windowed.graph import Graph, Node
from srlens.windowed.program import Program, Step, Take, Values
from srlens.windowed.rules import RULES, Restriction, pointwise

# Operators of which even a whole output may need only a part of the input. For all others a whole stays a whole, and
# the rule need not be asked: a large network has thousands of nodes, nearly all of them whole.
_CHOOSING = frozenset({"slice", "constant_pad_nd"})
# A box of more than this share of a tensor is taken as the whole: cropping would cost what it saves.
_NEARLY_ALL = 0.9


@dataclass(frozen=True)
class Plan:
    """How to compute the window, and what that saves.

    Attributes:
        program: the steps.
        given: the part of the input (value 0) that is used; None: the whole.
        result: the value that the window lies in, and where.
        saved: share of the network's multiply-adds that the plan leaves out.
        memory_format: how the input, and so all that is made of it, lies in memory.
    """

    program: Program
    given: Box | None
    result: Take
    saved: float
    memory_format: torch.memory_format

    def given_part(self, x: Tensor) -> Tensor:
        """The part of x (N×C×h×w) that the steps start from, a copy in the plan's memory format."""
        # Not contiguous(), which leaves an image of one channel as it is: it counts as either format, but runs as one.
        return cut(x, self.given).clone(memory_format=self.memory_format)

    def window_in(self, values: Values) -> Tensor:
        """The window, from the values that the program keeps."""
        return cut(values[self.result[0]], self.result[1])


def make_plan(graph: Graph, window: Window, memory_format: torch.memory_format = torch.contiguous_format) -> Plan:
    """Plan a window of the graph's N×C×H×W output."""
    whole = graph.wholes[graph.output]
    wanted = (*whole[:2], (window.top, window.bottom), (window.left, window.right))
    asked: dict[int, Box] = {graph.output: wanted}
    have: dict[int, Box] = {}
    chosen: list[tuple[Node, Restriction]] = []
    spent = 0.0
    for node, cost in zip(reversed(graph.nodes), reversed(graph.costs), strict=True):
        if asked.keys().isdisjoint(node.outputs):
            continue
        restriction = _restricted(node, asked, graph)
        for value, box in zip(node.inputs, restriction.demands, strict=True):
            known = asked.get(value, box)
            asked[value] = box if known is box else hull(known, box)
        have |= {value: graph.wholes[value] for value in node.outputs} | {node.outputs[0]: restriction.produced}
        spent += cost and cost * volume(restriction.produced) / volume(graph.wholes[node.outputs[0]])
        chosen.append((node, restriction))
    have[0] = asked.get(0, graph.wholes[0])
    steps = tuple(_step(node, restriction, have, graph) for node, restriction in reversed(chosen))
    result = graph.output, inside(have[graph.output], wanted)
    saved = 1 - spent / max(sum(graph.costs), 1)
    given = inside(graph.wholes[0], have[0])
    return Plan(Program(steps, frozenset({graph.output})), given, result, saved, memory_format)


def _restricted(node: Node, asked: dict[int, Box], graph: Graph) -> Restriction:
    """The node as the boxes asked of its outputs allow."""
    first, choosing = node.outputs[0], node.name in _CHOOSING
    whole = graph.wholes[first]
    rule = pointwise if torch.Tag.pointwise in node.operator.tags else RULES.get(node.name)
    if rule is not None and volume(whole) and [value for value in node.outputs if value in asked] == [first]:
        box = asked[first] if volume(asked[first]) <= _NEARLY_ALL * volume(whole) else whole
        restriction = rule(node, box, graph.shapes) if box != whole or choosing else None
        if restriction is not None and (restriction.produced != whole or choosing):
            return restriction
    return Restriction(whole, tuple(graph.wholes[value] for value in node.inputs), node.call)


def _step(node: Node, restriction: Restriction, have: dict[int, Box], graph: Graph) -> Step:
    outputs = node.outputs if restriction.run == node.call else node.outputs[:1]
    demands = zip(node.inputs, restriction.demands, strict=True)
    size = sum(volume(have[value]) for value in outputs)
    takes = tuple((value, inside(have[value], box)) for value, box in demands)
    whole = all(have[value] == graph.wholes[value] for value in outputs)
    return Step(restriction.run, takes, outputs, whole, size, 0 if node.is_view else size)
