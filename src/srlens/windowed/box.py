"""Boxes: what part of a tensor is meant, one half-open interval an axis; and cutting them out of tensors."""

from collections.abc import Sequence
from itertools import combinations
from math import prod
from typing import Any

import torch
from torch import Tensor

Interval = tuple[int, int]  # first index and one past the last
Box = tuple[Interval, ...]  # one for each axis of a tensor


def full_box(shape: Sequence[int]) -> Box:
    """The whole of a tensor of this shape."""
    return tuple((0, size) for size in shape)


def shape_of(box: Sequence[Interval]) -> tuple[int, ...]:
    """Sizes along each axis."""
    return tuple(stop - start for start, stop in box)


def volume(box: Sequence[Interval]) -> int:
    """Number of elements."""
    return prod(shape_of(box))


def hull(a: Box, b: Box) -> Box:
    """The smallest box that holds both."""
    return tuple((min(p[0], q[0]), max(p[1], q[1])) for p, q in zip(a, b, strict=True))


def common(a: Box, b: Box) -> Box:
    """What lies in both; of no volume where that is nothing."""
    return tuple((max(p[0], q[0]), max(p[0], q[0], min(p[1], q[1]))) for p, q in zip(a, b, strict=True))


def inside(outer: Box, box: Box) -> Box | None:
    """Where ``box`` lies in a tensor that holds just ``outer``; None where it is all of it."""
    if box == outer:
        return None
    return tuple((start - first, stop - first) for (first, _), (start, stop) in zip(outer, box, strict=True))


def cut(tensor: Tensor, box: Box | None) -> Tensor:
    """The part of ``tensor`` in a box, a view; None: the whole."""
    shape = tensor.shape
    for axis, (start, stop) in enumerate(box or ()):
        if stop - start != shape[axis]:
            tensor = tensor.narrow(axis, start, stop - start)
    return tensor


def cut_all(tensor: Tensor, boxes: Sequence[Box]) -> tuple[Tensor, ...]:
    """Several parts of ``tensor``, views, with one backward pass for all."""
    if tensor.requires_grad and torch.is_grad_enabled():
        views: tuple[Tensor, ...] = _Parts.apply(tensor, tuple(boxes))
        return views
    return tuple(cut(tensor, box) for box in boxes)


class _Parts(torch.autograd.Function):
    """As ``narrow`` for each part, whose own backward passes write a tensor of zeros for each part and axis cut.

    They are always contiguous besides. Channels last, that makes every step behind them work on two formats at once:
    leaky_relu_backward takes 1 ms instead of 0.2 ms on 64 × 64 × 64 values.
    """

    @staticmethod
    def forward(ctx: Any, tensor: Tensor, boxes: tuple[Box, ...]) -> tuple[Tensor, ...]:
        ctx.set_materialize_grads(False)
        ctx.shape, ctx.boxes = tensor.shape, boxes
        by_pixel = tensor.ndim == 4 and tensor.stride(1) == 1 and tensor.shape[1] > 1
        ctx.memory_format = torch.channels_last if by_pixel else torch.contiguous_format
        return tuple(cut(tensor, box) for box in boxes)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, None]:
        known = [(box, gradient) for box, gradient in zip(ctx.boxes, gradients, strict=True) if gradient is not None]
        if not known:
            return None, None
        first = known[0][1]
        whole = torch.empty(ctx.shape, dtype=first.dtype, device=first.device, memory_format=ctx.memory_format)
        apart = not any(volume(common(one, other)) for (one, _), (other, _) in combinations(known, 2))
        if not apart or sum(volume(box) for box, _ in known) < ctx.shape.numel():
            whole.zero_()
        for box, gradient in known:
            part = cut(whole, box)
            part.copy_(gradient) if apart else part.add_(gradient)
        return whole, None
