"""A bound on what autograd keeps of one evaluation."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch import Tensor, nn


class TooLargeError(torch.OutOfMemoryError):
    """An evaluation would keep more than it may."""


def bounded(memory: int | None, module: nn.Module) -> AbstractContextManager[None]:
    """Within the block, TooLargeError as soon as autograd keeps more than it may of ``memory`` bytes.

    Weights are not counted. None: no bound.
    """
    return nullcontext() if memory is None else _bounded(int(memory * _KEPT), module)


# The rest is for what is at work at any time. Measured on the CPU, with what the allocator holds back: DCTLSA and CRAFT
# at LR 160×160 take up to 2.2 times what they keep for the backward pass.
_KEPT = 0.4


@contextmanager
def _bounded(memory: int, module: nn.Module) -> Iterator[None]:
    seen = {t.untyped_storage().data_ptr() for t in (*module.parameters(), *module.buffers())}
    kept = 0

    def pack(tensor: Tensor) -> _Packed:
        nonlocal kept
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in seen:
            seen.add(storage.data_ptr())
            kept += storage.nbytes()
            if kept > memory:
                raise TooLargeError(f"more than {memory} bytes")
        # Detached, since an operator that saves its own output would keep itself alive for ever.
        return tensor.detach(), _version(tensor)

    with torch.autograd.graph.saved_tensors_hooks(pack, _unpack):
        yield


_Packed = tuple[Tensor, int | None]


def _unpack(packed: _Packed) -> Tensor:
    tensor, version = packed
    if _version(tensor) != version:  # autograd's own check does not run where there are hooks
        raise RuntimeError("a tensor needed for the gradient has been modified by an inplace operation")
    return tensor


def _version(tensor: Tensor) -> int | None:
    return None if tensor.is_inference() else int(tensor._version)
