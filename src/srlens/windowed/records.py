"""Records of one network, by the shape of its input: all windows of one image size share one."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from srlens.imaging.window import Window
from srlens.windowed.graph import Graph
from srlens.windowed.plan import Plan, make_plan
from srlens.windowed.recorder import NotRecordableError, Recorder, last_written


class Callee(Protocol):
    """What is recorded; a :class:`srlens.Network` is one."""

    @property
    def module(self) -> nn.Module:
        """Its weights tell whether a record is still valid."""

    @property
    def dtype(self) -> torch.dtype:
        """In which it computes."""

    def __call__(self, x: Tensor) -> Tensor:
        """N×C×h×w to N×C'×H×W."""


@dataclass
class Record:
    """The record of one network at one input shape, and how it has stood the test.

    Attributes:
        graph: or why the network must be evaluated in full.
        proven: a plan was compared with the whole network and agreed, in the present memory format.
    """

    graph: Graph | str
    proven: bool = False


_SHAPES_KEPT = 4


class Records:
    """What is known of one network, for the last few shapes of its input.

    Attributes:
        network: what is recorded; its weights are frozen while it is evaluated.
        memory: bytes that one evaluation may keep; None: any number.
        wanted: False to evaluate in full always.
    """

    def __init__(self, network: Callee, memory: int | None, wanted: bool) -> None:
        self.network = network
        self.memory = memory
        self.wanted = wanted
        self._memory_format: torch.memory_format | None = None  # of all plans; chosen with the first record
        self._not_channels_last = ""  # why not, where that would be faster
        self._kept: dict[Hashable, Record] = {}
        self._weights: list[Tensor] = []
        self._written: list[tuple[int, int, int | None]] = []

    def of(self, x: Tensor) -> tuple[Record, Tensor | None]:
        """The record for inputs like ``x``; and the output for x, without gradient, where it was only made now.

        A record holds for the weights and buffers that it was made with. Whatever goes wrong with recording becomes
        the reason to evaluate in full.
        """
        weights = [*self.network.module.parameters(), *self.network.module.buffers()]
        written = [(id(weight), weight.data_ptr(), last_written(weight)) for weight in weights]
        if written != self._written:
            self._kept.clear()
            self._memory_format, self._not_channels_last = None, ""
            self._weights, self._written = weights, written  # kept alive, so that no other gets the identity of one
        key = tuple(x.shape), x.dtype, x.device
        if key in self._kept:
            return self._kept[key], None
        y, graph = _recorded(self.network, x.detach().clone(memory_format=torch.contiguous_format))
        if isinstance(graph, Graph) and self._memory_format is None:
            self._memory_format = _faster_format(graph, x.device, self.network.dtype)
        self._kept[key] = Record(graph)
        if len(self._kept) > _SHAPES_KEPT:
            self._kept.pop(next(iter(self._kept)))
        return self._kept[key], y

    def plan(self, record: Record, window: Window) -> Plan | str:
        """A plan of a window, or why there is none."""
        if isinstance(record.graph, str):
            return record.graph
        try:
            return make_plan(record.graph, window, self._memory_format or torch.contiguous_format)
        except Exception as error:  # an operator used in a way that its rule does not foresee must not stop anybody
            record.graph, record.proven = f"no plan: {type(error).__name__}: {error}", False
            return record.graph

    def output(self, x: Tensor) -> Tensor:
        """The network's output for x, without gradient."""
        with torch.no_grad():
            return self.network(x.detach().clone())

    def refuse(self, record: Record, plan: Plan, reason: str) -> None:
        """A plan has failed: take the contiguous format from now on, or where it was that, no plan of this record."""
        if plan.memory_format == torch.contiguous_format:
            record.graph, record.proven = f"regional evaluation was rejected: {reason}", False
            return
        self._memory_format, self._not_channels_last = torch.contiguous_format, f", not channels last: {reason}"
        for kept in self._kept.values():
            kept.proven = False

    def described(self, plan: Plan) -> str:
        """What a plan computes, in words."""
        how = ", channels last" if plan.memory_format == torch.channels_last else self._not_channels_last
        return f"{1 - plan.saved:.0%} of the multiply-adds{how}"


def _recorded(network: Callee, x: Tensor) -> tuple[Tensor | None, Graph | str]:
    """The network's output, and the graph of the call; or no output, and why there is no graph.

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
            with recorder:
                y = network(given)
            return y.detach(), recorder.graph(y)
        except NotRecordableError as error:
            return None, str(error)
        except torch.OutOfMemoryError:
            raise
        except Exception as error:  # the module's own code runs here; evaluated in full, its errors pass
            return None, f"it does not run under a recorder: {type(error).__name__}"


# On the CPU, convolutions run 1.05–1.4 times as fast channels last (oneDNN). Attention does not gain.
_LEAST_SHARE = 0.5
_FORMATTED = (torch.float32, torch.bfloat16)


def _faster_format(graph: Graph, device: torch.device, dtype: torch.dtype) -> torch.memory_format:
    """The faster memory format for a network that computes in ``dtype``; the same numbers up to rounding."""
    # These depend on how their input lies in memory, and so may an extension's own operator ("library::name").
    bound_to_memory = any(node.name == "as_strided" or "::" in node.name for node in graph.nodes)
    gaining = device.type == "cpu" and dtype in _FORMATTED and len(graph.shapes[0]) == 4
    convolutions = sum(cost for node, cost in zip(graph.nodes, graph.costs, strict=True) if node.name == "convolution")
    if gaining and not bound_to_memory and convolutions > _LEAST_SHARE * sum(graph.costs):
        return torch.channels_last
    return torch.contiguous_format
