"""A plan in segments: only what passes between them is kept, and each is run again in the backward pass.

Chen et al., Training deep nets with sublinear memory cost, arXiv 1604.06174; here the cuts between segments are
placed by the sizes in the record, whatever the network's own code looks like.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial

from torch import Tensor
from torch.utils.checkpoint import checkpoint

from srlens.attribution.region.cut import cut
from srlens.attribution.region.plan import Plan, Step
from srlens.attribution.region.values import Parts, Values, parts_of

_MOST_SEGMENTS = 64


@dataclass(frozen=True)
class Segment:
    """Steps that are run together.

    Attributes:
        steps: in order.
        takes: values from before.
        gives: values that later segments, or the patch, need.
    """

    steps: tuple[Step, ...]
    takes: tuple[int, ...]
    gives: tuple[int, ...]


class Checkpointed:
    """Runs a plan in the number of segments that should need the least memory.

    Attributes:
        segments: in order.
        elements: the numbers that are kept at the peak, estimated from the sizes of all values.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        most = min(_MOST_SEGMENTS, len(plan.steps))
        choices = [_divided(plan, count) for count in range(1, most + 1)]
        self.elements, self.segments = min(choices, key=lambda choice: choice[0])

    def __call__(self, x: Tensor) -> Tensor:
        """The SR window of the LR images x (N×C×h×w); differentiable."""
        live = {self._plan.given[0]: self._plan.given_part(x)}
        for segment, parts, ends in zip(self.segments, self._parts, self._ends, strict=True):
            results = checkpoint(
                partial(_run, segment, parts),
                *[live[value] for value in segment.takes],
                use_reentrant=False,
                preserve_rng_state=False,  # what draws random numbers is not recorded
            )
            live.update(zip(segment.gives, results, strict=True))
            for value in ends:
                del live[value]
        value, cuts = self._plan.result
        return cut(live[value], cuts)

    @cached_property
    def _parts(self) -> list[Parts]:
        return [parts_of(take for step in segment.steps for take in step.takes) for segment in self.segments]

    @cached_property
    def _ends(self) -> list[list[int]]:
        """The values that are needed for the last time, for each segment."""
        last = {value: k for k, segment in enumerate(self.segments) for value in (*segment.gives, *segment.takes)}
        last[self._plan.result[0]] = len(self.segments)
        return [[value for value, at in last.items() if at == k] for k in range(len(self.segments))]


def _run(segment: Segment, parts: Parts, *given: Tensor) -> tuple[Tensor, ...]:
    values = Values(parts)
    for value, tensor in zip(segment.takes, given, strict=True):
        values.store((value,), tensor)
    for step in segment.steps:
        values.store(step.outputs, step.call(values.take(step.takes)))
        values.free(value for value in step.frees if value not in segment.gives)
    return tuple(values.whole(value) for value in segment.gives)


def _divided(plan: Plan, count: int) -> tuple[int, tuple[Segment, ...]]:
    """``count`` segments of about equal size, fewer where steps are large, and the elements kept at the peak."""
    total = sum(step.allocates for step in plan.steps)
    pieces: list[list[Step]] = [[]]
    done = 0
    for step in plan.steps:
        if pieces[-1] and done >= total * len(pieces) / count:
            pieces.append([])
        pieces[-1].append(step)
        done += step.allocates
    return _kept(plan, pieces), _segments(plan, pieces)


def _segments(plan: Plan, pieces: Sequence[Sequence[Step]]) -> tuple[Segment, ...]:
    needed = {plan.result[0]}  # by what comes later
    segments = []
    for steps in reversed(pieces):
        made = {value for step in steps for value in step.outputs}
        taken = {value for step in steps for value, _ in step.takes}
        takes = taken - made
        segments.append(Segment(tuple(steps), tuple(sorted(takes)), tuple(sorted(made & needed))))
        needed = (needed - made) | takes
    return tuple(reversed(segments))


def _kept(plan: Plan, pieces: Sequence[Sequence[Step]]) -> int:
    """Everything that passes between segments, and the largest segment while it is run again."""
    passing = {value for segment in _segments(plan, pieces) for value in segment.gives}
    between = sum(step.size for step in plan.steps if passing.intersection(step.outputs))
    return between + max(sum(step.allocates for step in steps) for steps in pieces)
