"""All tests of one map together: numbers, words, budgets, files."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import srlens
from srlens.errors import NoEffectError, SettingError, ZeroMapError
from srlens.records.archive import to_json
from srlens.trust.budget import NAMED, PLANS, find_plan
from srlens.trust.numbers import NUMBERS
from srlens.trust.verification import Verification

WINDOW = srlens.Window(20, 24, 8, 8)


@pytest.fixture(scope="module")
def network() -> srlens.Network:
    torch.manual_seed(3)
    body = nn.Sequential(nn.Conv2d(3, 12, 5, padding=2), nn.GELU(), nn.Conv2d(12, 12, 3, padding=1), nn.PixelShuffle(2))
    return srlens.Network.wrap(body.double(), scale=2, name="small")


@pytest.fixture(scope="module")
def picture() -> Tensor:
    return torch.rand(3, 24, 30, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def found(network: srlens.Network, picture: Tensor) -> Verification:
    clean = torch.rand(3, 48, 60, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    return srlens.verify(network, picture, WINDOW, clean)


def test_every_part_is_there(found: Verification, network: srlens.Network, picture: Tensor) -> None:
    assert found.attribution.record() == srlens.attribute(network, picture, WINDOW).record()
    assert found.reach.record() == srlens.reach(network, picture, WINDOW, found_clean(), nearer=False).record()
    assert found.reach.radius == 3  # 5×5 after 3×3 convolutions
    assert set(found.deletion.fills) == set(found.insertion.fills) == {"blur", "patches"}
    assert found.deletion.orders[:4] == ("map", "distance", "contrast", "random")
    assert len(found.randomisation.stages) == 2  # of two layers
    assert len(found.infidelity.sums) == 64
    assert found.agreement.methods == ("lam", "linear-blur", "ig-black", "gradient", "gradient-input", "occlusion")
    assert found.agreement.gain_over_distance[0] == found.deletion.gain_over_distance
    assert found.agreement.gain_over_distance[1] == found.deletion.gain("distance", "linear-blur")
    assert None not in found.agreement.infidelity_correlation


def found_clean() -> Tensor:
    return torch.rand(3, 48, 60, dtype=torch.float64, generator=torch.Generator().manual_seed(2))


def test_share_of_the_map_by_distance(found: Verification) -> None:
    absolute, total = found.attribution.absolute, found.attribution.absolute.sum()
    inside = absolute[10 - 2 : 14 + 2, 12 - 2 : 16 + 2].sum()
    assert found.beyond[2] == pytest.approx(1 - inside / total)
    assert found.beyond[-1] == pytest.approx(0, abs=1e-12)
    assert len(found.beyond) == found.reach.image_radius + 1
    assert 0 < found.beyond_reach == found.beyond[3] < 0.02  # the detector reads one SR pixel more to two sides
    assert found.beyond[4] == pytest.approx(0, abs=1e-12)  # the receptive field ends there
    assert not found.beyond.flags.writeable


def test_words_say_what_the_numbers_say(found: Verification) -> None:
    words = " ".join(found.words)
    assert f"DI {found.attribution.diffusion_index:.2f}" in words
    assert (
        "Beyond 3 LR pixels nothing that was replaced changes the window by 1 % of the value range; 1 % of the" in words
    )
    point = next(one for one in found.reach.fills["blur"].farther if one.radius == 2)
    assert point.psnr_change is not None
    assert len(found.words) == 6
    assert ("no more than" in words) == (found.deletion.gain_over_distance <= 0)
    unknown = replace(found, infidelity=replace(found.infidelity, correlation=None))
    assert "cannot be told" in unknown.words[3]


def test_numbers_have_direction_and_meaning(found: Verification) -> None:
    assert len({one.key for one in NUMBERS}) == len(NUMBERS) == 13
    for one in NUMBERS:
        value = one.of(found)
        assert value is not None
        assert math.isfinite(value)
        assert one.meaning
        assert one.text(found).startswith(f"{value * (100 if one.unit == '%' else 1):.{one.digits}f}".replace("-", "−"))


def test_record_and_file(found: Verification, tmp_path: Path) -> None:
    record = json.loads(to_json(found.record()))
    assert record["numbers"]["causal_reach"] == 3
    assert record["words"] == list(found.words)
    assert record["plan"]["steps"] == 6
    again = srlens.load(found.save(tmp_path / "all"))
    assert to_json(again.record()) == to_json(found.record())
    np.testing.assert_array_equal(again.stability.base.map, found.stability.base.map)
    assert str(found)[:13] == "Verification:"


def test_repeated_it_is_the_same(found: Verification, network: srlens.Network, picture: Tensor) -> None:
    again = srlens.verify(network, picture, WINDOW, found_clean())
    assert to_json(again.record()) == to_json(found.record())


def test_budgets(found: Verification, network: srlens.Network, picture: Tensor) -> None:
    costs = [plan.cost(found.attribution, ("blur", "patches")) for plan in PLANS]
    assert costs == sorted(costs)
    assert found.passes <= costs[2]  # what lies outside the receptive field is not computed
    for index, cost in enumerate(costs):
        assert find_plan(cost, found.attribution, ("blur", "patches")) == PLANS[index]
        assert find_plan(str(cost), found.attribution, ("blur", "patches")) == PLANS[index]
    quick = srlens.verify(network, picture, WINDOW, budget="quick")
    assert quick.plan == NAMED["quick"]
    assert quick.passes <= costs[0]
    assert list(quick.insertion.fills) == ["blur"]
    assert set(quick.reach.fills) == {"blur", "patches"}
    with pytest.raises(SettingError, match=f"takes {costs[0]} with it"):
        srlens.verify(network, picture, WINDOW, budget=costs[0] - 1)
    with pytest.raises(SettingError, match="known: quick, short, default, long, thorough"):
        srlens.verify(network, picture, WINDOW, budget="huge")


def test_of_global_networks_no_more_is_computed_than_planned(picture: Tensor) -> None:
    class Global(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Conv2d(3, 3, 3, padding=1)

        def forward(self, x: Tensor) -> Tensor:
            return self.body(x) * (1 + x.mean(dim=(2, 3), keepdim=True))

    for budget in ("quick", "default"):
        found = srlens.verify(srlens.Network.wrap(Global(), scale=1), picture, srlens.Window(8, 9, 6, 6), budget=budget)
        cost = found.plan.cost(found.attribution, ("blur", "patches"))
        assert 0.8 * cost <= found.passes <= cost


def test_other_methods_and_fills(network: srlens.Network, picture: Tensor) -> None:
    found = srlens.verify(
        network,
        picture,
        WINDOW,
        method="gradient",
        detector="intensity",
        fills=["mean"],
        methods=["lam"],
        budget="quick",
    )
    assert found.attribution.method == srlens.Method("gradient", detector="intensity")
    assert found.agreement.methods == ("gradient", "lam")
    assert list(found.deletion.fills) == ["mean"]
    assert found.infidelity.fill == "blur"
    assert found.reach.detector == "intensity"
    assert found.deletion.fills_agree


def test_a_network_of_luma_is_given_luma_once() -> None:
    body = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.PixelShuffle(2))
    network = srlens.Network.wrap(body, scale=2, channels=1, name="luma")
    picture = torch.rand(3, 24, 30, dtype=torch.float64)
    found = srlens.verify(network, picture, WINDOW, budget="quick")
    assert found.stability.base.image is not None
    np.testing.assert_array_equal(found.stability.base.image, network.prepare(picture))
    assert found.reach.detector_at_image == pytest.approx(found.attribution.detector_at_image)


def test_a_network_that_ignores_its_input(constant: srlens.Network, picture: Tensor) -> None:
    with pytest.raises((NoEffectError, ZeroMapError), match="ignores its input"):
        srlens.verify(constant, picture, WINDOW)
