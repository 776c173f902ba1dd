"""The tensors of a module: all of them, their digest, and a copy of the module with them elsewhere."""

import hashlib
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn


def tensors(module: nn.Module) -> Iterator[Tensor]:
    """Parameters and buffers."""
    yield from module.parameters()
    yield from module.buffers()


def weights_digest(module: nn.Module) -> str:
    """SHA-256 (hex) of the weights: names, types, shapes and bytes, as they are now."""
    digest = hashlib.sha256()
    for key, tensor in sorted(module.state_dict().items()):
        if isinstance(tensor, Tensor):
            digest.update(f"{key}|{tensor.dtype}|{tuple(tensor.shape)}|".encode())
            digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def copied(module: nn.Module, device: torch.device | str | None, dtype: torch.dtype | None) -> nn.Module:
    """A copy on another device or in another floating-point type, with floating-point tensors that are mere attributes.

    None leaves what is there.
    """
    memo: dict[int, Any] = {}
    for layer in module.modules():
        for value in vars(layer).values():
            # Old `weight_norm` leaves one there that is no leaf, which cannot be copied otherwise.
            if isinstance(value, Tensor) and not isinstance(value, nn.Parameter):
                kept = value.detach().clone()
                memo[id(value)] = kept.to(device, dtype if kept.is_floating_point() else None)
    with torch.no_grad():  # copies of TorchScript's weights would hang on the weights otherwise
        return deepcopy(module, memo).to(device=device, dtype=dtype)
