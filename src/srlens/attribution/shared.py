"""Many windows of one image at one node: what they have in common is computed once."""

from collections.abc import Callable, Sequence

from torch import Tensor

from srlens.attribution.region.graph import Graph
from srlens.attribution.region.plan import Plan, Step
from srlens.attribution.window import Window

Values = dict[int, Tensor]


class SharedForward:
    """Runs the plans of several windows on one input; steps that all would take in full are taken once.

    With a global operator (pooling, attention) nearly the whole network is common, and a window costs its own tail and
    one backward pass. Without one, each window is a small crop and nothing is common.

    Args:
        graph: of the network.
        plans: one a window, made from ``graph``.
    """

    def __init__(self, graph: Graph, plans: Sequence[Plan]) -> None:
        as_recorded = {id(node.call) for node in graph.nodes}
        common: dict[int, Step] = {}
        needed: set[int] = set()
        self._own: list[tuple[Step, ...]] = []
        self._plans = tuple(plans)
        for plan in plans:
            own = []
            # Whole is what ran as recorded on nothing but wholes. The LR image counts if no cut was made in it.
            whole = {plan.given[0]} if not plan.given[1] else set()
            for step in plan.steps:
                inputs = {value for value, _ in step.takes}
                uncut = all(not cuts for _, cuts in step.takes)
                if id(step.call) in as_recorded and uncut and inputs and inputs <= whole:
                    whole.update(step.outputs)
                    common[step.outputs[0]] = step
                else:
                    own.append(step)
                    needed |= inputs
            self._own.append(tuple(own))
            needed.add(plan.result[0])
        self._common = [common[value] for value in sorted(common)]
        self._needed = needed

    @property
    def has_common_part(self) -> bool:
        """Whether any step is shared, so that its graph must outlive the first window's backward pass."""
        return bool(self._common)

    def common(self, x: Tensor) -> Values:
        """The shared values at one LR image (1×C×h×w); differentiable."""
        given = self._plans[0].given[0]
        values: Values = {given: x}
        last = {value: k for k, step in enumerate(self._common) for value, _ in step.takes}
        for k, step in enumerate(self._common):
            result = step.call([values[value] for value, _ in step.takes])
            _store(values, step, result)
            for value in {value for value, _ in step.takes}:
                if last[value] == k and value not in self._needed and value != given:
                    del values[value]
        return values

    def patch(self, index: int, common: Values) -> Tensor:
        """The SR patch of window ``index``, from the shared values."""
        plan = self._plans[index]
        own: Values = {}
        if plan.given[1]:
            own[plan.given[0]] = _cut(common[plan.given[0]], plan.given[1])
        for step in self._own[index]:
            arguments = [_cut(own[v] if v in own else common[v], cuts) for v, cuts in step.takes]
            _store(own, step, step.call(arguments))
            for value in step.frees:
                own.pop(value, None)
        result = own.get(plan.result[0])
        return _cut(result if result is not None else common[plan.result[0]], plan.result[1])


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
        return {0: self._network(x)}

    def patch(self, index: int, common: Values) -> Tensor:
        """The SR patch of window ``index``."""
        w = self._windows[index]
        return common[0][..., w.top : w.bottom, w.left : w.right]


def _store(values: Values, step: Step, result: Tensor | Sequence[Tensor]) -> None:
    if isinstance(result, Tensor):
        values[step.outputs[0]] = result
    else:
        values.update(zip(step.outputs, result, strict=True))


def _cut(tensor: Tensor, cuts: Sequence[tuple[int, int, int]]) -> Tensor:
    for axis, start, length in cuts:
        tensor = tensor.narrow(axis, start, length)
    return tensor
