"""Operators that are slow as they are, in terms of others; the same numbers up to rounding.

A convolution by one pixel is a matrix product of the image as it lies channels last; PyTorch's convolution writes zeros
before it writes the gradient (measured on one thread: PAN and BSRN as a whole 1.06).

PyTorch writes the gradient of a mean as a full tensor, always contiguous: channels last, every sum with it runs several
times slower. ``std`` takes ten times as long as its formula. The gradient of a sum is a view (IMDN, BSRN: 1.06).
"""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as nnf


def equivalent(name: str, bound: Mapping[str, Any]) -> Callable[[Tensor], Tensor] | None:
    """An operator call as a function of the one value among its arguments, the first; None: it is called as it is.

    Args:
        name: of the ATen operator.
        bound: its arguments by name.
    """
    if name == "convolution" and isinstance(bound["weight"], Tensor) and bound["weight"].shape[2:] == (1, 1):
        plain = bound["groups"] == 1 and not bound["transposed"]
        if plain and not any(bound["padding"]) and all(step == 1 for step in bound["stride"]):
            return lambda x: _mixed(x, bound["weight"], bound["bias"])
    if name in ("mean", "std") and bound.get("dim") and bound["keepdim"] and bound.get("dtype") is None:
        return lambda x: _by_sums(x, name, bound)
    return None


def _mixed(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Convolution by one pixel: N×C×h×w, C'×C×1×1, C'."""
    if x.device.type == "cpu" and x.dtype == torch.float32 and x.stride(1) == 1:
        return nnf.linear(x.permute(0, 2, 3, 1), weight.flatten(1), bias).permute(0, 3, 1, 2)
    return nnf.conv2d(x, weight, bias)


def _by_sums(x: Tensor, name: str, bound: Mapping[str, Any]) -> Tensor:
    """Mean or deviation over axes that are kept."""
    wide = x.to(torch.promote_types(x.dtype, torch.float32))
    total = wide.sum(bound["dim"], keepdim=True)
    count = x.numel() / max(total.numel(), 1)
    if name == "mean":
        return (total / count).to(x.dtype)
    # What is taken off the number of elements: the older form of the operator says unbiased=True for 1.
    correction = bound.get("correction", int(bound.get("unbiased", True)))
    squares = (wide - total / count).square().sum(bound["dim"], keepdim=True)
    variance = squares / (count - (1 if correction is None else correction))
    # A constant channel gets the gradient 0, as from torch.std: the smallest number keeps the root's slope finite.
    return (variance + torch.finfo(wide.dtype).tiny).sqrt().to(x.dtype)
