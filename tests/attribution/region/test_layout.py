"""Which networks run channels last, and what happens to those that cannot."""

import pytest
import torch
from torch import Tensor, nn

import srlens
from srlens.attribution.region.capture import Capture, capture
from srlens.attribution.region.layout import memory_format

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


class Sampled(nn.Module):
    """Its course depends on pixel values."""

    def forward(self, x: Tensor) -> Tensor:
        return x * 2 if float(x.detach().mean()) > -1e9 else x


def captured(module: nn.Module, x: Tensor) -> tuple[Tensor, Capture]:
    network = srlens.Network.wrap(module.eval(), scale=1)
    with torch.no_grad():
        return capture(network, x)


def test_convolutions_run_channels_last_in_single_precision_on_the_cpu() -> None:
    x = torch.rand(1, 3, 8, 8)
    assert memory_format(BODY, x) == torch.channels_last
    assert memory_format(BODY, x.double()) == torch.contiguous_format
    assert memory_format(BODY, x.to("meta")) == torch.contiguous_format


def test_attention_stays_as_it_is() -> None:
    tokens = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Linear(64, 64))
    assert memory_format(tokens, torch.rand(1, 3, 8, 8)) == torch.contiguous_format


@pytest.mark.parametrize("kind", [Strided, Viewing, Foreign])
def test_what_depends_on_memory_is_recorded_as_it_is(kind: type[nn.Conv2d]) -> None:
    module = kind(3, 3, 1)
    x = torch.rand(1, 3, 6, 8)
    assert memory_format(module, x) == torch.channels_last  # as far as its weights tell
    y, record = captured(module, x)
    assert record.graph is not None
    assert record.memory_format == torch.contiguous_format
    torch.testing.assert_close(y, module(x), rtol=0, atol=0)


def test_what_is_not_recorded_is_evaluated_as_it_is() -> None:
    y, record = captured(Noisy(3, 3, 1), torch.rand(1, 3, 8, 8))
    assert record.graph is None
    assert record.reason is not None
    assert "random" in record.reason
    assert y.is_contiguous()


def test_a_full_map_is_the_same_whether_or_not_a_record_was_tried() -> None:
    """The record is made channels last, but what it leads to is not returned if evaluation stays full."""
    module = nn.Sequential(Viewing(3, 3, 3, padding=1), nn.Conv2d(3, 3, 5, padding=2), Sampled())
    image = torch.rand(3, 24, 24, generator=torch.Generator().manual_seed(1))
    window = srlens.Window(8, 8, 8, 8)
    maps = []
    for regional in (True, False):
        network = srlens.Network.wrap(module.eval(), scale=1)
        maps.append(srlens.attribute(network, image, window, steps=8, regional=regional))
    assert maps[0].evaluation.startswith("full (")
    assert (maps[0].map == maps[1].map).all()
