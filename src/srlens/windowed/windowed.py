"""What is kept of one network for windowed evaluation: its records, by the shape of its input."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from srlens.imaging.window import Window
from srlens.networks.network import Network
from srlens.windowed.graph import Graph
from srlens.windowed.plan import Plan, make_plan
from srlens.windowed.recorder import NotRecordableError, Recorder, UserCalls, last_written


@dataclass
class Record:
    """The record of one network at one input shape, and how it has stood the test.

    Attributes:
        graph: or why the network must be evaluated in full.
        known: inputs, and the whole network's output for each. Every plan is compared with them.
        proven: the gradient of a plan was compared with the whole network's, and agreed.
    """

    graph: Graph | str
    known: tuple[tuple[Tensor, Tensor], ...] = ()
    proven: bool = False


class Windowed:
    """One network's windowed evaluation: its records, and what was proven of them.

    Its owner keeps it, and every further window costs no record, and no gradient of the whole network. Nothing is kept
    elsewhere. It is not to be shared between threads. Weights that are replaced, or written to in a way that PyTorch
    counts (not through ``.data``), are noticed, and the network is recorded anew.

    Args:
        network: its weights frozen while it is evaluated.
        memory: bytes that one evaluation may keep for its gradient; None: any number.
        wanted: False to evaluate in full always.
        known: images (K×C×h×w) at which every window is compared with the whole network's, besides the first input; the
            first of them is recorded. None: the first input.
    """

    def __init__(
        self, network: Network, *, memory: int | None = None, wanted: bool = True, known: Tensor | None = None
    ) -> None:
        self.network = network
        self.memory = memory
        self.wanted = wanted
        self._known = known
        self._memory_format = torch.contiguous_format  # of all plans
        self._kept: dict[Hashable, Record] = {}
        self._weights: list[Tensor] = []
        self._written: list[tuple[int, int, int | None]] = []

    def of(self, x: Tensor) -> Record:
        """The record for inputs like ``x``.

        It holds for the weights and buffers that it was made with. Whatever goes wrong with recording becomes the
        reason to evaluate in full.
        """
        weights = [*self.network.module.parameters(), *self.network.module.buffers()]
        written = [(id(weight), weight.data_ptr(), last_written(weight)) for weight in weights]
        if written != self._written:
            self._kept.clear()
            self._weights, self._written = weights, written  # kept alive, so that no other gets the identity of one
        key = tuple(x.shape), x.dtype, x.device
        if key not in self._kept:
            self._kept[key] = self._made(x.detach())
        return self._kept[key]

    def _made(self, x: Tensor) -> Record:
        first, *further = self._known_like(x)
        record = _recorded(self.network, first)
        if isinstance(record.graph, Graph):
            self._memory_format = _faster_format(record.graph, x.device, self.network.dtype)
            with torch.no_grad():
                record.known += tuple((one, self.network(one.clone())) for one in further)
        return record

    def _known_like(self, x: Tensor) -> Sequence[Tensor]:
        """The known images, in batches like ``x``: in turn, as often as it takes."""
        if self._known is None or self._known.shape[1:] != x.shape[1:]:
            return [x.clone(memory_format=torch.contiguous_format)]
        count = -(-len(self._known) // len(x)) * len(x)
        return torch.split(self._known[torch.arange(count) % len(self._known)].to(x), len(x))

    def plans(self, x: Tensor, windows: Sequence[Window]) -> list[Plan] | str:
        """A plan of each window for inputs like ``x``, or why there are none."""
        record = self.of(x)
        if isinstance(record.graph, str):
            return record.graph
        try:
            return [make_plan(record.graph, window, self._memory_format) for window in windows]
        except Exception as error:  # an operator used in a way that its rule does not foresee must not stop anybody
            record.graph = f"no plan: {type(error).__name__}: {error}"
            return record.graph


def _recorded(network: Network, x: Tensor) -> Record:
    """The graph of a call and its output; or why there is no graph.

    Autograd keeps nothing of the call.
    """

    def missing(_: None) -> Tensor:
        raise NotRecordableError("it takes a gradient itself")

    # As if for a gradient: without one, some layers take other operators, which have no derivative.
    keeping_nothing = torch.autograd.graph.saved_tensors_hooks(lambda _: None, missing)
    with torch.inference_mode(False), torch.enable_grad(), keeping_nothing:
        given = x.clone().requires_grad_(True).clone()  # not a leaf, since some networks write into their input
        recorder = Recorder(given)
        try:
            with recorder, UserCalls(recorder):
                y = network(given)
            return Record(recorder.graph(y), ((x, y.detach()),))
        except NotRecordableError as error:
            return Record(str(error))
        except torch.OutOfMemoryError:
            raise
        except Exception as error:  # the module's own code runs here; evaluated in full, its errors pass
            return Record(f"it does not run under a recorder: {type(error).__name__}")


# On the CPU, convolutions run 1.05–1.4 times as fast channels last (oneDNN). Attention does not gain.


def _faster_format(graph: Graph, device: torch.device, dtype: torch.dtype) -> torch.memory_format:
    """The faster memory format for a network that computes in ``dtype``; the same numbers up to rounding."""
    gaining = device.type == "cpu" and dtype in (torch.float32, torch.bfloat16) and len(graph.shapes[0]) == 4
    convolutions = sum(cost for node, cost in zip(graph.nodes, graph.costs, strict=True) if node.name == "convolution")
    bound_to_memory = any(node.name == "as_strided" for node in graph.nodes)  # it depends on how its input lies there
    if gaining and not bound_to_memory and convolutions > sum(graph.costs) / 2:
        return torch.channels_last
    return torch.contiguous_format
