"""Evaluation within a bound on memory, where the whole network does not fit: its window only, and in segments."""

import torch
from torch import Tensor

from srlens.imaging.window import Window
from srlens.windowed.bound import TooLargeError
from srlens.windowed.plan import Source
from srlens.windowed.proof import Result, agrees, tried
from srlens.windowed.records import Records
from srlens.windowed.segments import Segmented

# Share of the memory that all values of a segment, and those between segments, may take; see bound for the rest.
_VALUES = 0.5
_PROVING_SIDE = 48  # input pixels
_PROVING_WINDOW = 8  # output pixels
_EXCEEDS = "One gradient evaluation keeps more than memory"


def confined(records: Records, x: Tensor, window: Window, memory: int) -> tuple[Source, str]:
    """A way to compute the window within ``memory`` bytes, and its description.

    The window is compared with the whole network's at x. The gradient there does not fit into memory; that plans of
    this network have its gradient is shown on a corner of x.

    Raises:
        TooLargeError: there is none; the message says why.
    """
    record, y = records.of(x)
    plan = records.plan(record, window)
    if isinstance(plan, str):
        raise TooLargeError(f"{_EXCEEDS}, and it cannot be divided: {plan}.")
    how = records.described(plan)
    source: Source = plan
    allowed = memory * _VALUES / records.network.dtype.itemsize
    if plan.program.allocates > allowed:
        source = divided = Segmented(plan)
        recomputed = f"recomputed in {len(divided.segments)} segments"
        how += f", {recomputed}"
        if divided.elements > allowed:
            needed = divided.elements / allowed * memory / 2**20
            raise TooLargeError(f"{_EXCEEDS}; {recomputed} it takes {needed:.0f} MiB.")
    with torch.no_grad():
        patch = source(x.detach())
    reason = None
    if not agrees(patch, window.crop(y if y is not None else records.output(x)), records.network.dtype):
        reason = "its window differs"
    elif not record.proven:
        reason = _disproved(records, x)
    if reason is not None:
        records.refuse(record, plan, reason)
        return confined(records, x, window, memory)  # in another memory format, or told that there is no plan
    record.proven = True
    return source, f"regional ({how})"


def _disproved(records: Records, x: Tensor) -> str | None:
    """Why plans of this network do not have its gradient, from a corner of the input; None if they have."""
    corner = x[:1, :, :_PROVING_SIDE, :_PROVING_SIDE].detach().contiguous()
    y = records.output(corner)
    height, width = (min(side, _PROVING_WINDOW) for side in y.shape[-2:])
    window = Window((y.shape[-2] - height) // 2, (y.shape[-1] - width) // 2, height, width)
    plan = records.plan(records.of(corner)[0], window)
    if isinstance(plan, str):
        return f"on a corner of {tuple(corner.shape[-2:])} pixels {plan}"
    whole = (lambda inputs: window.crop(records.network(inputs))), window.crop(y)
    result = tried(plan, corner, records.network.dtype, _of_sine, whole)
    return result if isinstance(result, str) else None


def _of_sine(x: Tensor, source: Source) -> Result:
    """Patch, and gradient of the sum of its sines."""
    leaf = x.detach().requires_grad_(True)
    patch = source(leaf.clone())
    (gradient,) = torch.autograd.grad(patch.sin().sum(), leaf)
    return Result(patch.detach(), gradient)
