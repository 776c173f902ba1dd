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
from srlens.attribution.region.record import NotRecordableError, Recorder


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
        verified: full and regional evaluation were compared for a window and agreed.
    """

    graph: Graph | None
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
    """Call the network, and record it. The record is kept for :func:`captured`.

    Whatever goes wrong with recording becomes the capture's ``reason``; errors of the network itself pass.
    """
    recorder = Recorder(x)
    spare = x.clone()  # in case a network that writes into its input fails half-way
    try:
        with recorder:
            y = network(x)
    except torch.OutOfMemoryError:
        raise
    except Exception as error:  # the module's own code runs here: whatever it raises
        y = network(spare)
        result = Capture(None, f"it does not run under a recorder: {type(error).__name__}")
    else:
        try:
            result = Capture(recorder.graph(y))
        except NotRecordableError as error:
            result = Capture(None, str(error))
    _keep(network, x, result)
    return y, result


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
