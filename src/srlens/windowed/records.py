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
        ...

    @property
    def dtype(self) -> torch.dtype:
        """In which it computes."""
        ...

    def __call__(self, x: Tensor) -> Tensor:
        """N×C×h×w to N×C'×sh×sw."""
        ...


@dataclass
class Record:
    """The record of one network at one input shape, and how it has stood the test.

    Attributes:
        graph: None where there is a reason.
        reason: why the network must be evaluated in full.
        proven: a plan was compared with the whole network and agreed, in the present memory format.
    """

    graph: Graph | None
    reason: str = ""
    proven: bool = False

    def reject(self, reason: str) -> None:
        """Evaluate in full from now on, and let go of the graph."""
        self.graph, self.reason, self.proven = None, reason, False


_SHAPES_KEPT = 4


class Records:
    """What is known of one network, for the last few shapes of its input.

    Attributes:
        network: what is recorded.
    """

    def __init__(self, network: Callee) -> None:
        self.network = network
        self._memory_format: torch.memory_format | None = None  # of all plans; chosen with the first record
        self._not_channels_last = ""  # why not, where that would be faster
        self._kept: dict[Hashable, Record] = {}
        self._weights: list[tuple[Tensor, int, int | None]] = []

    def of(self, x: Tensor) -> tuple[Record, Tensor | None]:
        """The record for inputs like ``x``; and the output for x, without gradient, where it was only made now.

        Whatever goes wrong with recording becomes the record's ``reason``.
        """
        weights = _state(self.network.module)
        if not _same(weights, self._weights):
            self._kept.clear()
            self._weights = weights
        key = tuple(x.shape), x.dtype, x.device
        if key in self._kept:
            return self._kept[key], None
        y, record = _recorded(self.network, x.detach().clone(memory_format=torch.contiguous_format))
        if record.graph is not None and self._memory_format is None:
            self._memory_format = _faster_format(record.graph, x.device, self.network.dtype)
        self._kept[key] = record
        if len(self._kept) > _SHAPES_KEPT:
            self._kept.pop(next(iter(self._kept)))
        return record, y

    def plan(self, record: Record, window: Window) -> Plan | str:
        """A plan of a window, or why there is none."""
        if record.graph is not None and self._memory_format is not None:
            try:
                return make_plan(record.graph, window, self._memory_format)
            except Exception as error:  # an operator used in a way that its rule does not foresee must not stop anybody
                record.reject(f"no plan: {type(error).__name__}: {error}")
        return record.reason

    def output(self, x: Tensor) -> Tensor:
        """The network's output for x, without gradient."""
        with torch.no_grad():
            return self.network(x.detach().clone())

    def refuse(self, record: Record, plan: Plan, reason: str) -> None:
        """A plan has failed: take the contiguous format from now on, or where it was that, no plan of this record."""
        if plan.memory_format == torch.contiguous_format:
            record.reject(f"regional evaluation was rejected: {reason}")
            return
        self._memory_format, self._not_channels_last = torch.contiguous_format, f", not channels last: {reason}"
        for kept in self._kept.values():
            kept.proven = False

    def described(self, plan: Plan) -> str:
        """What a plan computes, in words."""
        how = ", channels last" if plan.memory_format == torch.channels_last else self._not_channels_last
        return f"{1 - plan.saved:.0%} of the multiply-adds{how}"


def _state(module: nn.Module) -> list[tuple[Tensor, int, int | None]]:
    """Parameters and buffers, where they lie and when they were last written to: a record holds for these."""
    return [(t, t.data_ptr(), last_written(t)) for t in (*module.parameters(), *module.buffers())]


def _same(one: list[tuple[Tensor, int, int | None]], other: list[tuple[Tensor, int, int | None]]) -> bool:
    return len(one) == len(other) and all(a[0] is b[0] and a[1:] == b[1:] for a, b in zip(one, other, strict=True))


def _recorded(network: Callee, x: Tensor) -> tuple[Tensor | None, Record]:
    """The network's output, and its record; no output where there is none.

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
            return y.detach(), Record(recorder.graph(y))
        except NotRecordableError as error:
            return None, Record(None, str(error))
        except torch.OutOfMemoryError:
            raise
        except Exception as error:  # the module's own code runs here; evaluated in full, its errors pass
            return None, Record(None, f"it does not run under a recorder: {type(error).__name__}")


# On the CPU, convolutions run 1.05–1.4 times as fast channels last (oneDNN). Attention does not gain.
_LEAST_SHARE = 0.5
_FORMATTED = (torch.float32, torch.bfloat16)


def _faster_format(graph: Graph, device: torch.device, dtype: torch.dtype) -> torch.memory_format:
    """The faster memory format for a network that computes in ``dtype``; the same numbers up to rounding."""
    if device.type != "cpu" or dtype not in _FORMATTED or len(graph.shapes[graph.input]) != 4:
        return torch.contiguous_format
    # These depend on how their input lies in memory, and so may an extension's own operator ("library::name").
    if any(node.name == "as_strided" or "::" in node.name for node in graph.nodes):
        return torch.contiguous_format
    convolutions = sum(cost for node, cost in zip(graph.nodes, graph.costs, strict=True) if node.name == "convolution")
    return torch.channels_last if convolutions > _LEAST_SHARE * sum(graph.costs) else torch.contiguous_format
