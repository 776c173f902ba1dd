"""A bound on what autograd keeps of one evaluation; and plans in segments, which keep less.

Only what passes between segments is kept, and each is run again in the backward pass: Chen et al., Training deep nets
with sublinear memory cost, arXiv 1604.06174. Here the cuts between segments are placed by the sizes in the record,
whatever the network's own code looks like.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from srlens.windowed.plan import Plan
from srlens.windowed.program import Program, Step
from srlens.windowed.recorder import last_written


class TooLargeError(torch.OutOfMemoryError):
    """An evaluation would keep more than it may."""


# The rest is for what is at work at any time. Measured on the CPU, with what the allocator holds back: DCTLSA and CRAFT
# at LR 160×160 take up to 2.2 times what they keep for the backward pass.
_KEPT = 0.4


def bounded(memory: int | None, module: nn.Module) -> AbstractContextManager[None]:
    """Within the block, TooLargeError as soon as autograd keeps more than it may of ``memory`` bytes.

    Weights are not counted. None: no bound.
    """
    if memory is None:
        return nullcontext()
    seen = {t.untyped_storage().data_ptr() for t in (*module.parameters(), *module.buffers())}
    kept = 0

    def pack(tensor: Tensor) -> tuple[Tensor, int | None]:
        nonlocal kept
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in seen:
            seen.add(storage.data_ptr())
            kept += storage.nbytes()
            if kept > memory * _KEPT:
                raise TooLargeError(f"One gradient evaluation keeps more than memory={memory / 2**20:.3g} MiB allows.")
        # Detached, since an operator that saves its own output would keep itself alive for ever.
        return tensor.detach(), last_written(tensor)

    def unpack(packed: tuple[Tensor, int | None]) -> Tensor:
        tensor, written = packed
        if last_written(tensor) != written:  # autograd's own check does not run where there are hooks
            raise RuntimeError("a tensor needed for the gradient has been modified by an inplace operation")
        return tensor

    hooks: AbstractContextManager[None] = torch.autograd.graph.saved_tensors_hooks(pack, unpack)
    return hooks


class Segmented:
    """Runs a plan in the number of segments that should need the least memory.

    Attributes:
        segments: in order.
        elements: the numbers that are kept at the peak, estimated from the sizes of all values.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        choices = [_divided(plan.program, count) for count in range(1, 65)]
        self.segments = min(choices, key=_kept)
        self.elements = _kept(self.segments)

    def __call__(self, x: Tensor) -> Iterator[Tensor]:
        """The one window of the outputs for x (N×C×h×w); differentiable."""
        values = {0: self._plan.given_part(x)}
        for segment in self.segments:
            taken = {value: values[value] for value in segment.taken}
            # What draws random numbers is not recorded.
            values |= checkpoint(segment.run, taken, use_reentrant=False, preserve_rng_state=False)
        yield self._plan.window_in(values)


def _divided(program: Program, count: int) -> list[Program]:
    """``count`` segments of about equal size, fewer where steps are large."""
    pieces: list[list[Step]] = [[]]
    done = 0
    for step in program.steps:
        if pieces[-1] and done >= program.allocates * len(pieces) / count:
            pieces.append([])
        pieces[-1].append(step)
        done += step.allocates
    segments: list[Program] = []
    needed = program.keep  # by what comes later
    for steps in reversed(pieces):
        segments.insert(0, Program(tuple(steps), needed))
        needed = (needed - segments[0].made) | segments[0].taken
    return segments


def _kept(segments: list[Program]) -> int:
    """Everything that passes between segments, and the largest segment while it is run again."""
    passing = [step.size for segment in segments for step in segment.steps if segment.keep.intersection(step.outputs)]
    return sum(passing) + max(segment.allocates for segment in segments)
