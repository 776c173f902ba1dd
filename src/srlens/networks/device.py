"""The device in words; and float32 that is float32 on NVIDIA's GPUs, where PyTorch runs convolutions in TF32."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

import torch

#: Where to compute, as PyTorch takes it; None: where things are.
Device = torch.device | str | None

_lock = Lock()
_inside: list[bool] = []  # one entry for each block at work, in any thread: whether the first of them switched


def tf32_wanted() -> bool:
    """Whether this process asks for TF32 (a mantissa of 10 bits), as ``torch.set_float32_matmul_precision("high")``.

    That convolutions are allowed it is PyTorch's default, and asks for nothing. What the newer switches of PyTorch say
    of single operators holds.
    """
    try:
        return torch.get_float32_matmul_precision() != "highest" or torch.backends.cudnn.allow_tf32 is None
    except RuntimeError:  # they were used
        return True


@contextmanager
def float32_exact() -> Iterator[None]:
    """Within the block convolutions do without TF32, unless it is wanted.

    The switch is the whole process's, so that the last thread to leave sets it back.
    """
    with _lock:
        switching = not _inside and not tf32_wanted() and torch.backends.cudnn.allow_tf32
        if switching:
            torch.backends.cudnn.allow_tf32 = False
        _inside.append(_inside[0] if _inside else switching)
    try:
        yield
    finally:
        with _lock:
            if _inside.pop() and not _inside:
                torch.backends.cudnn.allow_tf32 = True


def device_in_words(device: torch.device) -> str:
    """Such as ``"cuda:0 (NVIDIA H100 80GB HBM3, float32)"``, ``"cpu"``."""
    if device.type != "cuda":
        return str(device)
    return f"{device} ({torch.cuda.get_device_name(device)}, {'TF32' if tf32_wanted() else 'float32'})"
