"""What a comparison says of a map that does not explain its window."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

import srlens
from srlens.comparison.compare import compare
from srlens.comparison.subject import Subject
from srlens.errors import BelowBicubicWarning, IncompleteWarning, SettingError, ToleranceWarning
from srlens.imaging.degrade import degrade
from srlens.imaging.resample import bicubic_upscale
from srlens.imaging.window import Window
from srlens.networks.network import Network

WINDOW = Window(24, 28, 8, 8)


class HalfDetached(nn.Module):
    """Most of its output comes from a branch that autograd does not see."""

    def forward(self, x: Tensor) -> Tensor:
        y = nn.functional.interpolate(x, scale_factor=2, mode="bilinear")
        return 0.1 * y + 0.9 * y.detach()


def test_a_detached_branch_is_warned_of() -> None:
    network = srlens.Network.wrap(HalfDetached(), scale=2, name="half")
    image = torch.rand(3, 24, 24)
    with pytest.warns(ToleranceWarning, match="After 8. gradient .* its gap 0.9.*a detached branch") as told:
        srlens.compare([network], image, srlens.Window(8, 8, 16, 16))
    assert len(told) == 1


@pytest.mark.parametrize("method", ["lam", "ig-black"])
def test_a_map_by_too_few_nodes_is_warned_of(method: str) -> None:
    """In every verb, ``attribute`` too, and with no cause that is not the cause."""
    network = srlens.Network.wrap(HalfDetached(), scale=2, name="half")
    with pytest.warns(IncompleteWarning, match="half: the map sums to .* gap of .*% .* after 3 evaluations") as told:
        srlens.attribute(network, torch.rand(3, 24, 24), srlens.Window(8, 8, 16, 16), method=method, steps=3)
    assert len(told) == 1
    assert "diverges" not in str(told[0].message)


def test_a_whole_map_is_not() -> None:
    network = srlens.Network.wrap(nn.Upsample(scale_factor=2, mode="bilinear"), scale=2, name="whole")
    comparison = srlens.compare([network], torch.rand(3, 24, 24), srlens.Window(8, 8, 16, 16))
    assert comparison.rows[0].result.completeness_gap < 0.05


def test_the_whole_image_is_upscaled_once_a_network(
    networks: list[Network], make_subject: Callable[..., Subject], monkeypatch: pytest.MonkeyPatch
) -> None:
    upscaled: list[str] = []
    render = Network.render

    def counted(network: Network, image: Tensor) -> Tensor:
        upscaled.append(network.name)
        return render(network, image)

    monkeypatch.setattr(Network, "render", counted)
    with pytest.warns(BelowBicubicWarning, match="no other value range helps"):
        compare(networks, make_subject(), WINDOW, steps=2)
    # Once for the picture, and once more in the other value range that the warning speaks of.
    assert sorted(upscaled) == ["narrow", "narrow", "wide", "wide"]


@pytest.mark.parametrize(("count", "words"), [(1, "this network departs most"), (2, "these 2 networks depart most")])
def test_the_choice_of_the_window_is_said(
    count: int, words: str, networks: list[Network], make_subject: Callable[..., Subject]
) -> None:
    assert words in compare(networks[:count], make_subject(hr=False), steps=2).window_choice


def test_what_doing_nothing_gives(make_subject: Callable[..., Subject]) -> None:
    subject = make_subject()
    assert subject.reference_name == "bicubic"
    assert torch.equal(subject.reference, bicubic_upscale(subject.lr, 2).clamp(0, 1))
    clean = torch.rand(3, 20, 24)
    noisy = Subject.from_hr(clean, 1, name="x", degradation="noise:50", seed=7)
    assert (noisy.reference_name, noisy.seed, noisy.scale) == ("noisy picture", 7, 1)
    assert torch.equal(noisy.reference, degrade(clean, "noise:50", seed=7).clamp(0, 1))
    unknown = make_subject(hr=False)
    with pytest.raises(SettingError, match="scale of roof is not known"):
        unknown.reference  # noqa: B018
    assert replace(unknown, scale=4).reference.shape[-1] == 4 * unknown.lr.shape[-1]


def test_the_clean_picture_is_called_as_in_attribute(
    networks: list[Network], make_subject: Callable[..., Subject]
) -> None:
    subject = make_subject()
    with pytest.warns(BelowBicubicWarning):
        by_tensor = compare(networks[:1], subject.lr, WINDOW, clean=subject.hr, steps=2)
    with pytest.warns(BelowBicubicWarning):
        by_subject = compare(networks[:1], subject, WINDOW, steps=2)
    assert by_tensor.rows[0].psnr_window == by_subject.rows[0].psnr_window
    with pytest.raises(SettingError, match="leave clean out"):
        compare(networks[:1], subject, WINDOW, clean=subject.hr)


def test_a_comparison_keeps_the_scale_that_its_window_was_chosen_with(
    networks: list[Network], make_subject: Callable[..., Subject]
) -> None:
    found = compare(networks[:1], make_subject(hr=False).lr, steps=2)
    assert found.subject.scale == networks[0].scale
    assert found.subject.reference_name == "bicubic"
