"""The values of a run: what has been computed, and the parts that the steps take of it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from torch import Tensor

from srlens.windowed.cut import Cuts, cut_all

Parts = Mapping[int, tuple[Cuts, ...]]
"""The parts that will be taken of each value."""
Take = tuple[int, Cuts]
"""A value and a part of it; no cuts: the whole."""


def parts_of(takes: Iterable[Take]) -> Parts:
    """All parts that are taken, each once, by value."""
    parts: dict[int, dict[Cuts, None]] = {}
    for value, cuts in takes:
        if cuts:
            parts.setdefault(value, {})[cuts] = None
    return {value: tuple(all_cuts) for value, all_cuts in parts.items()}


class Values:
    """Holds values by number; all parts of one are cut at once, so that their gradients meet in one tensor.

    Args:
        parts: what will be taken.
        below: values that are shared with other runs.
    """

    def __init__(self, parts: Parts, below: "Values | None" = None) -> None:
        self._parts = parts
        self._below = below
        self._whole: dict[int, Tensor] = {}
        self._cut: dict[int, dict[Cuts, Tensor]] = {}

    def whole(self, value: int) -> Tensor:
        """A value in full."""
        if value in self._whole or self._below is None:
            return self._whole[value]
        return self._below.whole(value)

    def take(self, takes: Sequence[Take]) -> list[Tensor]:
        """Values and parts of values."""
        return [self._part(value, cuts) if cuts else self.whole(value) for value, cuts in takes]

    def store(self, outputs: Sequence[int], result: Any) -> None:
        """Keep what a call returned: a tensor, or as many as there are outputs."""
        if isinstance(result, Tensor):
            self._whole[outputs[0]] = result
        else:
            self._whole.update(zip(outputs, result, strict=True))

    def free(self, values: Iterable[int]) -> None:
        """Let go of values that are not needed any more."""
        for value in values:
            self._whole.pop(value, None)
            self._cut.pop(value, None)

    def _part(self, value: int, cuts: Cuts) -> Tensor:
        if value not in self._cut:
            parts = self._parts[value]
            self._cut[value] = dict(zip(parts, cut_all(self.whole(value), parts), strict=True))
        return self._cut[value][cuts]
