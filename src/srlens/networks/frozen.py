"""A module as attribution needs it: in eval mode, with frozen weights; restored afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from srlens.networks.device import Device, float32_exact


def trains(layer: nn.Module) -> bool:
    """Whether a layer computes in training mode while srlens does.

    PLKSR's partial large-kernel convolution alone, which writes in place in eval mode only; it computes the same.
    """
    return type(layer).__name__ == "PLKConv2d"


def settle(module: nn.Module, device: Device, dtype: torch.dtype | None) -> None:
    """Set a module that belongs to srlens to eval mode, for good, freeze its weights and put them somewhere."""
    if hasattr(module, "training"):
        module.eval()
    for layer in module.modules():
        if trains(layer):
            layer.training = True
    for weight in module.parameters():  # requires_grad_() of a TorchScript module is not there
        weight.requires_grad_(False)
    module.to(device=device, dtype=dtype)


@contextmanager
def frozen(module: nn.Module) -> Iterator[None]:
    """Within the block, no weight gradients are computed and dropout and batch statistics are off, in every layer.

    And float32 is float32, see :func:`~srlens.networks.device.float32_exact`.

    Computing weight gradients and throwing them away costs 1.35–1.57× (measured).

    The flags are set one by one: ``eval()`` itself may be overridden to merge branches, which changes the weights.
    """
    trainable = [p for p in module.parameters() if p.requires_grad]
    # A frozen TorchScript module has no such flag.
    modes = [(m, now) for m in module.modules() if (now := getattr(m, "training", None)) not in (None, trains(m))]
    try:
        for parameter in trainable:
            parameter.requires_grad_(False)
        for child, mode in modes:
            child.training = not mode
        with float32_exact():
            yield
    finally:
        for parameter in trainable:
            parameter.requires_grad_(True)
        for child, mode in modes:
            child.training = mode
