"""Many windows at one input: what they have in common is computed once."""

from collections.abc import Callable, Sequence

from torch import Tensor

from srlens.imaging.window import Window
from srlens.windowed.plan import Plan
from srlens.windowed.program import Program, Step, Values


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
