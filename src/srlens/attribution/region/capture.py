"""Records of networks, kept as long as the network lives: windows of one image size share one."""

import weakref
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from srlens.attribution.region.fingerprint import fingerprint
from srlens.attribution.region.graph import Graph
from srlens.attribution.region.layout import memory_format
from srlens.attribution.region.record import NotRecordableError, Recorder
from srlens.attribution.region.verify import agrees


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
        memory_format: how the input lay in memory; the one for plans, too.
        reason: why the network must be evaluated in full.
        verified: full and regional evaluation were compared for a window and agreed.
    """

    graph: Graph | None
    memory_format: torch.memory_format = torch.contiguous_format
    reason: str | None = None
    verified: bool = False

    def reject(self, reason: str) -> None:
        """Evaluate in full from now on, and let go of the graph."""
        self.graph, self.reason = None, reason


_SHAPES_KEPT = 4
_captures: dict[int, OrderedDict[Hashable, Capture]] = {}


def captured(network: Callee, x: Tensor) -> Capture | None:
    """The record of this network for inputs like ``x``, if there is one."""
    kept = _captures.get(id(network))
    return kept.get(_key(network, x)) if kept is not None else None


def capture(network: Callee, x: Tensor) -> tuple[Tensor, Capture]:
    """Call the network, in the memory format that suits it, and record it. The record is kept for :func:`captured`.

    Whatever goes wrong with recording becomes the capture's ``reason``; errors of the network itself pass.
    """
    layout = memory_format(network.module, x)
    y, result = _recorded(network, x, layout)
    if layout != torch.contiguous_format and not (result.graph is not None and _same_as_contiguous(network, x, y)):
        y, result = _recorded(network, x, torch.contiguous_format)
    _keep(network, x, result)
    return (y if y is not None else network(x.clone())), result


def _recorded(network: Callee, x: Tensor, layout: torch.memory_format) -> tuple[Tensor | None, Capture]:
    """The network's output and record; no output where it fails."""
    given = x.clone(memory_format=layout)  # a copy, since some networks write into their input
    recorder = Recorder(given)
    try:
        with recorder:
            y = network(given)
    except torch.OutOfMemoryError:
        raise
    except Exception as error:  # the module's own code runs here: whatever it raises
        return None, Capture(None, layout, f"it does not run under a recorder: {type(error).__name__}")
    try:
        return y, Capture(recorder.graph(y), layout)
    except NotRecordableError as error:
        return y, Capture(None, layout, str(error))


def _same_as_contiguous(network: Callee, x: Tensor, y: Tensor | None) -> bool:
    """Whether y, from x in another memory format, is what the network makes of x as it is given.

    It is not if the network reads memory by strides, or if an operator of an extension, or of PyTorch, is at fault.
    """
    with torch.no_grad():
        return y is not None and agrees(y.detach(), network(x.detach().clone()), network.dtype)


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
