"""Steps in order, and running them: every value is let go of after its last use."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from torch import Tensor

from srlens.windowed.box import Box, cut_all

Take = tuple[int, Box | None]
"""A value and a part of it; None: the whole."""
Values = Mapping[int, Tensor]
"""Tensors by the number of their value."""


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


@dataclass(frozen=True)
class Program:
    """Steps that are run together.

    Attributes:
        steps: in order.
        keep: values that are wanted afterwards.
    """

    steps: tuple[Step, ...]
    keep: frozenset[int]

    def run(self, given: Values, shared: Values | None = None) -> Values:
        """The values to keep (and those given), from values that are given and those of another run.

        All parts of a value are cut at once, so that their gradients meet in one tensor.
        """
        values, others = dict(given), shared or {}
        parts: dict[int, dict[Box, Tensor]] = {}

        def take(value: int, box: Box | None) -> Tensor:
            whole = values[value] if value in values else others[value]
            if box is None:
                return whole
            if value not in parts:
                parts[value] = dict(zip(self._parts[value], cut_all(whole, self._parts[value]), strict=True))
            return parts[value][box]

        for step, ends in zip(self.steps, self._ends, strict=True):
            result = step.call([take(*one) for one in step.takes])
            # A restricted call may return more than its first output, which is all that is asked of it.
            values.update(zip(step.outputs, (result,) if isinstance(result, Tensor) else result, strict=False))
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
        return frozenset(value for step in self.steps for value, _ in step.takes) - self.made

    @cached_property
    def allocates(self) -> int:
        """Elements that all steps allocate."""
        return sum(step.allocates for step in self.steps)

    @cached_property
    def _parts(self) -> Mapping[int, tuple[Box, ...]]:
        """All parts that are taken of each value, each once."""
        parts: dict[int, dict[Box, None]] = {}
        for value, box in (take for step in self.steps for take in step.takes):
            if box is not None:
                parts.setdefault(value, {})[box] = None
        return {value: tuple(boxes) for value, boxes in parts.items()}

    @cached_property
    def _ends(self) -> list[list[int]]:
        """For each step the values that no later one needs."""
        return ends_of([(*step.outputs, *(value for value, _ in step.takes)) for step in self.steps], self.keep)


def ends_of(used: Sequence[Sequence[int]], keep: frozenset[int]) -> list[list[int]]:
    """For each of several steps, from the values that it uses, those that no later one needs and that are not kept."""
    last = {value: position for position, values in enumerate(used) for value in values}
    ends: list[list[int]] = [[] for _ in used]
    for value, position in last.items():
        if value not in keep:
            ends[position].append(value)
    return ends
