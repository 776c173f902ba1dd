"""From a graph and a window to the steps that compute just the window."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import torch
from torch import Tensor

from srlens.attribution.region.box import Box, Interval, hull, volume
from srlens.attribution.region.cut import Cuts, cut
from srlens.attribution.region.graph import Graph, Node
from srlens.attribution.region.rule import Local
from srlens.attribution.region.rules import RULES
from srlens.attribution.region.values import Parts, Take, Values, parts_of

# Operators of which even a whole output may need only a part of the input. For all others a whole stays a whole, and
# the rule need not be asked: a large network has thousands of nodes, nearly all of them whole.
_CHOOSING = frozenset({"slice", "select", "index_select", "index", "constant_pad_nd"})
# A box of more than this share of a tensor is taken as the whole: cropping would cost what it saves.
_NEARLY_ALL = 0.9


@dataclass(frozen=True)
class Step:
    """One operator call.

    Attributes:
        call: the computation.
        takes: value and cuts of each input.
        outputs: the values that it makes; a call that makes more than one returns a sequence.
        frees: values that no later step needs.
        whole: it computes its outputs in full, as the network does.
        size: elements of its outputs.
        allocates: elements of its outputs that are not in the memory of its inputs (a view has none).
    """

    call: Callable[[Sequence[Tensor]], Any]
    takes: tuple[Take, ...]
    outputs: tuple[int, ...]
    frees: tuple[int, ...]
    whole: bool
    size: int
    allocates: int


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
        values = Values(self._parts)
        values.store((self.given[0],), self.given_part(x))
        for step in self.steps:
            values.store(step.outputs, step.call(values.take(step.takes)))
            values.free(step.frees)
        return cut(values.whole(self.result[0]), self.result[1])

    @cached_property
    def _parts(self) -> Parts:
        return parts_of(take for step in self.steps for take in step.takes)

    def given_part(self, x: Tensor) -> Tensor:
        """The part of the LR images x (N×C×h×w) that the steps start from, in the plan's memory format."""
        return cut(x, self.given[1]).contiguous(memory_format=self.memory_format)


def make_plan(
    graph: Graph,
    rows: Interval,
    columns: Interval,
    memory_format: torch.memory_format = torch.contiguous_format,
) -> Plan:
    """Plan the SR rows and columns (half-open intervals) of the graph's N×C×H×W output."""
    whole = graph.wholes[graph.output]
    window = (*whole[:2], rows, columns)
    asked: dict[int, Box] = {graph.output: window}
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
        given=(graph.input, _cuts(graph.wholes[graph.input], have[graph.input])),
        result=(graph.output, _cuts(have[graph.output], window)),
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
    last_use: dict[int, int] = {}
    for position, (node, _) in enumerate(locals_):
        for value in (*node.outputs, *node.inputs):
            last_use[value] = position
    steps = []
    for position, (node, local) in enumerate(locals_):
        as_recorded = local.run == node.call
        outputs = node.outputs if as_recorded else node.outputs[:1]
        seen = {*outputs, *node.inputs}
        size = sum(volume(have[value]) for value in outputs)
        steps.append(
            Step(
                call=local.run,
                takes=tuple(
                    (value, _cuts(have[value], box)) for value, box in zip(node.inputs, local.demands, strict=True)
                ),
                outputs=outputs,
                frees=tuple(value for value in seen if last_use[value] == position and value != graph.output),
                whole=all(have[value] == graph.wholes[value] for value in outputs),
                size=size,
                allocates=0 if node.is_view else size,
            )
        )
    return tuple(steps)


def _cuts(have: Box, want: Box) -> Cuts:
    if have is want:
        return ()
    return tuple((axis, w[0] - h[0], w[1] - w[0]) for axis, (h, w) in enumerate(zip(have, want, strict=True)) if h != w)
