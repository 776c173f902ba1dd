"""Operators that are slow as they are, computed in a better way; the same numbers up to rounding.

A convolution by one pixel is a matrix product of the image as it lies channels last; PyTorch's convolution writes zeros
before it writes the gradient (measured on one thread: 1.1 times as long, BSRN as a whole 1.05).

PyTorch hands the gradient of a mean on as a full tensor, always contiguous: one more tensor written, and channels last
every sum with it runs several times slower (IMDN: 15 ms of 140). ``std`` takes ten times as long as its formula.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as nnf

Call = Callable[[Sequence[Tensor]], Any]
"""An operator as a function of the values among its arguments."""


def twin_of(name: str, bound: Mapping[str, Any], values: int) -> Call | None:
    """The twin of an operator call, or None where there is none.

    Args:
        name: of the ATen operator.
        bound: its arguments by name.
        values: how many of them are values of the graph.
    """
    if name == "convolution":
        return _pixelwise(bound, values)
    function = _TWINS.get(name)
    axes, keep = bound.get("dim"), bool(bound.get("keepdim"))
    if function is None or not isinstance(axes, list | tuple) or not axes or not keep or values != 1:
        return None
    if bound.get("dtype") is not None:
        return None
    given = (tuple(axes),) if name == "mean" else (tuple(axes), _freedom(bound))

    def call(tensors: Sequence[Tensor]) -> Tensor:
        result: Tensor = function.apply(tensors[0], *given)
        return result

    return call


def pixelwise(bound: Mapping[str, Any]) -> bool:
    """Whether a convolution, its arguments given by name, sees one pixel at a time and keeps the size."""
    weight = bound["weight"]
    return (
        isinstance(weight, Tensor)
        and tuple(weight.shape[2:]) == (1, 1)
        and not bound["transposed"]
        and bound["groups"] == 1
        and all(step == 1 for step in bound["stride"])
        and not any(bound["padding"])
    )


def mix_channels(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Convolution by one pixel: N×C×h×w, C'×C×1×1, C'."""
    if x.device.type == "cpu" and x.dtype == torch.float32 and x.stride(1) == 1:
        return nnf.linear(x.permute(0, 2, 3, 1), weight.flatten(1), bias).permute(0, 3, 1, 2)
    return nnf.conv2d(x, weight, bias)


def _pixelwise(bound: Mapping[str, Any], values: int) -> Call | None:
    weight, bias = bound["weight"], bound["bias"]
    if values != 1 or isinstance(bound["input"], Tensor) or not pixelwise(bound):
        return None
    return lambda tensors: mix_channels(tensors[0], weight, bias)


def _freedom(bound: Mapping[str, Any]) -> float:
    """What is taken off the number of elements: the ``correction``, or 1 for the older ``unbiased=True``."""
    if "correction" in bound:
        return 1.0 if bound["correction"] is None else float(bound["correction"])
    return 1.0 if bound.get("unbiased", True) else 0.0


class _Mean(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, axes: tuple[int, ...]) -> Tensor:
        ctx.shape = x.shape
        return x.mean(axes, keepdim=True)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        count = ctx.shape.numel() / max(gradient.numel(), 1)
        return (gradient / count).expand(ctx.shape), None


class _Deviation(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, axes: tuple[int, ...], freedom: float) -> Tensor:
        centred = x - x.mean(axes, keepdim=True)
        total = centred.square().sum(axes, keepdim=True)
        ctx.left = x.numel() / max(total.numel(), 1) - freedom
        deviation: Tensor = (total / ctx.left).sqrt()
        ctx.save_for_backward(centred, deviation)
        return deviation

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        centred, deviation = ctx.saved_tensors
        # A constant channel gets the gradient 0, as from torch.std.
        slope = torch.where(deviation > 0, gradient / (deviation * ctx.left), 0.0)
        return centred * slope, None, None


_TWINS: dict[str, type[torch.autograd.Function]] = {"mean": _Mean, "std": _Deviation}
