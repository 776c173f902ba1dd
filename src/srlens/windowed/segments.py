"""A plan in segments: only what passes between them is kept, and each is run again in the backward pass.

Chen et al., Training deep nets with sublinear memory cost, arXiv 1604.06174; here the cuts between segments are
placed by the sizes in the record, whatever the network's own code looks like.
"""

from dataclasses import dataclass

from torch import Tensor
from torch.utils.checkpoint import checkpoint

from srlens.windowed.plan import Plan
from srlens.windowed.program import Program, Step, ends_of

_MOST_SEGMENTS = 64


@dataclass(frozen=True)
class Segment:
    """Steps that are run together.

    Attributes:
        program: the steps.
        takes: values from before.
        gives: values that later segments, or the window, need.
    """

    program: Program
    takes: tuple[int, ...]
    gives: tuple[int, ...]

    def run(self, *taken: Tensor) -> tuple[Tensor, ...]:
        """The values of ``gives`` from those of ``takes``."""
        values = self.program.run(dict(zip(self.takes, taken, strict=True)))
        return tuple(values[value] for value in self.gives)


class Segmented:
    """Runs a plan in the number of segments that should need the least memory.

    Attributes:
        segments: in order.
        elements: the numbers that are kept at the peak, estimated from the sizes of all values.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        most = min(_MOST_SEGMENTS, len(plan.program.steps))
        choices = [_divided(plan.program, count) for count in range(1, most + 1)]
        self.elements, self.segments = min(
            ((_kept(plan.program, one), one) for one in choices), key=lambda choice: choice[0]
        )
        self._ends = ends_of([(*one.gives, *one.takes) for one in self.segments], plan.program.keep)

    def __call__(self, x: Tensor) -> Tensor:
        """The window of the outputs for x (N×C×h×w); differentiable."""
        live = {self._plan.given[0]: self._plan.given_part(x)}
        for segment, ends in zip(self.segments, self._ends, strict=True):
            results = checkpoint(
                segment.run,
                *[live[value] for value in segment.takes],
                use_reentrant=False,
                preserve_rng_state=False,  # what draws random numbers is not recorded
            )
            live.update(zip(segment.gives, results, strict=True))
            for value in ends:
                del live[value]
        return self._plan.window_in(live[self._plan.result[0]])


def _divided(program: Program, count: int) -> tuple[Segment, ...]:
    """``count`` segments of about equal size, fewer where steps are large."""
    pieces: list[list[Step]] = [[]]
    done = 0
    for step in program.steps:
        if pieces[-1] and done >= program.allocates * len(pieces) / count:
            pieces.append([])
        pieces[-1].append(step)
        done += step.allocates
    needed = program.keep  # by what comes later
    segments = []
    for steps in reversed(pieces):
        piece = Program(tuple(steps), needed)
        segments.append(Segment(piece, tuple(sorted(piece.taken)), tuple(sorted(piece.made & needed))))
        needed = (needed - piece.made) | piece.taken
    return tuple(reversed(segments))


def _kept(program: Program, segments: tuple[Segment, ...]) -> int:
    """Everything that passes between segments, and the largest segment while it is run again."""
    passing = {value for segment in segments for value in segment.gives}
    between = sum(step.size for step in program.steps if passing.intersection(step.outputs))
    return between + max(segment.program.allocates for segment in segments)
