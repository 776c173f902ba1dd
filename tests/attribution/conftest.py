"""Tiny networks with random weights, in float64, as fixtures that give functions."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

import srlens

MakeNetwork = Callable[..., srlens.Network]


@pytest.fixture
def make_network() -> MakeNetwork:
    """Plain 3×3 convolutions on the LR grid with an activation between them, then a pixel shuffle."""

    def make(
        activation: Callable[[], nn.Module] = nn.ReLU,
        *,
        scale: int = 2,
        channels: int = 3,
        width: int = 6,
        depth: int = 3,
        dtype: torch.dtype = torch.float64,
    ) -> srlens.Network:
        layers: list[nn.Module] = []
        for k in range(depth):
            into = channels if k == 0 else width
            out = channels * scale**2 if k == depth - 1 else width
            layers += [nn.Conv2d(into, out, 3, padding=1, dtype=dtype), activation()]
        module = nn.Sequential(*layers[:-1], nn.PixelShuffle(scale))
        with torch.no_grad():
            for parameter in module.parameters():
                parameter.mul_(2)  # livelier than PyTorch's initialisation, so that kinks are crossed
        return srlens.Network.wrap(module.eval(), scale=scale, channels=channels, name="tiny")

    return make


@pytest.fixture
def image() -> Tensor:
    """A random LR image, 3×14×16, float64."""
    return torch.rand(3, 14, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
