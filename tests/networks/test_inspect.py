import json
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from srlens.errors import NetworkOutputError
from srlens.networks.inspect import inspect_network, multiply_adds
from srlens.networks.load import load_network
from srlens.networks.network import Network
from srlens.networks.open import load_default


class Attention(nn.Module):
    """One fused attention over all pixels of an LR image, then nearest enlargement."""

    def forward(self, x: Tensor) -> Tensor:
        tokens = x.flatten(2).transpose(1, 2)
        mixed = nn.functional.scaled_dot_product_attention(tokens, tokens, tokens)
        return nn.functional.interpolate(mixed.transpose(1, 2).reshape(x.shape), scale_factor=2)


def test_multiply_adds_of_a_convolution() -> None:
    module = nn.Sequential(nn.Conv2d(3, 12, 3, padding=1), nn.PixelShuffle(2))
    assert multiply_adds(Network.wrap(module, scale=2), 10, 20) == 10 * 20 * 3 * 12 * 9


def test_multiply_adds_of_fused_attention_are_counted() -> None:
    assert multiply_adds(Network.wrap(Attention(), scale=2), 4, 5) == 2 * 20 * 20 * 3


def test_a_module_that_was_enlarged_before_is_counted_on_the_large_grid() -> None:
    module = nn.Conv2d(3, 3, 3, padding=1)
    assert multiply_adds(Network.wrap(module, scale=2, pre_upsampled=True), 8, 8) == 16 * 16 * 3 * 3 * 9


def test_a_module_that_fails_is_named() -> None:
    network = Network.wrap(nn.Conv2d(4, 3, 3), scale=1, name="wrong")
    with pytest.raises(NetworkOutputError, match=r"wrong fails on an input of \(1, 3, 16, 16\).*multiple="):
        multiply_adds(network, 16, 16)


def test_a_published_file(shared: Path) -> None:
    path = shared / "weights" / "rfdn-x4.pth"
    network = load_network(path)
    found = inspect_network(network, path)
    assert (found.family, found.kind, found.scale, found.scales) == ("RFDN", "global pooling", 4, (4,))
    assert (found.value_range, found.channels, found.colour) == (255.0, 3, "RGB")
    assert found.parameters == 433448
    assert found.multiply_adds == 1688984832
    assert (found.cost_height, found.cost_width, found.dtype) == (64, 64, "float32")
    assert found.paper is not None
    assert "2009.11551" in found.paper
    assert found.differentiable
    assert (found.minimum, found.multiple) == (15, 1)
    assert found.file_sha256 == "11af8ec8ebd68689e90ef1e29044f9804c72d3bd9f7573820b7b26035782760c"
    assert found.weights_sha256 == network.digest
    assert found.published_as == "rfdn-x4"
    assert json.loads(json.dumps(found.as_dict()))["receptive_field"] == str(network.receptive_field)


def test_luma_and_several_scales(shared: Path) -> None:
    luma = inspect_network(load_network(shared / "weights" / "fsrcnn-y-x4.pth"))
    assert "Y of YCbCr" in luma.colour
    assert (luma.receptive_field_paper, luma.receptive_field_true) == (13, 15.0)
    assert luma.file is luma.file_sha256 is luma.published_as is None
    carn = inspect_network(load_network(shared / "weights" / "carn-m-multiscale.pth", scale=2))
    assert (carn.scale, carn.scales) == (2, (2, 3, 4))


def test_sizes_that_the_network_takes_are_respected() -> None:
    class Multiple(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            assert x.shape[-1] % 48 == 0
            return nn.functional.interpolate(x, scale_factor=2)

    found = inspect_network(Network.wrap(Multiple(), scale=2, multiple=48))
    assert (found.cost_height, found.cost_width, found.multiple) == (96, 96, 48)
    assert (found.family, found.kind, found.paper, found.receptive_field) == (None, None, None, "unknown")


def test_a_shipped_network() -> None:
    found = inspect_network(load_default("plain"))
    assert (found.receptive_field_paper, found.receptive_field_true) == (21, 21.0)
    assert found.kind == "convolution"


def test_a_module_without_a_gradient_is_reported_not_refused() -> None:
    class Detached(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return nn.functional.interpolate(x.detach(), scale_factor=2)

    assert not inspect_network(Network.wrap(Detached(), scale=2)).differentiable


def test_the_module_is_left_as_it_was() -> None:
    module = nn.Sequential(nn.Conv2d(3, 12, 3, padding=1), nn.PixelShuffle(2)).train()
    inspect_network(Network.wrap(module, scale=2))
    assert module.training
    assert all(parameter.requires_grad and parameter.grad is None for parameter in module.parameters())
    assert torch.is_grad_enabled()
