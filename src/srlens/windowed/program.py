"""Steps in order, and running them: every value is let go of after its last use."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from torch import Tensor

from srlens.windowed.box import Box, cut_all

Take = tuple[int, Box | None]  # a value and a part of it; None: the whole
Values = Mapping[int, Tensor]  # by the number of the value


@dataclass(frozen=True)
class Step:
    """One operator call.

    Attributes:
        call: the computation.
        takes: value and part of each input.
        outputs: the values that it makes; a call that makes more than one returns a sequence.
        whole: it computes its outputs in full, as the network does.
        size: elements of its outputs.
        allocates: elements of its outputs that are not in the memory of its inputs (a view has none).
    """

    call: Callable[[Sequence[Tensor]], Any]
    takes: tuple[Take, ...]
    outputs: tuple[int, ...]
    whole: bool
    size: int
    allocates: int

    @cached_property
    def uses(self) -> frozenset[int]:
        """All values among its inputs and outputs."""
        return frozenset((*self.outputs, *(value for value, _ in self.takes)))


@dataclass(frozen=True)
class Program:
    """Steps that are run together.

    Attributes:
        steps: in order.
        keep: values that are wanted afterwards.
    """

    steps: tuple[Step, ...]
    keep: frozenset[int]

    def run(self, given: Values) -> dict[int, Tensor]:
        """The values to keep, and those given that are not let go of.

        All parts of a value are cut at once, so that their gradients meet in one tensor.
        """
        values = dict(given)
        parts: dict[int, tuple[Tensor, ...]] = {}
        schedule, boxes = self._schedule
        for call, takes, outputs, ends in schedule:
            tensors = []
            for value, part in takes:
                if part is not None and value not in parts:
                    parts[value] = cut_all(values[value], tuple(boxes[value]))
                tensors.append(values[value] if part is None else parts[value][part])
            result = call(tensors)
            # A restricted call may return more than its first output, which is all that is asked of it.
            values.update(zip(outputs, (result,) if isinstance(result, Tensor) else result, strict=False))
            for value in ends:
                values.pop(value, None)
                parts.pop(value, None)
        return values

    @cached_property
    def made(self) -> frozenset[int]:
        """All outputs."""
        return frozenset(value for step in self.steps for value in step.outputs)

    @cached_property
    def taken(self) -> frozenset[int]:
        """All inputs that are not outputs."""
        return frozenset(value for step in self.steps for value in step.uses) - self.made

    @cached_property
    def allocates(self) -> int:
        """Elements that all steps allocate."""
        return sum(step.allocates for step in self.steps)

    @cached_property
    def _schedule(self) -> tuple[list[tuple[Any, ...]], dict[int, dict[Box, int]]]:
        """Of each step call, inputs (value, number of the part), outputs, what no later step needs; and all parts."""
        last = {value: position for position, step in enumerate(self.steps) for value in step.uses}
        schedule = []
        boxes: dict[int, dict[Box, int]] = {}
        for position, step in enumerate(self.steps):
            takes: list[tuple[int, int | None]] = []
            for value, box in step.takes:
                known = boxes.setdefault(value, {})
                takes.append((value, None if box is None else known.setdefault(box, len(known))))
            ends = [value for value in step.uses - self.keep if last[value] == position]
            schedule.append((step.call, takes, step.outputs, ends))
        return schedule, boxes
