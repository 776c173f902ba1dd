"""One network, evaluated where windows of its output need it: what its owner keeps between windows."""

from collections.abc import Sequence

from torch import Tensor

from srlens.imaging.window import Window
from srlens.windowed.plan import Plan
from srlens.windowed.proof import Differentiate
from srlens.windowed.records import Callee, Records
from srlens.windowed.regional import Regional
from srlens.windowed.shared import SharedForward, WholeForward


class Windowed:
    """One network's windowed evaluation: its records by input shape, and what was proven of them.

    Its owner keeps it, and every further window of the network costs no record and no verification. Nothing is kept
    elsewhere. It is not to be shared between threads. Weights that are replaced, or written to in a way that PyTorch
    counts (not through ``.data``), are noticed, and the network is recorded anew.

    Args:
        network: its weights frozen while it is evaluated.
        memory: bytes that ``Differentiate`` may keep, beyond which it raises TooLargeError; None: any number.
        wanted: False to evaluate in full always.
    """

    def __init__(self, network: Callee, *, memory: int | None = None, wanted: bool = True) -> None:
        self.network = network
        self.memory = memory
        self._records = Records(network, memory, wanted)

    def at(self, window: Window, expected: int) -> Regional:
        """Evaluation of one window of the output.

        Args:
            window: in output pixels.
            expected: the number of gradients that will be asked for; few do not repay the verification.
        """
        return Regional(self._records, window, expected)

    def shared(
        self, x: Tensor, windows: Sequence[Window], differentiate: Differentiate, expected: int
    ) -> tuple[SharedForward | WholeForward, str]:
        """Evaluation of several windows at one input, what they have in common computed once; and in words, how.

        The bound on memory does not hold for it.

        Args:
            x: an input, 1×C×h×w; others are to have its shape.
            windows: in output pixels.
            differentiate: evaluates the first window at ``x``, where plans of this network are not proven yet.
            expected: the number of gradients that will be asked for, of all windows together.
        """
        whole = WholeForward(self.network, windows)
        if not self._records.wanted:
            return whole, "full (as asked)"
        record, _ = self._records.of(x)
        if not record.proven:
            first = self.at(windows[0], expected)
            first.evaluate(x, differentiate)
            if not record.proven:
                return whole, first.description
        plans = [self._records.plan(record, window) for window in windows]
        ready = [plan for plan in plans if isinstance(plan, Plan)]
        if len(ready) < len(plans):
            return whole, f"full ({record.graph})"
        needed = 1 - sum(plan.saved for plan in ready) / len(ready)
        return SharedForward(ready), f"regional, shared by {len(ready)} windows ({needed:.0%} of the multiply-adds)"
