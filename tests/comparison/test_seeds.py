"""One window of a sampled network by several seeds: map, causal reach and attention of each, in one table."""

import numpy as np
import pytest
import torch
from torch import Tensor

import srlens
from srlens.comparison.table import to_frame, to_latex
from srlens.errors import NoAttentionError
from srlens.measures.agreement import rank_correlation
from srlens.networks.sampler import Condition
from srlens.networks.zoo.smalldiffusion import SmallDiffusion

WINDOW = srlens.Window(20, 16, 16, 16)


class Noisy(srlens.Sampler):
    """The picture, one pixel to the left and two to the right, by weights that the noise draws: its reach is 2."""

    steps = 1

    def condition(self, image: Tensor, noise: srlens.Noise) -> Condition:
        return (image,)

    def begin(self, condition: Condition, noise: srlens.Noise) -> Tensor:
        return 0.5 + noise(0, condition[0][:, :1, :1, :1]).abs()

    def step(self, latent: Tensor, index: int, condition: Condition, noise: srlens.Noise) -> Tensor:
        (image,) = condition
        return latent * (image.roll(1, dims=3) + image.roll(-2, dims=3)) + image

    def end(self, latent: Tensor, condition: Condition) -> Tensor:
        return latent


@pytest.fixture(scope="module")
def image() -> Tensor:
    return torch.rand(3, 12, 14, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def found(image: Tensor) -> srlens.SeedComparison:
    torch.manual_seed(0)
    network = srlens.Network.from_sampler(SmallDiffusion(2), scale=4, multiple=2, minimum=8, name="tiny")
    with torch.no_grad():  # it comes with zeros where it would add to bicubic enlargement
        network.module.sampler.exit.weight.normal_(std=0.2)
    return srlens.compare_seeds(network, image, WINDOW, steps=2, seeds=[3, 5], reach=True)


def test_each_seed_has_its_own_map_reach_and_attention(found: srlens.SeedComparison, image: Tensor) -> None:
    frame = to_frame(found)
    assert frame["seed"].to_list() == [3, 5]
    assert frame["causal_reach"].to_list() == [one.radius for one in found.reaches]
    own = [rank_correlation(row.result.map, row.attention.sram) for row in found.rows if row.attention is not None]
    assert frame["attention_rank_correlation"].to_list() == pytest.approx(own)
    assert [one.seed for one in found.attention] == [3, 5]
    assert not np.array_equal(found.rows[0].sr, found.rows[1].sr)  # the picture is of the row's noise, too
    assert "LAM--SRAM" in to_latex(found)
    di = found.over_seeds["diffusion_index"]
    assert di == pytest.approx((np.mean(found.maps.diffusion_indices), found.maps.diffusion_spread, 2))
    record = found.record()
    assert record["over_seeds"]["causal_reach"]["seeds"] == len(record["seeds"]) == 2


def test_reach_is_outlined_and_told(found: srlens.SeedComparison) -> None:
    figure = found.figure()
    panels = {axes.get_label(): axes for axes in figure.axes}
    dashed = [name for name, axes in panels.items() if any(one.get_linestyle() == "dashed" for one in axes.patches)]
    assert dashed == [name for name in panels if name.startswith("map ") and name != "map bar"]
    told = " ".join(" ".join(one.get_text().split()) for one in figure.texts)
    assert "Dashed: the causal reach with each seed's noise" in told
    assert f"reach {found.reaches[1].radius}" in told


def test_all_of_it_is_saved_and_read_again(found: srlens.SeedComparison, tmp_path) -> None:
    again = srlens.load(found.save(tmp_path / "found"))
    assert again.record() == found.record()
    assert np.array_equal(again.attention[1].sram, found.attention[1].sram)


def test_reach_of_known_distance_and_no_attention(image: Tensor) -> None:
    network, window = srlens.Network.from_sampler(Noisy(), scale=1), srlens.Window(4, 4, 4, 4)
    known = {"steps": 1, "seeds": 2, "detector": "intensity", "method": "ig-black"}
    found = srlens.compare_seeds(network, image, window, reach=True, **known)
    assert [one.radius for one in found.reaches] == [2, 2]
    assert found.attention == ()
    assert found.rank_correlation is None
    without = srlens.compare_seeds(network, image, window, reach=False, **known)
    assert without.reaches == ()
    assert to_frame(without)["causal_reach"].to_list() == [None, None]
    with pytest.raises(NoAttentionError):
        srlens.compare_seeds(network, image, window, reach=False, attention=True, **known)


def test_a_seed_of_a_comparison_is_that_of_its_picture(image: Tensor) -> None:
    network = srlens.Network.from_sampler(Noisy(), scale=1)
    (row,) = srlens.compare([network], image, srlens.Window(4, 4, 4, 4), seed=7, steps=1, reach=False).rows
    assert row.result.conditions.endswith("sampler of 1 step, seed 7")
    torch.testing.assert_close(row.sr, network.seeded(7).render(image).clamp(0, 1))
