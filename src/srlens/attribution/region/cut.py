"""Cutting parts out of a tensor."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import combinations
from math import prod
from typing import Any

import torch
from torch import Tensor

Cut = tuple[int, int, int]
"""Axis, start, length: one narrowing."""
Cuts = tuple[Cut, ...]
"""At most one narrowing for each axis; none of them is the whole tensor."""


def cut(tensor: Tensor, cuts: Cuts) -> Tensor:
    """The part of ``tensor`` that is left by all cuts; a view."""
    for axis, start, length in cuts:
        tensor = tensor.narrow(axis, start, length)
    return tensor


def cut_all(tensor: Tensor, parts: Sequence[Cuts]) -> tuple[Tensor, ...]:
    """Several parts of ``tensor``, views, with one backward pass for all."""
    if tensor.requires_grad and torch.is_grad_enabled():
        views: tuple[Tensor, ...] = _Parts.apply(tensor, tuple(parts))
        return views
    return tuple(cut(tensor, part) for part in parts)


class _Parts(torch.autograd.Function):
    """As ``narrow`` for each part, whose own backward passes write a tensor of zeros for each part and cut of it.

    They are always contiguous besides. Channels last, that makes every step behind them work on two formats at once:
    leaky_relu_backward takes 1 ms instead of 0.2 ms on 64 × 64 × 64 values.
    """

    @staticmethod
    def forward(ctx: Any, tensor: Tensor, parts: tuple[Cuts, ...]) -> tuple[Tensor, ...]:
        ctx.set_materialize_grads(False)
        ctx.shape, ctx.parts = tuple(tensor.shape), parts
        by_pixel = tensor.ndim == 4 and tensor.stride(1) == 1 and tensor.shape[1] > 1
        ctx.memory_format = torch.channels_last if by_pixel else torch.contiguous_format
        return tuple(cut(tensor, part) for part in parts)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, None]:
        known = [gradient for gradient in gradients if gradient is not None]
        if not known:
            return None, None
        whole = torch.empty(ctx.shape, dtype=known[0].dtype, device=known[0].device, memory_format=ctx.memory_format)
        apart, covering = _layout(ctx.shape, ctx.parts)
        if not covering or len(known) < len(gradients):
            whole.zero_()
        for part, gradient in zip(ctx.parts, gradients, strict=True):
            if gradient is not None:
                place = cut(whole, part)
                place.copy_(gradient) if apart else place.add_(gradient)
        return whole, None


@lru_cache(maxsize=4096)
def _layout(shape: tuple[int, ...], parts: tuple[Cuts, ...]) -> tuple[bool, bool]:
    """Whether no two parts overlap, and whether they also make up the whole."""
    boxes = [{axis: (start, start + length) for axis, start, length in part} for part in parts]
    apart = not any(_overlap(one, other) for one, other in combinations(boxes, 2))
    volumes = [prod(box.get(k, (0, n))[1] - box.get(k, (0, n))[0] for k, n in enumerate(shape)) for box in boxes]
    return apart, apart and sum(volumes) == prod(shape)


def _overlap(one: dict[int, tuple[int, int]], other: dict[int, tuple[int, int]]) -> bool:
    shared = one.keys() & other.keys()
    return all(one[axis][0] < other[axis][1] and other[axis][0] < one[axis][1] for axis in shared)
