"""All tests of a map of a sampled network: as of the same network written down as a module with fixed noise."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

import srlens
from srlens.networks.sampler import Condition, Noise

WINDOW = srlens.Window(5, 5, 4, 4)
STEPS, SEED = 2, 3


class Walk(srlens.Sampler):
    """x ← tanh(conv(x + 0.1 · noise)) + picture, from noise."""

    steps = STEPS

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first = nn.Conv2d(3, 3, 3, padding=1)
        self.second = nn.Conv2d(3, 3, 1)

    def condition(self, image: Tensor, noise: Noise) -> Condition:
        return (image,)

    def begin(self, condition: Condition, noise: Noise) -> Tensor:
        return 0.1 * noise(0, condition[0])

    def step(self, latent: Tensor, index: int, condition: Condition, noise: Noise) -> Tensor:
        return torch.tanh(self.first(latent + condition[0] + 0.1 * noise(1 + index, latent)))

    def end(self, latent: Tensor, condition: Condition) -> Tensor:
        return self.second(latent) + condition[0]


class Written(nn.Module):
    """The same for one seed, without a sampler."""

    def __init__(self) -> None:
        super().__init__()
        walk = Walk()
        self.first, self.second = walk.first, walk.second

    def forward(self, image: Tensor) -> Tensor:
        noise = Noise(SEED)
        latent = 0.1 * noise(0, image)
        for index in range(STEPS):
            latent = torch.tanh(self.first(latent + image + 0.1 * noise(1 + index, latent)))
        return self.second(latent) + image


@pytest.fixture(scope="module")
def image() -> Tensor:
    return torch.rand(3, 12, 12, generator=torch.Generator().manual_seed(1))


def sampled() -> srlens.Network:
    return srlens.Network.from_sampler(Walk(), scale=1, seed=SEED)


def numbers(found: Any) -> Any:
    """What was found, without the names of the networks."""
    parts = (found.reach, found.deletion, found.insertion, found.infidelity, found.randomisation, found.stability)
    records = [part.record() for part in parts]
    for record in records:
        for key in ("network", "weights_sha256", "evaluation"):
            record.pop(key, None)
    return records


def test_a_sampler_is_tested_as_the_network_that_it_is(image: Tensor) -> None:
    # Everything that a budget buys, and the other precision among it.
    settings: Any = {"steps": 4, "budget": "default", "regional": False, "fills": ["blur"], "methods": ["gradient"]}
    found = srlens.verify(sampled(), image, WINDOW, **settings)
    written = srlens.verify(srlens.Network.wrap(Written(), scale=1), image, WINDOW, **settings)
    assert numbers(found) == numbers(written)
    assert found.passes == written.passes
    assert found.reach.radius == STEPS  # a step reads one pixel further
    assert found.randomisation.layers == 2


def test_it_stands_beside_others(image: Tensor) -> None:
    written = srlens.Network.wrap(Written(), scale=1, name="written")
    sampler, plain = srlens.compare([sampled(), written], image, WINDOW, steps=4, reach=True).rows
    assert sampler.result.diffusion_index == pytest.approx(plain.result.diffusion_index, rel=1e-6)
    assert sampler.reach is not None
    assert plain.reach is not None
    assert sampler.reach.radius == plain.reach.radius == STEPS
    assert sampler.result.facts["seed"] == SEED


def test_methods_of_a_sampler_are_compared(image: Tensor) -> None:
    asked: Any = {"methods": ["lam", "gradient", "occlusion"], "steps": 4, "block": 2, "faithful": False}
    found = srlens.compare_methods(sampled(), image, WINDOW, **asked)
    expected = srlens.compare_methods(srlens.Network.wrap(Written(), scale=1), image, WINDOW, **asked)
    for one, other in zip(found.results, expected.results, strict=True):
        assert abs(one.map - other.map).max() <= 1e-6 * abs(other.map).max(), one.method.name
