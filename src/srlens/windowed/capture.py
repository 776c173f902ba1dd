"""Records of networks, kept as long as the network lives: windows of one image size share one."""

import weakref
from collections import OrderedDict
from collections.abc import Hashable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from srlens.windowed.fingerprint import fingerprint
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
_captures: dict[int, OrderedDict[Hashable, Capture]] = {}


def captured(network: Callee, x: Tensor) -> Capture | None:
    """The record of this network for inputs like ``x``, if there is one."""
    kept = _captures.get(id(network))
    return kept.get(_key(network, x)) if kept is not None else None


def capture(network: Callee, x: Tensor) -> tuple[Tensor, Capture]:
    """Call the network without keeping what a gradient needs, and record it.

    Whatever goes wrong with recording becomes the capture's ``reason``; errors of the network itself pass.

    Returns:
        The network's output, without gradient, and the record, which is also kept for :func:`captured`.
    """
    given = laid_out(x.detach(), torch.contiguous_format)
    y, result = _recorded(network, given.clone())
    if y is None:
        with torch.no_grad():
            y = network(given)
    _keep(network, x, result)
    return y.detach(), result


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


def _keep(network: Callee, x: Tensor, result: Capture) -> None:
    identity = id(network)
    kept = _captures.get(identity)
    if kept is None:
        try:
            weakref.finalize(network, _captures.pop, identity, None)
        except TypeError:  # no weak references to it: not kept, since another object may get its identity
            return
        kept = _captures[identity] = OrderedDict()
    kept[_key(network, x)] = result
    while len(kept) > _SHAPES_KEPT:
        kept.popitem(last=False)


def _key(network: Callee, x: Tensor) -> Hashable:
    """Shape and type of the input, and the state of the network that its record was made in."""
    return tuple(x.shape), x.dtype, x.device, fingerprint(network.module)
