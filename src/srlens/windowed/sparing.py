"""Evaluation within a bound on memory, where the whole network does not fit: regions, and recomputing segments."""

import torch
from torch import Tensor

from srlens.imaging.window import Window
from srlens.windowed.bound import TooLargeError
from srlens.windowed.checkpoint import Checkpointed
from srlens.windowed.plan import Source, make_plan
from srlens.windowed.record import NotRecordableError, Recorder
from srlens.windowed.records import Callee, Records
from srlens.windowed.verify import Result, agrees, disagreement

# Share of the memory that all values of a segment, and those between segments, may take; see bound for the rest.
_VALUES = 0.5
_PROVING_SIDE = 48  # LR pixels
_PROVING_WINDOW = 8  # SR pixels


def sparing_source(records: Records, x: Tensor, window: Window, memory: int) -> tuple[Source, str]:
    """A way to compute the patch within ``memory`` bytes, and its description.

    The patch is compared with the whole network's at x. The gradient there does not fit into memory; that plans of
    this network have its gradient is shown on a corner of x.

    Raises:
        TooLargeError: there is none; the message says why.
    """
    network, record = records.network, records.known(x)
    if record is None:
        y, record = records.make(x)
    else:
        with torch.no_grad():
            y = network(x.detach().clone())
    if record.graph is None:
        raise TooLargeError(f"{_EXCEEDS}, and it cannot be divided: {record.reason}.")
    if not record.verified:
        record.memory_format = torch.contiguous_format  # the only one that the proof on a corner holds for
    plan = make_plan(record.graph, window, record.memory_format)
    bytes_each = network.dtype.itemsize
    source: Source = plan
    how = f"regional ({1 - plan.saved:.0%} of the multiply-adds"
    if plan.program.allocates * bytes_each > memory * _VALUES:
        source = divided = Checkpointed(plan)
        recomputed = f"recomputed in {len(divided.segments)} segments"
        how += f", {recomputed}"
        if divided.elements * bytes_each > memory * _VALUES:
            needed = divided.elements * bytes_each / _VALUES / 2**20
            raise TooLargeError(f"{_EXCEEDS}; {recomputed} it takes {needed:.0f} MiB.")
    with torch.no_grad():
        patch = source(x.detach())
    reason = None if agrees(patch, window.crop(y), network.dtype) else "its SR window differs"
    if reason is None and not record.verified:
        reason = _disproved(network, x)
    if reason is not None:
        record.reject(f"regional evaluation was rejected: {reason}")
        raise TooLargeError(f"{_EXCEEDS}, and it cannot be divided: {record.reason}.")
    record.verified = True
    return source, how + ")"


_EXCEEDS = "One gradient evaluation keeps more than memory"


def _disproved(network: Callee, x: Tensor) -> str | None:
    """Why plans of this network do not have its gradient, from a corner of the images; None if they have."""
    small = x[:1, :, :_PROVING_SIDE, :_PROVING_SIDE].detach().contiguous()
    recorder = Recorder(small)
    with torch.no_grad(), recorder:
        y = network(small)
    try:
        graph = recorder.graph(y)
    except NotRecordableError as error:
        return f"on a corner of {tuple(small.shape[-2:])} pixels {error}"
    height, width = (min(side, _PROVING_WINDOW) for side in y.shape[-2:])
    window = Window((y.shape[-2] - height) // 2, (y.shape[-1] - width) // 2, height, width)
    plan = make_plan(graph, window)

    def result(given: Tensor, source: Source) -> Result:
        leaf = given.detach().requires_grad_(True)
        patch = source(leaf.clone())
        (gradient,) = torch.autograd.grad(patch.sin().sum(), leaf)
        return Result(patch.detach(), gradient)

    def full(images: Tensor) -> Tensor:
        return window.crop(network(images))

    return disagreement(
        result(small, full), result(small, plan), network.dtype, lambda e: result(small * (1 + e), full)
    )
