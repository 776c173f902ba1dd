"""The figure of a sampled network's maps over seeds."""

import pytest
import torch

import srlens
from srlens.errors import SettingError
from srlens.networks.zoo.smalldiffusion import SmallDiffusion

WINDOW = srlens.Window(20, 16, 16, 16)


@pytest.fixture(scope="module")
def image() -> torch.Tensor:
    return torch.rand(3, 12, 14, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def network() -> srlens.Network:
    torch.manual_seed(0)
    return srlens.Network.from_sampler(SmallDiffusion(2), scale=4, multiple=2, minimum=8, name="tiny")


@pytest.fixture(scope="module")
def maps(network: srlens.Network, image: torch.Tensor) -> srlens.SeedMaps:
    return srlens.attribute_seeds(network, image, WINDOW, steps=2, seeds=2)


def test_mean_agreement_attention_and_each_seed_are_shown(
    network: srlens.Network, image: torch.Tensor, maps: srlens.SeedMaps
) -> None:
    attention = [srlens.attention(network.seeded(seed), image, WINDOW) for seed in maps.seeds]
    figure = maps.figure(subject=srlens.Subject.of(image, 4), attention=attention)
    labels = [axes.get_label() for axes in figure.axes]
    names = ["mean of the seeds", "where all agree in sign", "attention (SRAM)", "seed 0", "seed 1"]
    assert labels[:6] == ["lr", *(f"map {name}" for name in names)]
    texts = " ".join(" ".join(text.get_text().split()) for text in figure.texts)
    assert "sampler of 2 steps, 2 seeds of the noise" in texts
    assert "It is no gradient" in texts
    assert "seed" in maps.summary


def test_attention_of_another_window_is_refused(
    network: srlens.Network, image: torch.Tensor, maps: srlens.SeedMaps
) -> None:
    other = srlens.attention(network, image, srlens.Window(0, 0, 16, 16))
    with pytest.raises(SettingError, match="The attention is of window 16×16 at"):
        maps.figure(attention=[other])


def test_it_is_saved_and_read_again(maps: srlens.SeedMaps, tmp_path) -> None:
    again = srlens.load(maps.save(tmp_path / "maps"))
    assert again.seeds == maps.seeds
    assert (again.mean == maps.mean).all()
