"""I2AM's maps of an attention whose answer is known: query i attends to key π(i)."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import srlens
from srlens.attribution.attention import grid_of
from srlens.attribution.attention_maps import Direction
from srlens.errors import InputError, NoAttentionError
from srlens.measures.imacs import footprint, imacs
from srlens.networks.cross_attention import CrossAttention
from srlens.networks.sampler import Condition
from srlens.networks.zoo.smalldiffusion import SmallDiffusion

SIDE = 8
PLACES = SIDE * SIDE
SHARP = 200.0  # scores of a match: e⁻²⁰⁰ of everything else is nothing in float64


class KnownAttention(srlens.Sampler):
    """Every place of the output reads one place of the LR picture, ``target[i]``, in every step and head."""

    def __init__(self, target: Tensor, steps: int = 7) -> None:
        super().__init__()
        self.steps, self.target = steps, target
        self.attention = CrossAttention(2 * PLACES, 2 * PLACES, heads=2).double()
        for layer in (self.attention.to_q, self.attention.to_k, self.attention.to_v, self.attention.to_out):
            nn.init.eye_(layer.weight)
        nn.init.zeros_(self.attention.to_out.bias)

    def condition(self, image: Tensor, noise: srlens.Noise) -> Condition:
        return (image,)

    def begin(self, condition: Condition, noise: srlens.Noise) -> Tensor:
        return noise(0, condition[0])

    def step(self, latent: Tensor, index: int, condition: Condition, noise: srlens.Noise) -> Tensor:
        strength = (SHARP * PLACES**0.5) ** 0.5  # of queries and of keys; scores are divided by √d
        keys = strength * torch.eye(PLACES, dtype=torch.float64).repeat(1, 2)[None]
        read = self.attention(keys[:, self.target], encoder_hidden_states=keys)
        return latent + 0 * read.sum()

    def end(self, latent: Tensor, condition: Condition) -> Tensor:
        return latent


IMAGE = torch.rand(3, SIDE, SIDE, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
WINDOW = srlens.Window(top=2, left=1, height=3, width=2)
PERMUTATION = torch.randperm(PLACES, generator=torch.Generator().manual_seed(1))
#: Three quarters of the places read their own, the last quarter all read place 0.
CROWDED = torch.where(torch.arange(PLACES) < 48, torch.arange(PLACES), 0)


def maps_of(target: Tensor, steps: int = 7) -> srlens.AttentionMaps:
    network = srlens.Network.from_sampler(KnownAttention(target, steps).requires_grad_(False), scale=1)
    return srlens.attention(network, IMAGE, WINDOW)


def test_a_permutation_is_read_exactly() -> None:
    maps = maps_of(PERMUTATION)
    expected = np.zeros(PLACES)
    inside = [row * SIDE + column for row in range(2, 5) for column in range(1, 3)]
    expected[PERMUTATION[inside].numpy()] = 1 / 6
    np.testing.assert_allclose(maps.sram.ravel(), expected, rtol=0, atol=1e-12)
    # A permutation reads every place once, and gives to every place once.
    np.testing.assert_allclose(maps.unified("g2r"), 1 / PLACES, rtol=0, atol=1e-12)
    np.testing.assert_allclose(maps.unified("r2g"), 1 / PLACES, rtol=0, atol=1e-12)
    assert maps.steps == (2, 1, 2, 1, 1)
    assert [layer.name for layer in maps.layers] == ["sampler.attention"]


def test_the_sign_is_high_where_much_is_read_and_taken() -> None:
    maps = maps_of(CROWDED)
    read = np.zeros(PLACES)
    read[:48], read[0] = 1 / PLACES, 17 / PLACES
    np.testing.assert_allclose(maps.unified("g2r").ravel(), read, rtol=0, atol=1e-12)
    # Key 0 is shared by 17 queries, keys 1 to 47 have one, keys 48 to 63 none: their softmax over queries is even.
    taken = np.full(PLACES, 16 / PLACES)
    taken[1:48] += 1
    taken[[0, *range(48, PLACES)]] += 1 / 17
    np.testing.assert_allclose(maps.unified("r2g").ravel(), taken / PLACES, rtol=0, atol=1e-12)


@pytest.mark.parametrize("direction", ["sram", "g2r", "r2g"])
def test_aggregations_agree_with_one_another(direction: Direction) -> None:
    maps = maps_of(CROWDED)
    assert maps.by_step(direction).shape == (5, SIDE, SIDE)
    assert maps.by_head(direction).shape == (2, SIDE, SIDE)
    assert maps.by_layer(direction).shape == (1, SIDE, SIDE)
    whole = maps.unified(direction)
    assert whole.sum() == pytest.approx(1)
    for parts in (maps.by_head(direction), maps.by_layer(direction)):
        np.testing.assert_allclose(parts.mean(axis=0), whole, atol=1e-15)
    np.testing.assert_allclose(np.average(maps.by_step(direction), axis=0, weights=maps.steps), whole, atol=1e-15)


def test_imacs_of_what_a_window_reads_of_itself_is_one() -> None:
    assert maps_of(torch.arange(PLACES)).imacs == pytest.approx(1)
    # All read place 0, outside the window: 0 inside, one of 58 pixels outside is 1.
    assert maps_of(torch.zeros(PLACES, dtype=torch.long)).imacs == pytest.approx(-3 / 58)
    assert imacs([[0, 1], [0, 1]], [[1, 0], [1, 0]]) == -3


def test_imacs_of_a_flat_map_does_not_exist() -> None:
    with pytest.raises(InputError, match=r"0\.5 in every pixel"):
        imacs(np.full((2, 2), 0.5), np.eye(2))


def test_a_footprint_counts_parts_of_pixels() -> None:
    np.testing.assert_allclose(footprint((0.5, 1, 1.25, 2), 2, 2), [[0, 0.5], [0, 0.25]])


def test_what_is_kept_does_not_grow_with_the_steps() -> None:
    few, many = (sum(one.sram.nbytes + one.g2r.nbytes + one.r2g.nbytes for one in maps_of(PERMUTATION, steps).layers)
                 for steps in (5, 20))  # fmt: skip
    assert few == many


def test_our_diffusion_network_is_read_and_left_as_it_was() -> None:
    torch.manual_seed(0)
    network = srlens.Network.from_sampler(SmallDiffusion(3), scale=4, multiple=2, minimum=8)
    image = torch.rand(3, 13, 16)
    before = network(image[None])
    ticks: list[tuple[int, int]] = []
    maps = srlens.attention(network, image, srlens.Window(8, 12, 16, 16), progress=lambda *tick: ticks.append(tick))
    assert [layer.name for layer in maps.layers] == [f"sampler.attend.{i}.attention" for i in range(2)]
    assert maps.layers[0].sram.shape == (3, 4, 7, 8)  # of 13 rows, padded to 14, every second
    assert maps.sram.shape == (13, 16)
    assert maps.layers[0].sram.sum(axis=(2, 3)) == pytest.approx(1, abs=1e-6)
    assert ticks[-1] == (3, 3)
    assert torch.equal(network(image[None]), before)
    assert not any(one._forward_hooks or one._forward_pre_hooks for one in network.module.modules())


def test_a_network_without_attention_is_refused() -> None:
    with pytest.raises(NoAttentionError, match="no cross-attention whose keys are places of the picture"):
        srlens.attention(srlens.load_default("plain"), torch.rand(3, 16, 16), srlens.Window(8, 12, 16, 16))


def test_grids_of_places() -> None:
    assert grid_of(16 * 24, 32, 48) == (16, 24)
    assert grid_of(32 * 48, 32, 48) == (32, 48)
    assert grid_of(77, 64, 64) is None  # the tokens of a prompt
