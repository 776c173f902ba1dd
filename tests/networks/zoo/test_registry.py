"""Families by name, and families from outside the package."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import srlens
from srlens.errors import SettingError
from srlens.networks.receptive_field import UNKNOWN
from srlens.networks.zoo import registry
from srlens.networks.zoo.family import Family, holds
from srlens.networks.zoo.registry import OWN_FAMILIES, add_family, families


class Nearest(nn.Module):
    """A network of somebody's own: nearest-neighbour enlargement and one colour mix."""

    def __init__(self, scale: int) -> None:
        super().__init__()
        self.scale, self.channels = scale, 3
        self.mix = nn.Conv2d(3, 3, 1)
        self.factor = nn.Parameter(torch.tensor(float(scale)))

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.interpolate(self.mix(x), scale_factor=self.scale)


NEAREST = Family(
    name="Nearest",
    kind="convolution",
    paper="nobody, nowhere",
    detect=holds("mix.weight", "factor"),
    build=lambda state: Nearest(int(state["factor"])),
    receptive_field=UNKNOWN,
    multiple=2,
)


@pytest.fixture(autouse=True)
def _added_families_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_added", [])


def test_a_family_from_outside_is_opened_like_any_other(tmp_path: Path) -> None:
    file = tmp_path / "mine.pth"
    torch.save(Nearest(3).state_dict(), file)
    add_family(NEAREST)
    network = srlens.load_network(file)
    assert (network.family, network.kind, network.scale, network.padding.multiple) == ("Nearest", "convolution", 3, 2)
    assert families()["Nearest"] is NEAREST


def test_a_variant_is_told_from_the_family_that_it_came_from(tmp_path: Path) -> None:
    file = tmp_path / "plain.pth"
    torch.save(srlens.load_default("plain").module.state_dict(), file)
    add_family(replace(families()["SmallSR"], name="MySR"))
    assert srlens.load_network(file).family == "MySR"


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (replace(NEAREST, name="EDSR"), "'EDSR' already"),
        (replace(NEAREST, name="RRDBNet"), "'RRDBNet' already"),
        (replace(NEAREST, name="Half", build=None), "must say how"),
        (NEAREST, "'Nearest' already"),
    ],
)
def test_adding_is_all_or_nothing(bad: Family, message: str) -> None:
    before = families()
    with pytest.raises(SettingError, match=message):
        add_family(NEAREST, bad)
    assert families() == before


def test_every_own_family_says_how_it_is_opened() -> None:
    assert all(family.detect is not None and family.build is not None for family in OWN_FAMILIES)
    assert len({family.name for family in families().values()}) == len(families()) == len(OWN_FAMILIES) + 36
