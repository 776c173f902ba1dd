"""One network, evaluated where windows of its output need it: what its owner keeps, for one window and for many."""

from collections.abc import Callable, Sequence

from torch import Tensor

from srlens.imaging.window import Window
from srlens.windowed.plan import Plan
from srlens.windowed.program import Program, Step, Values
from srlens.windowed.proof import Differentiate
from srlens.windowed.records import Callee, Records
from srlens.windowed.regional import Regional


class SharedForward:
    """Runs the plans of several windows on one input; steps that all would take in full are taken once.

    With a global operator (pooling, attention) nearly the whole network is common, and a window costs its own tail and
    one backward pass. Without one, each window is a small crop and nothing is common.

    Args:
        plans: one a window, made from one graph.
    """

    def __init__(self, plans: Sequence[Plan]) -> None:
        self._plans = tuple(plans)
        self._own: list[Program] = []
        common: dict[int, Step] = {}
        needed = {0}
        for plan in plans:
            own = []
            # What is whole and made of wholes is the same for every window, also if it is made of parts of them (a
            # network that splits its channels). The input counts if no cut was made in it.
            whole = {0} if plan.given is None else set()
            for step in plan.program.steps:
                inputs = {value for value, _ in step.takes}
                if step.whole and inputs and inputs <= whole:
                    whole.update(step.outputs)
                    common[step.outputs[0]] = step
                else:
                    own.append(step)
                    needed |= inputs
            self._own.append(Program(tuple(own), plan.program.keep))
            needed |= plan.program.keep
        self._common = Program(tuple(common[value] for value in sorted(common)), frozenset(needed))

    def common(self, x: Tensor) -> Values:
        """The shared values at one input (1×C×h×w); differentiable."""
        return self._common.run({0: x.clone(memory_format=self._plans[0].memory_format)})

    def patch(self, index: int, common: Values) -> Tensor:
        """Window ``index`` of the output, from the shared values."""
        plan = self._plans[index]
        given = common if plan.given is None else {**common, 0: plan.given_part(common[0])}
        return plan.window_in(self._own[index].run(given))


class WholeForward:
    """The same for a network without a graph: one forward pass of everything, windows cut from its output.

    Args:
        network: takes 1×C×h×w.
        windows: in output pixels.
    """

    def __init__(self, network: Callable[[Tensor], Tensor], windows: Sequence[Window]) -> None:
        self._network = network
        self._windows = tuple(windows)

    def common(self, x: Tensor) -> Values:
        """The output; differentiable."""
        return {0: self._network(x)}

    def patch(self, index: int, common: Values) -> Tensor:
        """Window ``index`` of the output."""
        return self._windows[index].crop(common[0])


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
