"""Steps in order, and running them: every value is let go of after its last use."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from torch import Tensor

from srlens.windowed.values import Parts, Take, Values, parts_of


@dataclass(frozen=True)
class Step:
    """One operator call.

    Attributes:
        call: the computation.
        takes: value and cuts of each input.
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


@dataclass(frozen=True)
class Program:
    """Steps that are run together.

    Attributes:
        steps: in order.
        keep: values that are wanted afterwards.
    """

    steps: tuple[Step, ...]
    keep: frozenset[int]

    def run(self, given: Mapping[int, Tensor], below: Values | None = None) -> Values:
        """The values to keep, from those given and those of other runs below."""
        values = Values(self._parts, below)
        values.store(tuple(given), tuple(given.values()))
        for step, ends in zip(self.steps, self._ends, strict=True):
            values.store(step.outputs, step.call(values.take(step.takes)))
            values.free(ends)
        return values

    @cached_property
    def made(self) -> frozenset[int]:
        """All outputs."""
        return frozenset(value for step in self.steps for value in step.outputs)

    @cached_property
    def taken(self) -> frozenset[int]:
        """All inputs that are not outputs."""
        return frozenset(value for step in self.steps for value, _ in step.takes) - self.made

    @cached_property
    def allocates(self) -> int:
        """Elements that all steps allocate."""
        return sum(step.allocates for step in self.steps)

    @cached_property
    def _parts(self) -> Parts:
        return parts_of(take for step in self.steps for take in step.takes)

    @cached_property
    def _ends(self) -> tuple[tuple[int, ...], ...]:
        """For each step the values that no later one needs."""
        last: dict[int, int] = {}
        for position, step in enumerate(self.steps):
            for value in (*step.outputs, *(value for value, _ in step.takes)):
                last[value] = position
        ends: list[list[int]] = [[] for _ in self.steps]
        for value, position in last.items():
            if value not in self.keep:
                ends[position].append(value)
        return tuple(tuple(values) for values in ends)
