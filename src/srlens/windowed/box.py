"""Boxes: what part of a tensor is meant, one half-open interval an axis."""

from collections.abc import Sequence
from math import prod

Interval = tuple[int, int]
"""First index and one past the last."""
Box = tuple[Interval, ...]
"""One interval for each axis of a tensor."""


def full_box(shape: Sequence[int]) -> Box:
    """The whole of a tensor of this shape."""
    return tuple((0, size) for size in shape)


def shape_of(box: Box) -> tuple[int, ...]:
    """Sizes along each axis."""
    return tuple(stop - start for start, stop in box)


def volume(box: Box) -> int:
    """Number of elements."""
    return prod(stop - start for start, stop in box)


def hull(a: Box, b: Box) -> Box:
    """The smallest box that holds both."""
    return tuple((min(p[0], q[0]), max(p[1], q[1])) for p, q in zip(a, b, strict=True))
