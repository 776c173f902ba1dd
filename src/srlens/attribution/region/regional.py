"""Regional evaluation as the evaluator uses it: try, verify, fall back with a reason."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from srlens.attribution.region.capture import Callee, Capture, capture, captured, forget
from srlens.attribution.region.plan import Plan, make_plan
from srlens.attribution.region.verify import Result, disagreement
from srlens.attribution.window import Window

Source = Callable[[Tensor], Tensor]
"""N×C×h×w LR images to the SR window, N×C'×height×width."""
Differentiate = Callable[[Tensor, Source], Result]
"""Patch and gradient at LR images (the first argument), the patch computed by a source."""

# Less is eaten up by cropping.
_LEAST_SAVED = 0.08
# Verifying costs one regional evaluation, so that n evaluations gain if n·saved > 1; with room for a bad estimate.
_LEAST_GAIN = 1.5


@dataclass(frozen=True)
class _Choice:
    """How to evaluate inputs of one shape."""

    plan: Plan | None
    description: str


class Regional:
    """Evaluates one window of one network, regionally where that is proven right and pays.

    Args:
        network: its weights frozen while it is evaluated.
        window: the SR pixels that are read.
        expected: the number of gradients that will be asked for.
        wanted: False to evaluate in full always.
        trusted: True to leave out the verification if it has succeeded for another window of the same network and
            image size. What it can find (a custom backward pass, a detach) is a matter of the
            network, not of the window; what it guards against besides is a network that was changed since.
    """

    def __init__(
        self, network: Callee, window: Window, expected: int, *, wanted: bool = True, trusted: bool = False
    ) -> None:
        self._network = network
        self._window = window
        self._expected = expected
        self._wanted = wanted
        self._trusted = trusted
        self._choices: dict[tuple[int, ...], _Choice] = {}
        self.description = "full (no gradient evaluated yet)" if wanted else "full (as asked)"

    def source(self, x: Tensor) -> Source:
        """The best proven way to compute the patch of images like ``x``."""
        choice = self._choices.get(tuple(x.shape))
        return choice.plan if choice is not None and choice.plan is not None else self.full

    def full(self, x: Tensor) -> Tensor:
        """The patch, by the whole network."""
        return self._crop(self._network(x))

    def evaluate(self, x: Tensor, differentiate: Differentiate) -> Result:
        """Patch and gradient at ``x``.

        The first evaluation of a shape is a full one, by the way recorded; then the plan is made and tried at the
        same input. Where they agree, further evaluations are regional.
        """
        if not self._wanted or tuple(x.shape) in self._choices:
            return differentiate(x, self.source(x))
        taken: list[Capture] = []
        known = captured(self._network, x)
        if known is None and self._expected / len(x) < _LEAST_GAIN + 1:  # not even a saving of all would repay
            self._choose(x, _Choice(None, "full (too few evaluations to repay the verification of a regional one)"))
            return differentiate(x, self.full)
        if known is not None:
            choice = self._plan(known, len(x))
            if choice.plan is None or self._trusts(known):
                self._choose(x, choice)
                return differentiate(x, self.source(x))
            result = differentiate(x, self.full)
        else:

            def recording(images: Tensor) -> Tensor:
                y, record = capture(self._network, images)
                taken.append(record)
                return self._crop(y)

            result = differentiate(x, recording)
            known = taken[0]
            choice = self._plan(known, len(x))
        if choice.plan is not None:
            choice = self._verified(choice, known, x, result, differentiate)
            if choice.plan is None and not taken:  # perhaps the network was changed since it was recorded
                forget(self._network, x)
        self._choose(x, choice)
        return result

    def _choose(self, x: Tensor, choice: _Choice) -> None:
        self._choices[tuple(x.shape)] = choice
        self.description = choice.description

    def _trusts(self, record: Capture) -> bool:
        return self._trusted and record.verified > 0

    def _plan(self, record: Capture, batch: int) -> _Choice:
        if record.graph is None:
            return _Choice(None, f"full ({record.reason})")
        w = self._window
        try:
            plan = make_plan(record.graph, (w.top, w.bottom), (w.left, w.right))
        except Exception as error:  # an operator used in a way that its rule does not foresee must not stop anybody
            record.reject(f"no plan: {type(error).__name__}: {error}")
            return _Choice(None, f"full ({record.reason})")
        if plan.saved < _LEAST_SAVED:
            return _Choice(None, f"full (the window needs {1 - plan.saved:.0%} of the multiply-adds)")
        if not self._trusts(record) and self._expected / batch * plan.saved < _LEAST_GAIN:
            return _Choice(None, f"full (too few evaluations to save {plan.saved:.0%} of the multiply-adds)")
        return _Choice(plan, f"regional ({1 - plan.saved:.0%} of the multiply-adds)")

    def _verified(
        self, choice: _Choice, record: Capture, x: Tensor, result: Result, differentiate: Differentiate
    ) -> _Choice:
        assert choice.plan is not None
        try:
            regional = differentiate(x, choice.plan)
            reason = disagreement(
                result, regional, self._network.dtype, lambda e: differentiate(x.detach() * (1 + e), self.full)
            )
        except torch.OutOfMemoryError:
            raise
        except Exception as error:  # see _plan
            reason = f"it failed: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        if reason is not None:
            record.reject(f"regional evaluation was rejected: {reason}")
            return _Choice(None, f"full ({record.reason})")
        record.verified += 1
        return choice

    def _crop(self, y: Tensor) -> Tensor:
        w = self._window
        return y[..., w.top : w.bottom, w.left : w.right]
