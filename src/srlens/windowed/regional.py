"""Windows of one network: regional evaluation where that is proven right and pays, else in full with a reason."""

from collections.abc import Sequence

import torch
from torch import Tensor

from srlens.imaging.window import Window
from srlens.windowed.memory import Segmented, TooLargeError
from srlens.windowed.plan import Plan
from srlens.windowed.proof import Differentiate, Result, difference_of_gradients, difference_of_windows
from srlens.windowed.shared import Forward, SharedForward, whole_forward
from srlens.windowed.windowed import Record, Windowed

# Less is eaten up by cropping.
_LEAST_SAVED = 0.08
# What channels last saves, about (see windowed).
_SAVED_BY_FORMAT = 0.1
# Recording and verifying cost two forward passes and one evaluation, so that n evaluations gain if n·saved > 1.7 or so.
_LEAST_GAIN = 1.5
# Fewer do not repay record, plan and verification, unless nearly everything is saved.
_LEAST_EVALUATIONS = 6


class Regional:
    """Evaluates windows of one network at one input after another; what they have in common is computed once.

    Args:
        windowed: what is known of the network, whose weights are frozen while it is evaluated.
        windows: in output pixels.
        expected: the number of gradients that will be asked for, of all windows together; few do not repay the
            verification.

    Attributes:
        description: how it evaluates now: ``"regional (…% of the multiply-adds)"`` or ``"full (reason)"``.
    """

    def __init__(self, windowed: Windowed, windows: Sequence[Window], expected: int) -> None:
        self._windowed = windowed
        self._windows = tuple(windows)
        self._expected = expected
        self._full = whole_forward(windowed.network, windows)
        self._forwards: dict[tuple[int, ...], Forward] = {}
        self._of_values: dict[tuple[int, ...], Forward] = {}  # whose gradients were compared with nothing
        self._plans: list[Plan] = []  # by which the windows are evaluated now
        self._known: list[tuple[Tensor, list[Tensor]]] = []  # inputs (CPU) and the windows there, as they were compared
        self.description = "full (nothing evaluated yet)" if windowed.wanted else "full (as asked)"

    @property
    def given(self) -> list[tuple[int, int, int, int] | None]:
        """The part of the input that each window is computed from: top, left, bottom, right; None: it may be all."""
        boxes = [plan.given for plan in self._plans] or [None] * len(self._windows)
        return [None if box is None else (box[-2][0], box[-1][0], box[-2][1], box[-1][1]) for box in boxes]

    def patches(self, x: Tensor) -> list[Tensor]:
        """Each window for x, which is on the CPU, without gradient."""
        for given, patches in self._known:
            if torch.equal(given, x):
                return patches
        shape = tuple(x.shape)
        with torch.no_grad():
            there = x.to(self._windowed.network.device, copy=True)
            return list((self._forwards.get(shape) or self._of_values.get(shape, self._full))(there))

    def prepare_values(self, x: Tensor) -> None:
        """Choose how :meth:`patches` computes windows at inputs like ``x``: by plans where that pays and agrees.

        The windows at the known inputs are compared with the whole network's. No gradient is taken, and none may follow
        from it: :meth:`evaluate` compares for itself.
        """
        shape = tuple(x.shape)
        if not self._windowed.wanted or shape in self._of_values:
            return
        plans = self._worthwhile(x)
        reason = plans if isinstance(plans, str) else self._failure_of_values(x, plans)
        if reason:
            self._known = []
            self._of_values[shape], self.description = self._full, f"full ({reason})"

    def _failure_of_values(self, x: Tensor, plans: list[Plan]) -> str:
        """Why plans are not used for values; empty where they are chosen."""
        record = self._windowed.of(x)
        self._of_values[tuple(x.shape)], self.description = SharedForward(plans), _described(plans)
        try:
            reason = self._difference(record)
        except torch.OutOfMemoryError:
            raise
        except Exception as error:  # the network's own code runs here; evaluated in full, its errors pass
            reason = _failed(error)
        if reason:
            record.graph = f"regional evaluation was rejected: {reason}"
            return record.graph
        return ""

    def evaluate(self, x: Tensor, differentiate: Differentiate, *, measuring: bool = False) -> list[Result]:
        """Patch and gradient of each window at ``x``.

        At the first evaluation of a network at a shape, it is recorded, and evaluated in full and by a plan at the
        same input. Where the two agree, and the windows at the known inputs too (see :class:`Windowed`), this and
        further evaluations are regional; of other windows those at known inputs are compared alone. What is returned
        does not depend on whether this is the first.

        Where one window takes more than the memory allowed, a plan is run that needs less.

        Args:
            x: N×C×h×w.
            differentiate: evaluates.
            measuring: in full this time, with nothing compared.

        Raises:
            TooLargeError: no way to evaluate keeps within the memory allowed.
        """
        windowed, shape = self._windowed, tuple(x.shape)
        if measuring:
            self.description = "full (to measure its memory)"
            return differentiate(x, self._full)
        try:
            if windowed.wanted and shape not in self._forwards:
                plans = self._worthwhile(x)
                results = plans if isinstance(plans, str) else self._verified(x, plans, differentiate)
                if not isinstance(results, str):
                    return results
                self._choose(x, self._full, f"full ({results})")
            return differentiate(x, self._forwards.get(shape, self._full))
        except TooLargeError:
            if windowed.memory is None or len(x) > 1 or not windowed.wanted:  # fewer inputs at once are a better remedy
                raise
        return differentiate(x, self._confined(x, windowed.memory))

    def _worthwhile(self, x: Tensor) -> list[Plan] | str:
        """Plans that save enough, or why there are none."""
        if self._expected / len(x) < _LEAST_EVALUATIONS:
            return "too few evaluations to repay the verification of a regional one"
        plans = self._windowed.plans(x, self._windows)
        if isinstance(plans, str):
            return plans
        needed = sum(1 - plan.saved for plan in plans) / len(plans)
        saved = 1 - needed * (1 - _SAVED_BY_FORMAT * (plans[0].memory_format == torch.channels_last))
        if saved < _LEAST_SAVED:
            return f"the window needs {needed:.0%} of the multiply-adds"
        return plans if self._expected / len(x) * saved >= _LEAST_GAIN else f"too few evaluations to save {saved:.0%}"

    def _verified(self, x: Tensor, plans: list[Plan], differentiate: Differentiate) -> list[Result] | str:
        """The results at x by plans, which are chosen if they are those of the whole network; or why they are not."""
        record, outputs = self._windowed.of(x), list[Tensor]()
        try:
            results = differentiate(x, self._choose(x, SharedForward(plans), _described(plans), plans))
            self._known = [(x.detach().cpu(), [result.patch for result in results])]
            reason = self._difference(record)
            if not reason and not record.proven:
                whole = whole_forward(self._windowed.network, self._windows[:1], outputs)
                reason = difference_of_gradients(results[0], x, differentiate, whole, plans[0].memory_format)
        except torch.OutOfMemoryError:
            raise
        except Exception as error:  # the network's own code runs here; evaluated in full, its errors pass
            reason = _failed(error)
        if reason:
            self._known = []
            record.graph = f"regional evaluation was rejected: {reason}"
            return record.graph
        record.known += tuple((x.detach(), y) for y in outputs[:1])
        record.proven = True
        return results

    def _difference(self, record: Record) -> str:
        """How windows differ from the whole network's at the known inputs; empty if they do not."""
        for x, y in record.known:
            patches = self.patches(here := x.cpu())
            for window, patch in zip(self._windows, patches, strict=True):
                if difference := difference_of_windows(patch, window.crop(y), self._windowed.network.dtype):
                    return difference
            self._known.append((here, patches))
        return ""

    def _choose(self, x: Tensor, forward: Forward, description: str, plans: Sequence[Plan] = ()) -> Forward:
        self._forwards[tuple(x.shape)] = forward
        self._plans = list(plans)
        self.description = description
        return forward

    def _confined(self, x: Tensor, memory: int) -> Forward:
        """A way to compute one window within ``memory`` bytes: by a plan, in segments where that is not enough.

        A gradient of the whole network does not fit. The window is compared with the whole network's at the known
        inputs, and the gradient is that of the operators, since a record holds nothing that has another.
        """
        plans = self._windowed.plans(x, self._windows)
        if isinstance(plans, str):
            raise TooLargeError(f"{_EXCEEDS}, and it cannot be divided: {plans}.")
        forward: Forward = SharedForward(plans)
        how = ""
        # Half is for all values of a segment, and those between segments; see memory for the rest.
        allowed = memory / 2 / self._windowed.network.dtype.itemsize
        if plans[0].program.allocates > allowed:
            forward = divided = Segmented(plans[0])
            how = f", recomputed in {len(divided.segments)} segments"
            if divided.elements > allowed:
                needed = divided.elements / allowed * memory / 2**20
                raise TooLargeError(f"{_EXCEEDS}; {how[2:]} it takes {needed:.0f} MiB.")
        self._choose(x, forward, _described(plans, how), plans)
        if difference := self._difference(self._windowed.of(x)):
            raise TooLargeError(f"{_EXCEEDS}, and it cannot be divided: {difference}.")
        return forward


def _failed(error: Exception) -> str:
    return f"it failed: {type(error).__name__}: {next(iter(str(error).splitlines()), '')}"


_EXCEEDS = "One gradient evaluation keeps more than memory"


def _described(plans: Sequence[Plan], how: str = "") -> str:
    """What plans compute, in words."""
    shared = f", shared by {len(plans)} windows" if len(plans) > 1 else ""
    needed = sum(1 - plan.saved for plan in plans) / len(plans)
    last = ", channels last" if plans[0].memory_format == torch.channels_last and not shared else ""
    return f"regional{shared} ({needed:.0%} of the multiply-adds{last}{how})"
