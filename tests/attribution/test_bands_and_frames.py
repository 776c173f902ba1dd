"""Networks of many bands and of clips whose maps are known exactly, in float64."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import srlens
from srlens.attribution.baseline import Blurred
from srlens.errors import ChannelError, NetworkOutputError, ZeroMapError
from srlens.measures.shares import part_shares

EXACT = {"steps": 12, "parameterisation": "uniform"}  # nodes that do not depend on the picture
WINDOW = srlens.Window(10, 12, 8, 8)


class Mix(nn.Module):
    """Linear: one output band, the sum of all bands times their weights."""

    def __init__(self, weights: Tensor) -> None:
        super().__init__()
        self.weights = nn.Parameter(weights[:, None, None])

    def forward(self, x: Tensor) -> Tensor:
        return (self.weights * x).sum(dim=1, keepdim=True)


def test_a_linear_network_of_31_bands() -> None:
    """Bands that are multiples aₖ of one picture s: gₖ = sign(Σwa) wₖ aₖ · (the map of s itself); D is homogeneous."""
    picture = torch.rand(1, 28, 32, dtype=torch.float64)
    strengths = torch.linspace(0.2, 1.0, 31, dtype=torch.float64)
    weights = torch.randn(31, dtype=torch.float64)
    network = srlens.Network.wrap(Mix(weights), scale=1, channels=31)
    found = srlens.attribute(network, strengths[:, None, None] * picture, WINDOW, **EXACT)
    itself = srlens.Network.wrap(Mix(torch.ones(1, dtype=torch.float64)), scale=1, channels=1, colour="any")
    alone = srlens.attribute(itself, picture, WINDOW, **EXACT)
    factors = (weights * strengths).numpy()
    expected = np.sign(factors.sum()) * factors[:, None, None] * alone.map
    np.testing.assert_allclose(found.map, expected, rtol=0, atol=1e-12 * np.abs(expected).max())
    np.testing.assert_allclose(found.shares, np.abs(factors) / np.abs(factors).sum(), rtol=1e-10)
    assert found.part == "band"
    assert found.has_parts
    assert found.record()["band_shares"] == list(found.shares or ())


class Moved(nn.Module):
    """The centre frame of its output is frame 2 (of 5), moved three rows up and two columns right."""

    def __init__(self, all_frames: bool) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones((), dtype=torch.float64))
        self.all_frames = all_frames

    def forward(self, x: Tensor) -> Tensor:
        moved = self.gain * torch.roll(x[:, 1], (-3, 2), dims=(-2, -1))
        return torch.stack([x[:, 0], x[:, 1], moved, x[:, 3], x[:, 4]], dim=1) if self.all_frames else moved


class Itself(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones((), dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        return self.gain * x


@pytest.mark.parametrize("all_frames", [True, False])
@pytest.mark.parametrize("regional", [True, False])
def test_a_network_of_five_frames_that_uses_the_second(all_frames: bool, regional: bool) -> None:
    clip = torch.rand(5, 3, 30, 34, dtype=torch.float64)
    network = srlens.Network.wrap(Moved(all_frames), scale=1, frames=5)
    found = srlens.attribute(network, clip, WINDOW, regional=regional, **EXACT)
    assert found.map.shape == clip.shape
    assert found.image is not None
    assert np.array_equal(found.image, clip.numpy())
    itself = srlens.Network.wrap(Itself(), scale=1)
    there = srlens.Window(WINDOW.top + 3, WINDOW.left - 2, 8, 8)
    alone = srlens.attribute(itself, clip[1], there, regional=regional, **EXACT)
    np.testing.assert_allclose(found.map[1], alone.map, rtol=0, atol=1e-13 * np.abs(alone.map).max())
    assert not found.map[[0, 2, 3, 4]].any()
    assert found.shares == (0.0, 1.0, 0.0, 0.0, 0.0)
    assert (found.frames, found.part) == (5, "frame")
    assert found.lr_size == (30, 34)


def test_the_parts_of_a_clip_sum_to_the_map() -> None:
    class Blend(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x[:, 0] - 0.5 * x[:, 1] + 0.25 * x[:, 2].flip(-1)

    clip = torch.rand(3, 2, 20, 24, dtype=torch.float64)
    network = srlens.Network.wrap(Blend(), scale=1, channels=2, frames=3)
    found = srlens.attribute(network, clip, srlens.Window(6, 6, 8, 8))
    assert network.channels == 6
    np.testing.assert_allclose(found.parts.sum(axis=0), found.summed, atol=1e-12)
    np.testing.assert_allclose(np.abs(found.summed), found.absolute)
    assert sum(found.shares or ()) == pytest.approx(1)
    assert found.completeness_gap is not None
    assert found.completeness_gap < 0.05


def test_the_baseline_blurs_every_frame_alike() -> None:
    clip = torch.rand(5, 3, 20, 24, dtype=torch.float64)
    together = Blurred().of(clip.flatten(0, 1)).unflatten(0, (5, 3))
    for one, frame in zip(together, clip, strict=True):
        assert torch.allclose(one, Blurred().of(frame), rtol=0, atol=1e-15)


def test_clips_that_do_not_fit() -> None:
    network = srlens.Network.wrap(Moved(all_frames=True), scale=1, frames=5)
    for wrong in (torch.rand(4, 3, 20, 20), torch.rand(5, 1, 20, 20), torch.rand(3, 20, 20)):
        with pytest.raises(ChannelError, match="clips of 5 frames of 3 channels"):
            srlens.attribute(network, wrong, srlens.Window(6, 6, 8, 8))
    with pytest.raises(ChannelError, match="bands come first"):
        srlens.attribute(srlens.Network.wrap(Mix(torch.ones(31)), scale=1, channels=31), torch.rand(20, 24, 31), WINDOW)

    class Fewer(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x[:, :2]

    with pytest.raises(NetworkOutputError, match="for 5 frames"):
        srlens.attribute(srlens.Network.wrap(Fewer(), scale=1, frames=5), torch.rand(5, 3, 20, 20), WINDOW)


def test_a_zero_map_has_no_shares() -> None:
    with pytest.raises(ZeroMapError, match="no part of it"):
        part_shares(np.zeros((4, 5, 6)))
