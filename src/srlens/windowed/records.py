"""Records of one network, by the shape of its input: all windows of one image size share one."""

from collections import OrderedDict
from collections.abc import Hashable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from srlens.windowed.bound import last_written
from srlens.windowed.graph import Graph
from srlens.windowed.layout import laid_out, memory_format
from srlens.windowed.record import NotRecordableError, Recorder


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
class Capture:
    """The record of one network at one input shape, and how it has stood the test.

    Attributes:
        graph: None where there is a reason.
        reason: why the network must be evaluated in full.
        memory_format: for plans.
        objection: why that is not channels last, where it would be faster.
        verified: full and regional evaluation were compared for a window, in this memory format, and agreed.
    """

    graph: Graph | None
    reason: str | None = None
    memory_format: torch.memory_format = torch.contiguous_format
    objection: str | None = None
    verified: bool = False

    def reject(self, reason: str) -> None:
        """Evaluate in full from now on, and let go of the graph."""
        self.graph, self.reason = None, reason

    def object_to(self, memory_format: torch.memory_format, reason: str) -> None:
        """Plans in this format have failed: take the contiguous one from now on, or where it was that, none."""
        if memory_format == torch.contiguous_format:
            self.reject(f"regional evaluation was rejected: {reason}")
        else:
            self.memory_format, self.objection = torch.contiguous_format, reason


_SHAPES_KEPT = 4


class Records:
    """What is known of one network, for the last few shapes of its input.

    Args:
        network: what is recorded.
    """

    def __init__(self, network: Callee) -> None:
        self.network = network
        self._kept: OrderedDict[Hashable, Capture] = OrderedDict()
        self._weights = _weights(network.module)

    def known(self, x: Tensor) -> Capture | None:
        """The record for inputs like ``x``, if there is one."""
        weights = _weights(self.network.module)
        if len(weights) != len(self._weights) or any(
            one[0] is not other[0] or one[1:] != other[1:] for one, other in zip(weights, self._weights, strict=True)
        ):
            self._kept.clear()
            self._weights = weights
        return self._kept.get(_key(x))

    def make(self, x: Tensor) -> tuple[Tensor, Capture]:
        """Call the network without keeping what a gradient needs, and record it.

        Whatever goes wrong with recording becomes the capture's ``reason``; errors of the network itself pass.

        Returns:
            The network's output, without gradient, and the record, which is also kept for :meth:`known`.
        """
        given = laid_out(x.detach(), torch.contiguous_format)
        y, result = _recorded(self.network, given.clone())
        if y is None:
            with torch.no_grad():
                y = self.network(given)
        self._kept[_key(x)] = result
        while len(self._kept) > _SHAPES_KEPT:
            self._kept.popitem(last=False)
        return y.detach(), result


def _key(x: Tensor) -> Hashable:
    return tuple(x.shape), x.dtype, x.device


def _weights(module: nn.Module) -> list[tuple[Tensor, int, int | None]]:
    """Parameters and buffers, where they lie and when they were last written to: a record holds for these."""
    return [(t, t.data_ptr(), last_written(t)) for t in (*module.parameters(), *module.buffers())]


def _recorded(network: Callee, x: Tensor) -> tuple[Tensor | None, Capture]:
    """The network's output and record; no output where it fails."""
    y: Tensor | None = None
    # As if for a gradient: without one, some layers take other operators, which have no derivative.
    with torch.inference_mode(False), torch.enable_grad(), _forgetting():
        given = x.clone().requires_grad_(True).clone()  # not a leaf, since some networks write into their input
        recorder = Recorder(given)
        try:
            with recorder:
                y = network(given)
            graph = recorder.graph(y)
        except NotRecordableError as error:
            return y, Capture(None, str(error))
        except torch.OutOfMemoryError:
            raise
        except Exception as error:  # the module's own code runs here: whatever it raises
            return None, Capture(None, f"it does not run under a recorder: {type(error).__name__}")
    return y, Capture(graph, memory_format=memory_format(graph, y.device, network.dtype))


def _forgetting() -> AbstractContextManager[None]:
    """Within the block, autograd keeps no tensor."""

    def unpack(_: None) -> Tensor:
        raise NotRecordableError("it takes a gradient itself")

    hooks: AbstractContextManager[None] = torch.autograd.graph.saved_tensors_hooks(lambda _: None, unpack)
    return hooks
