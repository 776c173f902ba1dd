"""Many windows of one image at one node: what they have in common is computed once."""

from collections.abc import Callable, Sequence

from torch import Tensor

from srlens.attribution.region.cut import cut
from srlens.attribution.region.plan import Plan, Step
from srlens.attribution.region.values import Values, parts_of
from srlens.attribution.window import Window


class SharedForward:
    """Runs the plans of several windows on one input; steps that all would take in full are taken once.

    With a global operator (pooling, attention) nearly the whole network is common, and a window costs its own tail and
    one backward pass. Without one, each window is a small crop and nothing is common.

    Args:
        plans: one a window, made from one graph.
    """

    def __init__(self, plans: Sequence[Plan]) -> None:
        common: dict[int, Step] = {}
        needed: set[int] = set()
        self._own: list[tuple[Step, ...]] = []
        self._plans = tuple(plans)
        for plan in plans:
            own = []
            # What is whole and made of wholes is the same for every window, also if it is made of parts of them (a
            # network that splits its channels). The LR image counts if no cut was made in it.
            whole = {plan.given[0]} if not plan.given[1] else set()
            for step in plan.steps:
                inputs = {value for value, _ in step.takes}
                if step.whole and inputs and inputs <= whole:
                    whole.update(step.outputs)
                    common[step.outputs[0]] = step
                else:
                    own.append(step)
                    needed |= inputs
            self._own.append(tuple(own))
            needed.add(plan.result[0])
        self._common = [common[value] for value in sorted(common)]
        last = {value: k for k, step in enumerate(self._common) for value, _ in step.takes}
        self._common_frees = [
            [v for v in {v for v, _ in step.takes} if last[v] == k and v not in needed and v != plans[0].given[0]]
            for k, step in enumerate(self._common)
        ]
        self._common_parts = parts_of(take for step in self._common for take in step.takes)
        self._own_parts = [parts_of(take for step in own for take in step.takes) for own in self._own]

    @property
    def has_common_part(self) -> bool:
        """Whether any step is shared, so that its graph must outlive the first window's backward pass."""
        return bool(self._common)

    def common(self, x: Tensor) -> Values:
        """The shared values at one LR image (1×C×h×w); differentiable."""
        given = self._plans[0].given[0]
        values = Values(self._common_parts)
        values.store((given,), x.contiguous(memory_format=self._plans[0].memory_format))
        for step, frees in zip(self._common, self._common_frees, strict=True):
            values.store(step.outputs, step.call(values.take(step.takes)))
            values.free(frees)
        return values

    def patch(self, index: int, common: Values) -> Tensor:
        """The SR patch of window ``index``, from the shared values."""
        plan = self._plans[index]
        own = Values(self._own_parts[index], common)
        if plan.given[1]:
            own.store((plan.given[0],), plan.given_part(common.whole(plan.given[0])))
        for step in self._own[index]:
            own.store(step.outputs, step.call(own.take(step.takes)))
            own.free(step.frees)
        return cut(own.whole(plan.result[0]), plan.result[1])


class WholeForward:
    """The same for a network without a graph: one forward pass of everything, windows cut from its output.

    Args:
        network: takes 1×C×h×w.
        windows: the SR pixels that are read.
    """

    has_common_part = True

    def __init__(self, network: Callable[[Tensor], Tensor], windows: Sequence[Window]) -> None:
        self._network = network
        self._windows = tuple(windows)

    def common(self, x: Tensor) -> Values:
        """The SR image; differentiable."""
        values = Values({})
        values.store((0,), self._network(x))
        return values

    def patch(self, index: int, common: Values) -> Tensor:
        """The SR patch of window ``index``."""
        w = self._windows[index]
        return common.whole(0)[..., w.top : w.bottom, w.left : w.right]
