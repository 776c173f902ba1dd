"""A bound on what autograd keeps of one evaluation."""

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn

from srlens.windowed.recorder import last_written


class TooLargeError(torch.OutOfMemoryError):
    """An evaluation would keep more than it may."""


# The rest is for what is at work at any time. Measured on the CPU, with what the allocator holds back: DCTLSA and CRAFT
# at LR 160×160 take up to 2.2 times what they keep for the backward pass.
_KEPT = 0.4


def bounded(memory: int | None, module: nn.Module) -> AbstractContextManager[None]:
    """Within the block, TooLargeError as soon as autograd keeps more than it may of ``memory`` bytes.

    Weights are not counted. None: no bound.
    """
    if memory is None:
        return nullcontext()
    seen = {t.untyped_storage().data_ptr() for t in (*module.parameters(), *module.buffers())}
    kept = 0

    def pack(tensor: Tensor) -> tuple[Tensor, int | None]:
        nonlocal kept
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in seen:
            seen.add(storage.data_ptr())
            kept += storage.nbytes()
            if kept > memory * _KEPT:
                raise TooLargeError(f"One gradient evaluation keeps more than memory={memory / 2**20:.3g} MiB allows.")
        # Detached, since an operator that saves its own output would keep itself alive for ever.
        return tensor.detach(), last_written(tensor)

    def unpack(packed: tuple[Tensor, int | None]) -> Tensor:
        tensor, written = packed
        if last_written(tensor) != written:  # autograd's own check does not run where there are hooks
            raise RuntimeError("a tensor needed for the gradient has been modified by an inplace operation")
        return tensor

    hooks: AbstractContextManager[None] = torch.autograd.graph.saved_tensors_hooks(pack, unpack)
    return hooks
