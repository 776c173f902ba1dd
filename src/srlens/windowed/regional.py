"""One window of one network: regional evaluation where that is proven right and pays, else in full with a reason."""

import torch
from torch import Tensor

from srlens.imaging.window import Window
from srlens.windowed.memory import Segmented, TooLargeError
from srlens.windowed.plan import Plan, Source
from srlens.windowed.proof import Differentiate, Result, agrees, gradient_of_sines, tried
from srlens.windowed.records import Record, Records

# Less is eaten up by cropping.
_LEAST_SAVED = 0.08
# Recording and verifying cost a forward pass and one evaluation, so that n evaluations gain if n·saved > 1.4 or so.
_LEAST_GAIN = 1.5
# Fewer do not repay record, plan and verification, unless nearly everything is saved.
_LEAST_EVALUATIONS = 6
# What channels last saves, about (see records).
_SAVED_BY_FORMAT = 0.1
# Share of the memory that all values of a segment, and those between segments, may take; see memory for the rest.
_VALUES = 0.5
_PROVING_SIDE = 48  # input pixels
_PROVING_WINDOW = 8  # output pixels
_EXCEEDS = "One gradient evaluation keeps more than memory"


class Regional:
    """Evaluates one window of one network.

    Args:
        records: of the network, whose weights are frozen while it is evaluated.
        window: in output pixels.
        expected: the number of gradients that will be asked for.

    Attributes:
        description: how it evaluates now: ``"regional (…% of the multiply-adds)"`` or ``"full (reason)"``.
    """

    def __init__(self, records: Records, window: Window, expected: int) -> None:
        self._records = records
        self._window = window
        self._expected = expected
        self._sources: dict[tuple[int, ...], Source] = {}
        self.description = "full (no gradient evaluated yet)" if records.wanted else "full (as asked)"

    def source(self, x: Tensor) -> Source:
        """The best proven way to compute the window for inputs like ``x``."""
        return self._sources.get(tuple(x.shape), self.full)

    def full(self, x: Tensor) -> Tensor:
        """The window, by the whole network."""
        return self._window.crop(self._records.network(x))

    def evaluate(self, x: Tensor, differentiate: Differentiate) -> Result:
        """Patch and gradient at ``x``.

        At the first evaluation of a network at a shape, it is recorded, and evaluated in full and by a plan at the
        same input. Where the two agree, this and further evaluations are regional, as are all those of other windows
        as long as the network does not change. What is returned does not depend on whether this is the first.

        Where that takes more than the memory allowed, a plan is run that needs less.

        Raises:
            TooLargeError: no way to evaluate keeps within the memory allowed.
        """
        records = self._records
        try:
            if records.wanted and tuple(x.shape) not in self._sources:
                return self._first(x, differentiate)
            return differentiate(x, self.source(x))
        except TooLargeError:
            if records.memory is None or len(x) > 1 or not records.wanted:  # fewer inputs at once are a better remedy
                raise
        return differentiate(x, self._confined(x, records.memory))

    def _first(self, x: Tensor, differentiate: Differentiate) -> Result:
        if self._expected / len(x) < _LEAST_EVALUATIONS:
            few = "full (too few evaluations to repay the verification of a regional one)"
            return differentiate(x, self._choose(x, self.full, few))
        record, y = self._records.of(x)
        plan = self._worthwhile(record, x)
        while isinstance(plan, Plan):
            whole = None
            if not record.proven:
                whole = self.full, self._window.crop(y if y is not None else self._records.output(x))
            result = tried(plan, x, self._records.network.dtype, differentiate, whole)
            if isinstance(result, Result):
                record.proven = True
                self._choose(x, plan, f"regional ({self._records.described(plan)})")
                return result
            self._records.refuse(record, plan, result)
            plan = self._worthwhile(record, x)  # in another memory format, or none
        return differentiate(x, self._choose(x, self.full, f"full ({plan})"))

    def _worthwhile(self, record: Record, x: Tensor) -> Plan | str:
        """A plan that saves enough, or why there is none."""
        plan = self._records.plan(record, self._window)
        if isinstance(plan, str):
            return plan
        saved = 1 - (1 - plan.saved) * (1 - _SAVED_BY_FORMAT * (plan.memory_format == torch.channels_last))
        if saved < _LEAST_SAVED:
            return f"the window needs {1 - plan.saved:.0%} of the multiply-adds"
        if self._expected / len(x) * saved < _LEAST_GAIN:
            return f"too few evaluations to save {saved:.0%}"
        return plan

    def _choose(self, x: Tensor, source: Source, description: str) -> Source:
        self._sources[tuple(x.shape)] = source
        self.description = description
        return source

    def _confined(self, x: Tensor, memory: int) -> Source:
        """A way to compute the window within ``memory`` bytes: by a plan, in segments where that is not enough.

        The window is compared with the whole network's at x. The gradient there does not fit into memory; that plans
        of this network have its gradient is shown on a corner of x.
        """
        records, dtype = self._records, self._records.network.dtype
        record, y = records.of(x)
        plan = records.plan(record, self._window)
        if isinstance(plan, str):
            raise TooLargeError(f"{_EXCEEDS}, and it cannot be divided: {plan}.")
        how = records.described(plan)
        source: Source = plan
        allowed = memory * _VALUES / dtype.itemsize
        if plan.program.allocates > allowed:
            source = divided = Segmented(plan)
            recomputed = f"recomputed in {len(divided.segments)} segments"
            how += f", {recomputed}"
            if divided.elements > allowed:
                needed = divided.elements / allowed * memory / 2**20
                raise TooLargeError(f"{_EXCEEDS}; {recomputed} it takes {needed:.0f} MiB.")
        with torch.no_grad():
            patch = source(x.detach())
        reason = None
        if not agrees(patch, self._window.crop(y if y is not None else records.output(x)), dtype):
            reason = "its window differs"
        elif not record.proven:
            reason = self._disproved(x)
        if reason is not None:
            records.refuse(record, plan, reason)
            return self._confined(x, memory)  # in another memory format, or told that there is no plan
        record.proven = True
        return self._choose(x, source, f"regional ({how})")

    def _disproved(self, x: Tensor) -> str | None:
        """Why plans of this network do not have its gradient, from a corner of the input; None if they have."""
        corner = x[:1, :, :_PROVING_SIDE, :_PROVING_SIDE].detach().contiguous()
        y = self._records.output(corner)
        height, width = (min(side, _PROVING_WINDOW) for side in y.shape[-2:])
        window = Window((y.shape[-2] - height) // 2, (y.shape[-1] - width) // 2, height, width)
        plan = self._records.plan(self._records.of(corner)[0], window)
        if isinstance(plan, str):
            return f"on a corner of {tuple(corner.shape[-2:])} pixels {plan}"
        whole = Regional(self._records, window, 1).full, window.crop(y)
        result = tried(plan, corner, self._records.network.dtype, gradient_of_sines, whole)
        return result if isinstance(result, str) else None
