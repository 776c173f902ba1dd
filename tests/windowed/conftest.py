"""Full against regional evaluation, below and above the evaluator."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import srlens
from srlens.windowed.plan import Plan
from srlens.windowed.shared import SharedForward
from srlens.windowed.windowed import Windowed

Window = tuple[int, int, int, int]
"""Top, left, height, width."""


@dataclass(frozen=True)
class Function:
    """A network without weights of its own."""

    call: Callable[[Tensor], Tensor]
    module: nn.Module = field(default_factory=nn.Identity)
    dtype: torch.dtype = torch.float64

    def __call__(self, x: Tensor) -> Tensor:
        return self.call(x)


@pytest.fixture
def agreed() -> Callable[..., list[Plan]]:
    """Records a function of one image, plans windows of it, and compares patch and gradient in float64."""

    def check(
        function: Callable[[Tensor], Tensor],
        shape: tuple[int, ...],
        windows: list[Window] | None = None,
        tolerance: float = 1e-9,
        **options: Any,
    ) -> list[Plan]:
        image = torch.rand(shape, dtype=torch.float64, **options)
        windowed = Windowed(Function(function))
        record = windowed.of(image)
        assert record.known, record.graph
        height, width = record.known[0][1].shape[-2:]
        plans = []
        for top, left, rows, columns in windows or some_windows(height, width):
            planned = windowed.plans(image, [srlens.Window(top, left, rows, columns)])
            assert isinstance(planned, list), planned
            (plan,) = planned
            place = (..., slice(top, top + rows), slice(left, left + columns))
            full = evaluated(lambda x, place=place: function(x)[place], image)
            regional = evaluated(lambda x, plan=plan: next(SharedForward([plan])(x)), image)
            for one, other in zip(full, regional, strict=True):
                assert one.shape == other.shape
                assert float((one - other).norm()) <= tolerance * float(one.norm())
            plans.append(plan)
        return plans

    return check


def some_windows(height: int, width: int) -> list[Window]:
    """Corners, borders, middle; single pixels, strips and the whole."""
    h, w = min(5, height), min(4, width)
    return [
        (0, 0, h, w),
        (0, width - w, h, w),
        (height - h, 0, h, w),
        (height - h, width - w, h, w),
        ((height - h) // 2, 0, h, w),
        (0, (width - w) // 2, h, w),
        ((height - h) // 2, (width - w) // 2, h, w),
        (height // 3, width // 2, 1, 1),
        (height // 2, 0, 1, width),
        (0, 0, height, width),
    ]


def evaluated(source: Callable[[Tensor], Tensor], image: Tensor) -> tuple[Tensor, Tensor]:
    """Patch, and gradient of a curved function of it."""
    x = image.clone().requires_grad_(True)
    patch = source(x.clone())
    value = (patch.sin() * torch.arange(1, patch.numel() + 1, dtype=patch.dtype).reshape(patch.shape)).sum()
    (gradient,) = torch.autograd.grad(value, x)
    return patch.detach(), gradient
