"""Regional evaluation as the evaluator uses it: try, verify, fall back with a reason."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from srlens.imaging.window import Window
from srlens.windowed.bound import TooLargeError
from srlens.windowed.layout import laid_out
from srlens.windowed.plan import Plan, Source, make_plan
from srlens.windowed.records import Capture, Records
from srlens.windowed.sparing import sparing_source
from srlens.windowed.verify import Result, agrees, disagreement

Differentiate = Callable[[Tensor, Source], Result]
"""Patch and gradient at LR images (the first argument), the patch computed by a source."""

# Less is eaten up by cropping.
_LEAST_SAVED = 0.08
# Recording and verifying cost a forward pass and one evaluation, so that n evaluations gain if n·saved > 1.4 or so.
_LEAST_GAIN = 1.5
# Fewer do not repay record, plan and verification, unless nearly everything is saved.
_LEAST_EVALUATIONS = 6
# What channels last saves, about (see layout).
_SAVED_BY_LAYOUT = 0.1


@dataclass(frozen=True)
class _Choice:
    """How to evaluate inputs of one shape; without a source in full."""

    source: Source | None
    description: str


class Regional:
    """Evaluates one window of one network, regionally where that is proven right and pays.

    Args:
        records: of the network, whose weights are frozen while it is evaluated.
        window: the SR pixels that are read.
        expected: the number of gradients that will be asked for.
        wanted: False to evaluate in full always.
        memory: bytes that ``Differentiate`` may keep, beyond which it raises TooLargeError; None: any number.
    """

    def __init__(
        self, records: Records, window: Window, expected: int, *, wanted: bool = True, memory: int | None = None
    ) -> None:
        self._records = records
        self._network = records.network
        self._window = window
        self._expected = expected
        self._wanted = wanted
        self._memory = memory
        self._choices: dict[tuple[int, ...], _Choice] = {}
        self.description = "full (no gradient evaluated yet)" if wanted else "full (as asked)"

    def source(self, x: Tensor) -> Source:
        """The best proven way to compute the patch of images like ``x``."""
        choice = self._choices.get(tuple(x.shape))
        return choice.source if choice is not None and choice.source is not None else self.full

    def full(self, x: Tensor) -> Tensor:
        """The patch, by the whole network."""
        return self._window.crop(self._network(x))

    def evaluate(self, x: Tensor, differentiate: Differentiate) -> Result:
        """Patch and gradient at ``x``.

        At the first evaluation of a network at a shape, it is recorded, and evaluated in full and by a plan at the
        same input. Where the two agree, this and further evaluations are regional, as are all those of other windows
        as long as the network does not change. What is returned does not depend on whether this is the first.

        Where that takes more than the memory allowed, a plan is run that needs less.

        Raises:
            TooLargeError: no way to evaluate keeps within the memory allowed.
        """
        try:
            return self._evaluate(x, differentiate)
        except TooLargeError:
            if self._memory is None or len(x) > 1 or not self._wanted:  # fewer images at once are the better remedy
                raise
        source, description = sparing_source(self._records, x, self._window, self._memory)
        self._choose(x, _Choice(source, description))
        return differentiate(x, source)

    def _evaluate(self, x: Tensor, differentiate: Differentiate) -> Result:
        if not self._wanted or tuple(x.shape) in self._choices:
            return differentiate(x, self.source(x))
        if self._expected / len(x) < _LEAST_EVALUATIONS:
            self._choose(x, _Choice(None, "full (too few evaluations to repay the verification of a regional one)"))
            return differentiate(x, self.full)
        y: Tensor | None = None
        record = self._records.known(x)
        if record is None:
            y, record = self._records.make(x)
        choice = self._plan(record, x)
        while isinstance(choice.source, Plan):
            regional = self._try(choice.source, record, x, y, differentiate)
            if regional is not None:
                self._choose(x, choice)
                return regional
            choice = self._plan(record, x)  # in another memory format, or none
        self._choose(x, choice)
        return differentiate(x, self.full)

    def _choose(self, x: Tensor, choice: _Choice) -> None:
        self._choices[tuple(x.shape)] = choice
        self.description = choice.description

    def _plan(self, record: Capture, x: Tensor) -> _Choice:
        if record.graph is None:
            return _Choice(None, f"full ({record.reason})")
        try:
            plan = make_plan(record.graph, self._window, record.memory_format)
        except Exception as error:  # an operator used in a way that its rule does not foresee must not stop anybody
            record.reject(f"no plan: {type(error).__name__}: {error}")
            return _Choice(None, f"full ({record.reason})")
        needed = 1 - plan.saved
        by_pixel = plan.memory_format == torch.channels_last
        saved = 1 - needed * (1 - _SAVED_BY_LAYOUT) if by_pixel else plan.saved
        if saved < _LEAST_SAVED:
            return _Choice(None, f"full (the window needs {needed:.0%} of the multiply-adds)")
        if self._expected / len(x) * saved < _LEAST_GAIN:
            return _Choice(None, f"full (too few evaluations to save {saved:.0%})")
        how = ", channels last" if by_pixel else ""
        how += f", not channels last: {record.objection}" if record.objection is not None else ""
        return _Choice(plan, f"regional ({needed:.0%} of the multiply-adds{how})")

    def _try(
        self, plan: Plan, record: Capture, x: Tensor, y: Tensor | None, differentiate: Differentiate
    ) -> Result | None:
        """The plan's result, if it is known or now found to be that of the full evaluation; None if it is not.

        Args:
            plan: to be tried.
            record: that the plan was made from; it is told what comes out.
            x: the LR images.
            y: the network's SR images of x, if they are known.
            differentiate: evaluates.
        """
        layout = plan.memory_format
        reason = None
        full = None
        if not record.verified:
            # In the plan's memory format: another one rounds otherwise everywhere, which may flip a rectifier.
            full, reason = self._whole(layout, x, y, differentiate)
        regional: Result | None = None
        if reason is None:
            try:
                regional = differentiate(x, plan)
                if full is not None:
                    reason = disagreement(full, regional, self._network.dtype, self._again(layout, x, differentiate))
            except torch.OutOfMemoryError:
                raise
            except Exception as error:  # see _plan
                reason = _failure(error)
        if reason is not None:
            record.object_to(layout, reason)
            return None
        record.verified = True
        return regional

    def _whole(
        self, layout: torch.memory_format, x: Tensor, y: Tensor | None, differentiate: Differentiate
    ) -> tuple[Result | None, str | None]:
        """The full evaluation in a memory format, or why there is none."""
        if layout == torch.contiguous_format:
            return differentiate(x, self.full), None
        try:
            full = differentiate(x, self._full_in(layout))
        except torch.OutOfMemoryError:
            raise
        except Exception as error:  # the module's own code runs here; in the contiguous format its errors pass
            return None, _failure(error)
        if y is None:
            with torch.no_grad():
                y = self._network(x.detach().clone())
        if not agrees(full.patch, self._window.crop(y), self._network.dtype):
            return None, "the network's output depends on how its input lies in memory"
        return full, None

    def _full_in(self, layout: torch.memory_format) -> Source:
        return lambda images: self.full(laid_out(images, layout))

    def _again(self, layout: torch.memory_format, x: Tensor, differentiate: Differentiate) -> Callable[[float], Result]:
        return lambda change: differentiate(x.detach() * (1 + change), self._full_in(layout))


def _failure(error: Exception) -> str:
    return f"it failed: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
