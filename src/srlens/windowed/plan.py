"""From a graph and a window to the steps that compute just the window."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from srlens.imaging.window import Window
from srlens.windowed.box import Box, cut, hull, inside, volume
from srlens.windowed.graph import Graph, Node
from srlens.windowed.program import Program, Step, Take
from srlens.windowed.restriction import Restriction
from srlens.windowed.rules import rule_of

Source = Callable[[Tensor], Tensor]
"""N×C×h×w inputs to the window of their outputs, N×C'×height×width; a :class:`Plan` is one."""

# Operators of which even a whole output may need only a part of the input. For all others a whole stays a whole, and
# the rule need not be asked: a large network has thousands of nodes, nearly all of them whole.
_CHOOSING = frozenset({"slice", "select", "constant_pad_nd"})
# A box of more than this share of a tensor is taken as the whole: cropping would cost what it saves.
_NEARLY_ALL = 0.9


@dataclass(frozen=True)
class Plan:
    """How to compute the window, and what that saves.

    Attributes:
        program: the steps.
        given: the value that the input is, and the part of it that is used.
        result: the value that the window lies in, and where.
        saved: share of the network's multiply-adds that the plan leaves out.
        memory_format: how the input, and so all that is made of it, lies in memory.
    """

    program: Program
    given: Take
    result: Take
    saved: float
    memory_format: torch.memory_format

    def __call__(self, x: Tensor) -> Tensor:
        """The window (N×C'×height×width) of the outputs for x (N×C×h×w); differentiable."""
        return self.window_in(self.program.run({self.given[0]: self.given_part(x)})[self.result[0]])

    def given_part(self, x: Tensor) -> Tensor:
        """The part of x (N×C×h×w) that the steps start from, a copy in the plan's memory format."""
        # Not contiguous(), which leaves an image of one channel as it is: it counts as either format, but runs as one.
        return cut(x, self.given[1]).clone(memory_format=self.memory_format)

    def window_in(self, y: Tensor) -> Tensor:
        """The window, from the value that it lies in."""
        return cut(y, self.result[1])


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
    have[graph.input] = asked.get(graph.input, graph.wholes[graph.input])
    steps = tuple(_step(node, restriction, have, graph) for node, restriction in reversed(chosen))
    total = sum(graph.costs)
    return Plan(
        Program(steps, frozenset({graph.output})),
        given=(graph.input, inside(graph.wholes[graph.input], have[graph.input])),
        result=(graph.output, inside(have[graph.output], wanted)),
        saved=1 - spent / total if total else 0.0,
        memory_format=memory_format,
    )


def _restricted(node: Node, asked: dict[int, Box], graph: Graph) -> Restriction:
    """The node as the boxes asked of its outputs allow."""
    first = node.outputs[0]
    whole = graph.wholes[first]
    rule = rule_of(node)
    if rule is not None and first in asked and asked.keys().isdisjoint(node.outputs[1:]):
        box = asked[first] if volume(asked[first]) <= _NEARLY_ALL * volume(whole) else whole
        choosing = node.name in _CHOOSING
        restriction = rule(node, box, graph.shapes) if volume(whole) and (box != whole or choosing) else None
        if restriction is not None and (restriction.produced != whole or choosing):
            return restriction
    return Restriction(whole, tuple(graph.wholes[value] for value in node.inputs), node.call)


def _step(node: Node, restriction: Restriction, have: dict[int, Box], graph: Graph) -> Step:
    outputs = node.outputs if restriction.run == node.call else node.outputs[:1]
    size = sum(volume(have[value]) for value in outputs)
    return Step(
        call=restriction.run,
        takes=tuple(
            (value, inside(have[value], box)) for value, box in zip(node.inputs, restriction.demands, strict=True)
        ),
        outputs=outputs,
        whole=all(have[value] == graph.wholes[value] for value in outputs),
        size=size,
        allocates=0 if node.is_view else size,
    )
