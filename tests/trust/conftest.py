"""Networks of which it is known what they read, in float64."""

from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor, nn

import srlens

Place = tuple[int, int]


class ReadsPixels(nn.Module):
    """Every output pixel is the nearest input pixel plus a weighted sum of some others."""

    def __init__(self, places: Sequence[Place], weight: float) -> None:
        super().__init__()
        self.places = tuple(places)
        self.weight = nn.Parameter(
            torch.tensor(weight, dtype=torch.float64), requires_grad=False
        )  # makes it a network of float64

    def forward(self, x: Tensor) -> Tensor:
        read = sum((x[..., y : y + 1, left : left + 1] for y, left in self.places), torch.zeros_like(x[..., :1, :1]))
        shade = torch.linspace(0.5, 1, x.shape[-1], dtype=x.dtype, device=x.device)
        return (x + self.weight * read * shade).repeat_interleave(2, dim=-1).repeat_interleave(2, dim=-2)


class Constant(nn.Module):
    """Ignores its input, but for autograd."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros((), dtype=torch.float64), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        return (
            (self.weight * x + torch.linspace(0, 1, x.shape[-1], dtype=x.dtype))
            .repeat_interleave(2, -1)
            .repeat_interleave(2, -2)
        )


@pytest.fixture(scope="session")
def reads_pixels() -> Callable[..., srlens.Network]:
    def make(*places: Place, weight: float = 0.5) -> srlens.Network:
        return srlens.Network.wrap(ReadsPixels(places, weight), scale=2, name="reader")

    return make


@pytest.fixture
def constant() -> srlens.Network:
    return srlens.Network.wrap(Constant(), scale=2, name="constant")


@pytest.fixture
def image() -> Tensor:
    """A random LR image, 3×24×30, float64."""
    return torch.rand(3, 24, 30, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
