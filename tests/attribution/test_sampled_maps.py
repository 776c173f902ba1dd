"""Maps over several seeds, and what becomes of a gradient on its way through a sampler."""

import numpy as np
import pytest
import torch
from torch import Tensor

import srlens
from srlens.errors import SettingError
from srlens.networks.sampler import Condition


class Drift(srlens.Sampler):
    """x ← 2x + LR · noise, clamped at the end: what becomes of the gradient can be told by hand."""

    steps = 3

    def condition(self, image: Tensor, noise: srlens.Noise) -> Condition:
        return (image,)

    def begin(self, condition: Condition, noise: srlens.Noise) -> Tensor:
        return noise(0, condition[0])

    def step(self, latent: Tensor, index: int, condition: Condition, noise: srlens.Noise) -> Tensor:
        return 2 * latent + condition[0] * noise(1 + index, latent)

    def end(self, latent: Tensor, condition: Condition) -> Tensor:
        return latent.clamp(-5, 5)


WINDOW = srlens.Window(top=1, left=2, height=3, width=4)


@pytest.fixture
def network() -> srlens.Network:
    return srlens.Network.from_sampler(Drift(), scale=1)


@pytest.fixture
def image() -> Tensor:
    return torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(0))


def test_seeds_are_explained_one_by_one(network: srlens.Network, image: Tensor) -> None:
    ticks: list[tuple[int, int]] = []
    maps = srlens.attribute_seeds(
        network, image, WINDOW, "ig-black", steps=2, detector="intensity", seeds=[3, 5],
        progress=lambda done, expected: ticks.append((done, expected)),
    )  # fmt: skip
    assert maps.seeds == (3, 5)
    one = srlens.attribute(network.seeded(5), image, WINDOW, "ig-black", steps=2, detector="intensity")
    np.testing.assert_array_equal(maps.results[1].map, one.map)
    assert maps.results[1].facts["seed"] == one.facts["seed"] == 5
    summed = np.stack([result.summed for result in maps.results])
    np.testing.assert_allclose(maps.mean, summed.mean(axis=0), rtol=0, atol=1e-15)
    expected = (summed > 0).all(axis=0) | (summed < 0).all(axis=0)
    np.testing.assert_array_equal(maps.stable, expected)
    assert 0 < expected.sum() < 12  # independent noise: some of the window's 12 pixels agree by chance
    assert maps.diffusion_spread == pytest.approx(np.std(maps.diffusion_indices, ddof=1))
    assert maps.stable_share == pytest.approx(np.abs(summed).sum(axis=0)[expected].sum() / np.abs(summed).sum())
    assert ticks[-1] == (4, 4)
    assert ticks == sorted(ticks)


def test_one_seed_has_no_spread_and_a_stable_sign(network: srlens.Network, image: Tensor) -> None:
    maps = srlens.attribute_seeds(network, image, WINDOW, "ig-black", steps=1, detector="intensity", seeds=1)
    assert maps.diffusion_spread is None
    assert maps.stable_share == 1


@pytest.mark.parametrize("seeds", [0, [], [1, 1], [-1]])
def test_seeds_that_mean_nothing_are_refused(network: srlens.Network, image: Tensor, seeds: object) -> None:
    with pytest.raises(SettingError, match="seed"):
        srlens.attribute_seeds(network, image, WINDOW, seeds=seeds)  # type: ignore[arg-type]


def test_norms_of_the_gradient_by_step(network: srlens.Network, image: Tensor) -> None:
    report = srlens.sampler_report(network, image, WINDOW, "intensity")
    inside = float((network(image[None]).abs() < 5)[..., 1:4, 2:6].sum())
    expected = [8 * inside**0.5, 4 * inside**0.5, 2 * inside**0.5, inside**0.5]
    assert report.gradient_norms == pytest.approx(expected)
    last = srlens.sampler_report(srlens.last_steps(network, 1), image, WINDOW, "intensity")
    assert last.gradient_norms == (None, None, pytest.approx(expected[2]), pytest.approx(expected[3]))
    assert 0 < last.image_norm < report.image_norm


def test_the_clamp_at_the_end_is_found(network: srlens.Network, image: Tensor) -> None:
    (clamp,) = srlens.sampler_report(network, image, WINDOW, "intensity").clamps
    assert (clamp.stage, clamp.low, clamp.high) == ("output", -5, 5)
    assert clamp.share == pytest.approx(float((network(image[None]).abs() == 5).double().mean()))


def test_a_detector_that_reads_more_is_refused(network: srlens.Network, image: Tensor) -> None:
    with pytest.raises(SettingError, match="reads reference"):
        srlens.sampler_report(network, image, WINDOW, "residual")
