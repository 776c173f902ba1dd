"""Which networks run channels last, and what happens to those that cannot."""

import weakref

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import srlens
from srlens.windowed.graph import Graph
from srlens.windowed.plan import make_plan
from srlens.windowed.windowed import Record, Windowed, _faster_format

BODY = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 3, 1))


class Strided(nn.Conv2d):
    """Reads memory by strides, as if channels came first."""

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        _, channels, height, width = y.shape
        return y.as_strided(y.shape, (channels * height * width, height * width, width, 1))


class Viewing(nn.Conv2d):
    """Its view is refused where channels come last."""

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        return y.view(len(y), -1).view(y.shape) + 1


class Noisy(nn.Conv2d):
    """Cannot be recorded."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) + 1e-9 * torch.rand(1)


@torch.library.custom_op("srlens_tests::doubled", mutates_args=())
def doubled(x: Tensor) -> Tensor:
    """As an extension does that reads the numbers as they lie."""
    return torch.as_strided(x, (x.numel(),), (1,)).mul(2).reshape(x.shape)


class Foreign(nn.Conv2d):
    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = doubled(super().forward(x))
        return result


class Scaled(nn.Module):
    """A global operator."""

    def forward(self, x: Tensor) -> Tensor:
        return x * (1 + x.mean((2, 3), keepdim=True))


def recorded(module: nn.Module, x: Tensor) -> tuple[Record, torch.memory_format | None]:
    """The record, and the memory format of plans."""
    windowed = Windowed(srlens.Network.wrap(module.eval(), scale=1, channels=x.shape[1]))
    record = windowed.of(x)
    plans = windowed.plans(x, [srlens.Window(1, 1, 4, 4)])
    return record, plans[0].memory_format if isinstance(plans, list) else None


def test_convolutions_run_channels_last_in_single_precision_on_the_cpu() -> None:
    x = torch.rand(1, 3, 8, 8)
    record, memory_format = recorded(BODY, x)
    assert isinstance(record.graph, Graph)
    assert memory_format == torch.channels_last
    cpu = torch.device("cpu")
    assert _faster_format(record.graph, cpu, torch.bfloat16) == torch.channels_last
    assert _faster_format(record.graph, cpu, torch.float64) == torch.contiguous_format
    assert _faster_format(record.graph, cpu, torch.float16) == torch.contiguous_format
    assert _faster_format(record.graph, torch.device("cuda"), torch.float32) == torch.contiguous_format


def test_attention_stays_as_it_is() -> None:
    class Attention(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            tokens = x.flatten(2)
            return (tokens @ tokens.transpose(1, 2) @ tokens).reshape(x.shape)

    _, memory_format = recorded(nn.Sequential(nn.Conv2d(3, 3, 1), Attention()), torch.rand(1, 3, 8, 8))
    assert memory_format == torch.contiguous_format


@pytest.mark.parametrize("channels", [1, 3])
def test_a_part_of_the_input_lies_as_asked(channels: int) -> None:
    x = torch.rand(1, channels, 40, 50)
    plans = [
        make_plan(
            recorded(nn.Conv2d(channels, channels, 3, padding=1), x)[0].graph,
            srlens.Window(10, 10, 2, 3),
            memory_format,
        )
        for memory_format in (torch.channels_last, torch.contiguous_format)
    ]
    assert plans[0].given_part(x).stride() == (20 * channels, 1, 5 * channels, channels)
    assert plans[1].given_part(x).stride() == (20 * channels, 20, 5, 1)


def test_what_reads_memory_is_left_as_it_is() -> None:
    module = Strided(3, 3, 1)
    x = torch.rand(1, 3, 6, 8)
    record, memory_format = recorded(module, x)
    assert memory_format == torch.contiguous_format
    torch.testing.assert_close(record.known[0][1], module(x).detach(), rtol=0, atol=0)


@pytest.mark.parametrize(("kind", "reason"), [(Noisy, "random"), (Foreign, "stops the gradient (no_grad)")])
def test_what_is_not_recorded_says_why(kind: type[nn.Conv2d], reason: str) -> None:
    record, _ = recorded(kind(3, 3, 1), torch.rand(1, 3, 8, 8))
    assert isinstance(record.graph, str)
    assert reason in record.graph


def maps_of(*layers: nn.Module, channels: int = 3) -> list[srlens.Attribution]:
    """One map as srlens chooses to evaluate it, one in full."""
    torch.manual_seed(2)
    module = nn.Sequential(nn.Conv2d(channels, 8, 3, padding=1), *layers, nn.Conv2d(8, channels, 5, padding=2)).eval()
    image = torch.rand(channels, 24, 24)
    window = srlens.Window(8, 8, 8, 8)
    network = srlens.Network.wrap(module, scale=1, channels=channels)
    return [srlens.attribute(network, image, window, steps=12, regional=regional) for regional in (True, False)]


@pytest.mark.parametrize("channels", [1, 3])
def test_channels_last_is_verified_and_the_same(channels: int) -> None:
    one, full = maps_of(nn.ReLU(), Scaled(), nn.Conv2d(8, 8, 1), channels=channels)
    assert one.evaluation.endswith("channels last)")
    assert np.linalg.norm(one.map - full.map) <= 1e-4 * np.linalg.norm(full.map)


def test_a_view_that_channels_last_refuses_is_a_reshape_there() -> None:
    one, full = maps_of(Viewing(8, 8, 1))
    assert one.evaluation.endswith("channels last)")
    assert np.linalg.norm(one.map - full.map) <= 1e-4 * np.linalg.norm(full.map)


def test_a_network_that_is_another_one_channels_last_is_evaluated_in_full() -> None:
    class Peeking(nn.Conv2d):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x) * (2 if x.stride(1) == 1 else 1)

    one, full = maps_of(Peeking(8, 8, 1))
    assert one.evaluation.startswith("full (regional evaluation was rejected: its gradient differs")
    assert (one.map == full.map).all()


def test_recording_keeps_nothing_for_a_gradient() -> None:
    kept = []

    class Sine(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            doubled = x * 2
            known = weakref.ref(doubled)
            result = doubled.sin()  # whose derivative needs what it was given
            del doubled
            kept.append(known())
            return result

    record, _ = recorded(nn.Sequential(nn.Conv2d(3, 3, 1), Sine()), torch.rand(1, 3, 8, 8))
    assert isinstance(record.graph, Graph)
    assert not record.known[0][1].requires_grad
    assert kept == [None]


@pytest.mark.filterwarnings("ignore::srlens.IncompleteWarning")  # autograd does not see its step
def test_a_network_that_takes_gradients_itself_is_evaluated_in_full() -> None:
    class Guided(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            with torch.enable_grad():
                inner = x.detach().requires_grad_(True)
                (step,) = torch.autograd.grad(inner.square().sin().sum(), inner)
            return x + step

    one, full = maps_of(Guided())
    assert one.evaluation == "full (it stops the gradient (detach))"
    assert (one.map == full.map).all()
