"""Checks that every network family must pass, as fixtures that give functions."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch._ops import OpOverload

from srlens.networks.receptive_field import ReceptiveField
from srlens.networks.zoo.family import Family

Interval = tuple[int, int]
Reload = Callable[[Family, nn.Module, int], Any]
Support = Callable[..., tuple[Interval, Interval]]


@pytest.fixture
def reload() -> Reload:
    """Pass a module's state dict through detection and strict loading; the result must compute the same."""

    def check(family: Family, module: nn.Module, channels: int) -> Any:
        state_dict = module.state_dict()
        assert family.detect(state_dict)
        assert not family.detect(dict(list(state_dict.items())[:-2]))  # the last layer is missing
        loaded = family.load(dict(state_dict)).eval()
        assert loaded.channels == channels
        assert loaded.state_dict().keys() == state_dict.keys()
        if hasattr(loaded, "select_scale"):
            loaded.select_scale(module.scale)
        x = torch.rand(2, channels, 17, 13)
        with torch.no_grad():
            expected, output = module.eval()(x), loaded(x)
        assert torch.equal(output, expected)
        assert output.shape == (2, channels, 17 * module.scale, 13 * module.scale)
        return loaded

    return check


@pytest.fixture
def support() -> Support:
    """LR rows and columns, each as [first, last), with a gradient of the SR window [start, stop)²."""

    def measure(
        module: nn.Module,
        start: int,
        stop: int,
        size: int,
        *,
        channels: int = 3,
        value_range: float = 1.0,
        positive: bool = False,
    ) -> tuple[Interval, Interval]:
        module = module.double().eval()
        x = value_range * torch.rand(1, channels, size, size, dtype=torch.float64)
        if positive:
            # Positive weights on an image brighter than the mean shift: no rectifier closes and nothing
            # cancels, so every path that the architecture has shows.
            x = x + value_range
            for name, parameter in module.named_parameters():
                if "mean" not in name:
                    parameter.data = parameter.data.abs() + 1e-3
        x.requires_grad_()
        (gradient,) = torch.autograd.grad(module(x)[..., start:stop, start:stop].sum(), x)
        assert gradient.isfinite().all()
        touched = gradient[0].abs().sum(dim=0) > 0
        return _extent(touched.any(dim=1)), _extent(touched.any(dim=0))

    return measure


def _extent(touched: Tensor) -> Interval:
    indices = touched.nonzero().flatten()
    return int(indices[0]), int(indices[-1]) + 1


@pytest.fixture
def check_footprint(support: Support) -> Callable[..., None]:
    """Gradient support must lie inside the theoretical footprint and fill it, up to ``slack`` pixels."""

    def check(module: nn.Module, field: ReceptiveField, scale: int, size: int, slack: int = 0, **options: Any) -> None:
        middle = scale * (size // 2)
        for start, stop in [(middle, middle + 1), (middle - 1, middle + 2), (0, 2)]:
            first, last = field.footprint(start, stop, scale, size)
            for rows in support(module, start, stop, size, **options):
                assert first <= rows[0] < rows[1] <= last
        for start, stop in [(middle, middle + 1), (middle + 1, middle + 4), (0, 2)]:
            first, last = field.footprint(start, stop, scale, size)
            assert first == 0 if start == 0 else (first > 0 and last < size), "choose a larger image"
            for rows in support(module, start, stop, size, positive=True, **options):
                assert first <= rows[0] <= first + slack
                assert last - slack <= rows[1] <= last

    return check


@pytest.fixture
def reload_any() -> Callable[..., Any]:
    """As ``reload``, for networks with rules about the LR size and with dead weights; an input of any size."""

    def check(family: Family, module: nn.Module, scale: int, channels: int, size: tuple[int, int]) -> Any:
        for tensor in module.state_dict().values():
            if tensor.is_floating_point() and not tensor.any():
                nn.init.uniform_(tensor)  # a part shut at the start would hide what was not loaded
        state_dict = module.state_dict()
        assert family.detect(state_dict)
        assert not family.detect(dict(list(state_dict.items())[:-2]))  # the last layer is missing
        loaded = family.load(dict(state_dict)).eval()
        assert loaded.scale == scale
        assert loaded.channels == channels
        with pytest.raises(RuntimeError, match="Missing key"):
            family.load(dict(list(state_dict.items())[:-1]))
        x = torch.rand(2, channels, *size, requires_grad=True)
        before = x.detach().clone()
        output = loaded(x)
        assert torch.equal(output, module.eval()(x))
        assert output.shape == (2, channels, size[0] * scale, size[1] * scale)
        (gradient,) = torch.autograd.grad(output.sum(), x)
        assert gradient.isfinite().all()
        assert gradient.any()
        assert torch.equal(x, before)
        return loaded

    return check


@pytest.fixture
def strip_support() -> Callable[..., Interval]:
    """LR columns [first, last) of a 24-row image with a gradient of the SR columns [start, stop) of one row."""

    def measure(module: nn.Module, start: int, stop: int, size: int, channels: int = 3) -> Interval:
        x = torch.rand(1, channels, 24, size, requires_grad=True)
        (gradient,) = torch.autograd.grad(module.eval()(x)[..., 20, start:stop].sum(), x)
        return _extent(gradient[0].abs().amax(dim=(0, 1)) > 0)

    return measure


@pytest.fixture
def exported_agrees() -> Callable[..., None]:
    """The ATen graph that a regional evaluation works on must exist and compute the same, bit for bit."""

    def check(module: nn.Module, channels: int = 3, size: tuple[int, int] = (18, 22)) -> None:
        module = module.eval().requires_grad_(False)
        x = torch.rand(1, channels, *size)
        program = torch.export.export(module, (x,))
        operators = {node.target for node in program.graph.nodes if isinstance(node.target, OpOverload)}
        assert not [operator for operator in operators if operator._schema.is_mutable], "writes in place"
        assert torch.equal(program.module()(x), module(x))

    return check
