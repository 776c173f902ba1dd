"""What a comparison says of a map that does not explain its window."""

import pytest
import torch
from torch import Tensor, nn

import srlens
from srlens.errors import IncompleteWarning


class HalfDetached(nn.Module):
    """Most of its output comes from a branch that autograd does not see."""

    def forward(self, x: Tensor) -> Tensor:
        y = nn.functional.interpolate(x, scale_factor=2, mode="bilinear")
        return 0.1 * y + 0.9 * y.detach()


def test_a_detached_branch_is_warned_of() -> None:
    network = srlens.Network.wrap(HalfDetached(), scale=2, name="half")
    image = torch.rand(3, 24, 24)
    with pytest.warns(IncompleteWarning, match="half: the map sums to .* gap of 9"):
        srlens.compare([network], image, srlens.Window(8, 8, 16, 16))


def test_a_whole_map_is_not() -> None:
    network = srlens.Network.wrap(nn.Upsample(scale_factor=2, mode="bilinear"), scale=2, name="whole")
    comparison = srlens.compare([network], torch.rand(3, 24, 24), srlens.Window(8, 8, 16, 16))
    assert comparison.rows[0].result.completeness_gap < 0.05


def test_the_choice_of_a_window_is_a_sentence() -> None:
    networks = [srlens.Network.wrap(nn.Upsample(scale_factor=2, mode="bilinear"), scale=2, name=name) for name in "ab"]
    for count, words in ((1, "where this network departs most"), (2, "where these 2 networks depart most")):
        compared = srlens.compare(networks[:count], torch.rand(3, 24, 24), size=8, steps=2)
        assert words in compared.window_choice
