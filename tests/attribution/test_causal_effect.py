"""Causal effect maps: known answers, and a restatement by brute force."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from torch import Tensor, nn

import srlens
from srlens.attribution.blocks import partition, pixels
from srlens.attribution.methods.causal_effect import half_widths
from srlens.imaging.patches import packaged_bank

WINDOW = srlens.Window(8, 10, 8, 8)


class Reads(nn.Module):
    """Every SR pixel is the weighted sum of a fixed set of LR pixels, wherever they are."""

    def __init__(self, weights: Tensor) -> None:
        super().__init__()
        self.weights = nn.Parameter(weights)

    def forward(self, x: Tensor) -> Tensor:
        total = (x * self.weights).sum(dim=(1, 2, 3), keepdim=True)
        return total.expand(-1, 3, 2 * x.shape[-2], 2 * x.shape[-1])


@pytest.fixture
def weights() -> Tensor:
    """Of three channels of three LR pixels in three blocks of 4×4, two of them next to one another."""
    weights = torch.zeros(3, 14, 16, dtype=torch.float64)
    for place in ((1, 1), (6, 11), (9, 12)):
        weights[:, *place] = 0.1 * torch.tensor([1, -2, 4])
    return weights


def blocks_of(summed: np.ndarray, side: int) -> np.ndarray:
    """Effects of whole blocks, from a map that is summed over channels."""
    return np.array([summed[block].sum() for block in partition(*summed.shape, side)])


@pytest.mark.parametrize(("method", "options"), [("occlusion", {"fill": "black"}), ("causal-effect", {})])
def test_finds_exactly_the_blocks_that_are_read(weights, image, method: str, options) -> None:
    network = srlens.Network.wrap(Reads(weights), scale=2, name="reads")
    result = srlens.attribute(network, image, WINDOW, method, detector="intensity", block=4, **options)
    read = [bool(weights[:, *block].any()) for block in partition(14, 16, 4)]
    assert [bool(result.map[:, *block].any()) for block in partition(14, 16, 4)] == read
    assert sum(read) == 3
    if method == "causal-effect":
        assert result.facts["blocks_fine"] == 3


def test_effect_of_a_linear_network_is_that_of_the_mean_patch(weights, image) -> None:
    network = srlens.Network.wrap(Reads(weights), scale=2, name="reads")
    result = srlens.attribute(network, image, WINDOW, "causal-effect", detector="intensity", block=1, draws=400)
    mean = bank_mean(1)
    expected = 3 * WINDOW.height * WINDOW.width * (weights * (image - mean[:, None, None])).sum(dim=0).numpy()
    found = result.map.sum(axis=0)
    assert np.array_equal(found != 0, expected != 0)
    at = expected != 0
    assert (np.abs(found - expected)[at] < 1.5 * result.interval[at]).all()
    assert (result.interval[at] < np.abs(expected[at]).max()).all()


def bank_mean(side: int) -> Tensor:
    return packaged_bank().draw(20_000, side, torch.Generator().manual_seed(5)).mean(dim=(0, 2, 3))


def test_agrees_with_brute_force_within_its_intervals(make_network) -> None:
    """Every block, 50 patches everywhere, the whole network, other random numbers, NumPy's mean and SciPy's t."""
    network, side = make_network(nn.GELU), 2
    image = srlens.make_lr(srlens.open_image("hopper")[:, 60:84, 60:88].double(), 2, "bicubic-float")
    clean = network(image[None])[0].detach() + 0.02 * torch.randn(3, 24, 28, generator=torch.Generator().manual_seed(2))
    window = srlens.Window(6, 8, 8, 8)
    result = srlens.attribute(network, image, window, "causal-effect", detector="psnr", clean=clean, block=side)

    def psnr(images: Tensor) -> Tensor:
        with torch.no_grad():
            error = (window.crop(network(images)).clamp(0, 1) - window.crop(clean)).square().mean(dim=(1, 2, 3))
        return -10 * error.log10()

    generator, base = torch.Generator().manual_seed(77), float(psnr(image[None]))
    means, halves = [], []
    for top in range(0, 12, side):
        for left in range(0, 14, side):
            changed = image.repeat(50, 1, 1, 1)
            changed[:, :, top : top + side, left : left + side] = packaged_bank().draw(50, side, generator)
            effects = base - psnr(changed).numpy()
            means.append(effects.mean())
            halves.append(stats.t.interval(0.95, 49, 0, stats.sem(effects))[1] if effects.any() else 0)
    found, own = blocks_of(result.map.sum(axis=0), side), blocks_of(result.interval, side)
    apart = np.abs(found - means) / np.maximum(np.hypot(own, halves), 1e-9)
    assert (found != 0).sum() > 15
    assert np.mean(apart[found != 0] <= 1) > 0.85  # two means of 50 lie so near one another in 95 of 100 blocks
    assert apart.max() < 2.5
    assert np.abs(np.array(means)[own == 0]).max() == 0  # out of reach
    assert result.detector_at_image == pytest.approx(base)
    assert result.evaluations < 2 + 42 * 50


def test_blocks_out_of_reach_are_never_computed(make_network) -> None:
    network, window = make_network(), srlens.Window(30, 30, 6, 6)
    image = torch.rand(3, 48, 48, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    result = srlens.attribute(network, image, window, "causal-effect", detector="intensity", draws=8)
    facts = result.facts
    assert result.evaluation.startswith("regional")
    assert facts["block"] == 4  # 8 clean pixels
    assert facts["blocks"] == 144
    assert facts["blocks_outside_reach"] == 144 - 3 * 3  # LR 12 to 21
    reached = facts["blocks"] - facts["blocks_outside_reach"]
    assert result.evaluations == 2 + 3 * reached + 8 * facts["blocks_fine"]
    whole = srlens.attribute(network, image, window, "causal-effect", detector="intensity", draws=8, regional=False)
    assert whole.facts["blocks_outside_reach"] == 0  # nothing is known of it
    np.testing.assert_allclose(whole.map, result.map, atol=1e-12)


def test_a_harmful_block_of_the_window_itself_has_a_negative_effect() -> None:
    clean = srlens.open_image("pagoda")[:, 100:132, 100:132].double()
    image = clean.clone()
    image[:, 8:16, 8:16] = (clean[:, 8:16, 8:16] > 0.5).double().logical_not().double()
    network = srlens.Network.wrap(Identity(), scale=1, name="identity")
    result = srlens.attribute(
        network, image, srlens.Window(0, 0, 32, 32), "causal-effect", detector="psnr", clean=clean
    )
    effects = blocks_of(result.map.sum(axis=0), 8)
    assert result.facts["block"] == 8
    assert effects[5] < 0 < np.delete(effects, 5).min()
    assert not result.uncertain[8:16, 8:16].any()


class Identity(nn.Module):
    """With a parameter."""

    def __init__(self) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.ones((), dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.factor


def test_stages_choose_and_do_not_change_what_is_chosen(make_network, image) -> None:
    network = make_network()
    method = srlens.Method("causal-effect", detector="intensity", block=3, draws=6)
    both = srlens.attribute(network, image, WINDOW, method, threshold=0.5)
    every = srlens.attribute(network, image, WINDOW, method, coarse_draws=0)
    again = srlens.attribute(network, image, WINDOW, method, threshold=0.5)
    other = srlens.attribute(network, image, WINDOW, method, threshold=0.5, draw_seed=1)
    close = both.map != 0
    assert 0 < both.facts["blocks_fine"] < every.facts["blocks_fine"]
    assert np.array_equal(both.map[close], every.map[close])
    assert np.array_equal(both.map, again.map)
    assert not np.array_equal(both.map, other.map)
    assert not every.uncertain[~every.map.any(axis=0)].any()
    left = ~close.any(axis=0) & (both.interval > 0)
    np.testing.assert_allclose(both.interval[left][0], 0.5 / 9)


@given(height=st.integers(1, 20), width=st.integers(1, 20), side=st.integers(1, 20))
@settings(max_examples=40, deadline=None)
def test_blocks_cover_each_pixel_once(height: int, width: int, side: int) -> None:
    count = np.zeros((height, width))
    for block in partition(height, width, side):
        count[block] += 1
        assert pixels(block) == count[block].size
    assert (count == 1).all()


def test_intervals_are_students() -> None:
    draws = torch.tensor([[1.0, 2.0, 4.0], [5.0, 5.0, 5.0]], dtype=torch.float64)
    low, high = stats.t.interval(0.95, 2, draws[0].mean(), stats.sem(draws[0]))
    np.testing.assert_allclose(half_widths(draws), [(high - low) / 2, 0])


def test_psnr_as_a_detector() -> None:
    measure, clean = srlens.DETECTORS["psnr"].measure, torch.full((1, 3, 4, 4), 0.5, dtype=torch.float64)
    patch = torch.stack([clean[0] + 0.1, clean[0], clean[0] + 0.6]).requires_grad_(True)
    values = measure(patch, clean.expand(3, -1, -1, -1))
    assert values.tolist() == pytest.approx([20, 100, 20 * np.log10(2)])
    (gradient,) = torch.autograd.grad(values.sum(), patch)
    assert gradient[0, 0, 0, 0] == pytest.approx(-20 / np.log(10) / 48 * 0.1 / 0.01)
    assert not gradient[1:].any()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"draws": 1}, "draws must be a whole number of at least 2, got 1"),
        ({"coarse_draws": -1}, "coarse_draws"),
        ({"block": 0}, "block must be"),
        ({"block": 15}, "larger than the LR image of 14×16"),
        ({"threshold": -1.0}, "threshold must be a change"),
        ({"draw_seed": -1}, "draw_seed"),
        ({"patches": 5}, "patches must be 'packaged'"),
    ],
)
def test_settings_out_of_range(make_network, image, given, words: str) -> None:
    with pytest.raises(srlens.SettingError, match=words):
        srlens.attribute(make_network(), image, WINDOW, "causal-effect", **given)


def test_a_folder_without_pictures_is_told_before_anything_is_computed(make_network, image, tmp_path: Path) -> None:
    with pytest.raises(srlens.ImageError, match="no folder that holds a picture"):
        srlens.Explainer(make_network(), image, "causal-effect", patches=str(tmp_path))


def test_intervals_are_saved(make_network, image, tmp_path: Path) -> None:
    result = srlens.attribute(make_network(), image, WINDOW, "causal-effect", detector="intensity", draws=3)
    loaded = srlens.load(result.save(tmp_path / "map"))
    assert np.array_equal(loaded.interval, result.interval)
    assert loaded.method == result.method
    assert loaded.facts == result.facts
    assert not loaded.interval.flags.writeable
