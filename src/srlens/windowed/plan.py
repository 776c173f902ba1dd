"""From a graph and a window to the steps that compute just the window."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from math import prod

import torch
from torch import Tensor

from srlens.imaging.window import Window
from srlens.windowed.box import Box, hull, volume
from srlens.windowed.cut import cut, cuts_between
from srlens.windowed.graph import Graph, Node
from srlens.windowed.layout import laid_out
from srlens.windowed.program import Program, Step
from srlens.windowed.rule import Local
from srlens.windowed.rules import RULES
from srlens.windowed.values import Take

Source = Callable[[Tensor], Tensor]
"""N×C×h×w LR images to the SR window, N×C'×height×width; a :class:`Plan` is one."""

# Operators of which even a whole output may need only a part of the input. For all others a whole stays a whole, and
# the rule need not be asked: a large network has thousands of nodes, nearly all of them whole.
_CHOOSING = frozenset({"slice", "select", "index_select", "index", "constant_pad_nd"})
# A box of more than this share of a tensor is taken as the whole: cropping would cost what it saves.
_NEARLY_ALL = 0.9


@dataclass(frozen=True)
class Plan:
    """How to compute the window, and what that saves.

    Attributes:
        steps: in order.
        given: the value that the LR image is, and the cuts that its part of interest takes.
        result: the value that the patch lies in, and the cuts that lead to it.
        saved: share of the network's multiply-adds that the plan leaves out.
        lr_box: the part of the N×C×h×w LR image that is used.
        memory_format: how the LR image, and so all that is made of it, lies in memory.
    """

    steps: tuple[Step, ...]
    given: Take
    result: Take
    saved: float
    lr_box: Box
    memory_format: torch.memory_format

    def __call__(self, x: Tensor) -> Tensor:
        """The SR window (N×C×height×width) of the LR images x (N×C×h×w); differentiable."""
        values = self.program.run({self.given[0]: self.given_part(x)})
        return cut(values.whole(self.result[0]), self.result[1])

    @cached_property
    def program(self) -> Program:
        """The steps, runnable."""
        return Program(self.steps, frozenset({self.result[0]}))

    def given_part(self, x: Tensor) -> Tensor:
        """The part of the LR images x (N×C×h×w) that the steps start from, in the plan's memory format."""
        return laid_out(cut(x, self.given[1]), self.memory_format)


def make_plan(graph: Graph, window: Window, memory_format: torch.memory_format = torch.contiguous_format) -> Plan:
    """Plan a window of the graph's N×C×H×W output."""
    whole = graph.wholes[graph.output]
    wanted = (*whole[:2], (window.top, window.bottom), (window.left, window.right))
    asked: dict[int, Box] = {graph.output: wanted}
    locals_: list[tuple[Node, Local]] = []
    spent = 0.0
    for node, full_cost in zip(reversed(graph.nodes), reversed(graph.costs), strict=True):
        local = _restricted(node, asked, graph)
        if local is None:
            continue
        for value, box in zip(node.inputs, local.demands, strict=True):
            known = asked.get(value)
            asked[value] = box if known is None or known is box else hull(known, box)
        if full_cost:
            spent += full_cost * volume(local.produced) / prod(graph.shapes[node.outputs[0]])
        locals_.append((node, local))
    locals_.reverse()
    total = sum(graph.costs)
    have = {graph.input: asked.get(graph.input, graph.wholes[graph.input])}
    for node, local in locals_:
        have.update({value: graph.wholes[value] for value in node.outputs})
        have[node.outputs[0]] = local.produced
    return Plan(
        steps=_steps(locals_, have, graph),
        given=(graph.input, cuts_between(graph.wholes[graph.input], have[graph.input])),
        result=(graph.output, cuts_between(have[graph.output], wanted)),
        saved=1 - spent / total if total else 0.0,
        lr_box=have[graph.input],
        memory_format=memory_format,
    )


def _restricted(node: Node, asked: dict[int, Box], graph: Graph) -> Local | None:
    """The node as the boxes asked of its outputs allow; None if nothing is asked of it."""
    wanted = [value for value in node.outputs if value in asked]
    if not wanted:
        return None
    first = node.outputs[0]
    shape = graph.shapes[first]
    rule = RULES.get(node.name) if wanted == [first] else None
    if rule is not None and 0 not in shape:
        box = asked[first]
        if volume(box) > _NEARLY_ALL * prod(shape):
            box = graph.wholes[first]
        local = rule(node, box, graph.shapes) if box != graph.wholes[first] or node.name in _CHOOSING else None
        if local is not None and (local.produced != graph.wholes[first] or node.name in _CHOOSING):
            return local
    return Local(graph.wholes[first], tuple(graph.wholes[value] for value in node.inputs), node.call)


def _steps(locals_: list[tuple[Node, Local]], have: dict[int, Box], graph: Graph) -> tuple[Step, ...]:
    steps = []
    for node, local in locals_:
        as_recorded = local.run == node.call
        outputs = node.outputs if as_recorded else node.outputs[:1]
        size = sum(volume(have[value]) for value in outputs)
        steps.append(
            Step(
                call=local.run,
                takes=tuple(
                    (value, cuts_between(have[value], box))
                    for value, box in zip(node.inputs, local.demands, strict=True)
                ),
                outputs=outputs,
                whole=all(have[value] == graph.wholes[value] for value in outputs),
                size=size,
                allocates=0 if node.is_view else size,
            )
        )
    return tuple(steps)
