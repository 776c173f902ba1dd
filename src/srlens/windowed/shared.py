"""From an input to windows of the output: by plans that share what they have in common, or by the whole network."""

from collections.abc import Callable, Iterator, Sequence

from torch import Tensor

from srlens.imaging.window import Window
from srlens.networks.network import Network
from srlens.windowed.plan import Plan
from srlens.windowed.program import Program, Step, Values

# From N×C×h×w inputs, each window of their outputs in turn (N×C'×height×width); differentiable.
Forward = Callable[[Tensor], Iterator[Tensor]]


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
            whole = {0} if plan.given is None and len(plans) > 1 else set()
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

    def __call__(self, x: Tensor) -> Iterator[Tensor]:
        """Each window in turn."""
        given = x.clone(memory_format=self._plans[0].memory_format)
        common: Values = self._common.run({0: given})
        for plan, own in zip(self._plans, self._own, strict=True):
            yield plan.window_in(own.run(common if plan.given is None else {**common, 0: plan.given_part(given)}))


def whole_forward(network: Network, windows: Sequence[Window], outputs: list[Tensor] | None = None) -> Forward:
    """One forward pass of everything, windows cut from its output, which is added to ``outputs``."""

    def forward(x: Tensor) -> Iterator[Tensor]:
        y = network(x)
        if outputs is not None:
            outputs.append(y.detach())
        yield from (window.crop(y) for window in windows)

    return forward
