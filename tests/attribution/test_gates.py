"""A network that changes within a sliver of the path, wherever that lies: no map is told to be better than it is."""

import warnings

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as nnf

import srlens
from srlens.attribution.path import find_path
from srlens.errors import ToleranceWarning

PLACES = 20
WINDOW = srlens.Window(8, 10, 8, 8)


def sharpness(x: Tensor) -> Tensor:
    return (x - nnf.avg_pool2d(x, 3, 1, 1)).abs().mean((1, 2, 3), keepdim=True)


class Gated(nn.Module):
    """Three times as bright as soon as the picture is sharp enough."""

    def __init__(self, threshold: float, steepness: float) -> None:
        super().__init__()
        torch.manual_seed(4)
        self.body = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.Softplus(), nn.Conv2d(8, 12, 3, padding=1))
        self.threshold, self.steepness = threshold, steepness
        self.double()

    def forward(self, x: Tensor) -> Tensor:
        gate = 1 + 2 * torch.sigmoid(self.steepness * (sharpness(x) - self.threshold))
        return nnf.pixel_shuffle(self.body(x) * gate, 2)


@pytest.fixture
def picture() -> Tensor:
    return torch.rand(3, 14, 16, generator=torch.Generator().manual_seed(9), dtype=torch.float64)


def gated(picture: Tensor, place: float, width: float) -> srlens.Network:
    """A gate at this part of the path's sharpness, which opens within that part."""
    ends = find_path("progressive-blur").at(picture, torch.tensor([0.0, 1.0], dtype=torch.float64))
    low, high = sharpness(ends).flatten().tolist()
    return srlens.Network.wrap(Gated(low + place * (high - low), 8 / (width * (high - low))).eval(), scale=2)


@pytest.mark.parametrize("place", (np.arange(PLACES) + 0.5) / PLACES)
def test_a_gate_is_not_missed(picture: Tensor, place: float) -> None:
    network = gated(picture, place, 0.02)
    reference = srlens.attribute(network, picture, WINDOW, steps=1500, parameterisation="arc length", regional=False)
    assert reference.completeness_gap < 0.01
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ToleranceWarning)
        result = srlens.attribute(network, picture, WINDOW)
    error = np.linalg.norm(result.map - reference.map) / np.linalg.norm(reference.map)
    assert result.converged
    assert result.completeness_gap < 0.5
    assert error <= 3 * result.map_error


def test_a_jump_that_no_gradient_sees_is_told(picture: Tensor) -> None:
    network = gated(picture, 0.6, 1e-9)
    with pytest.warns(ToleranceWarning, match=r"its gap 0\.\d+, above the tolerance of 0.05. The detector jumps"):
        result = srlens.attribute(network, picture, WINDOW)
    assert not result.converged
    assert result.evaluations < 200
