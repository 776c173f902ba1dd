"""The trust card: everything that was found is on it, and text stands apart."""

import pytest
import torch
from torch import nn

import srlens
from srlens.figures.of import figure_of
from srlens.trust.numbers import NUMBERS
from srlens.trust.verification import Verification


def verified(budget: str, **settings: object) -> Verification:
    torch.manual_seed(3)
    body = nn.Sequential(nn.Conv2d(3, 12, 5, padding=2), nn.GELU(), nn.Conv2d(12, 12, 3, padding=1), nn.PixelShuffle(2))
    network = srlens.Network.wrap(body, scale=2, name="a network of a name of some length, x2")
    picture = torch.rand(3, 24, 40, generator=torch.Generator().manual_seed(1))
    return srlens.verify(network, picture, srlens.Window(20, 24, 8, 8), budget=budget, **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(("budget", "fills"), [("quick", ["blur", "patches"]), ("default", ["blur", "mean", "linear"])])
def test_card(budget, fills, faults):
    found = verified(budget, fills=fills)
    figure = figure_of(found)
    numbers = [f"{one:.2f}".replace("-0.", "−.") for one in found.agreement.matrix.ravel()]
    inside = [f"'{one}', 'agreement'" for one in numbers]  # of the matrix, in its cells
    assert [fault for fault in faults(figure) if not any(fault.endswith(one) for one in inside)] == []
    assert figure.get_figwidth() * 2.54 == pytest.approx(17)
    assert figure.get_figheight() * 2.54 < 22.5
    axes = {one.get_label(): one for one in figure.axes}
    assert set(axes) >= {"lr", "map", "map bar", "agreement", *(f"Deletion by {fill}" for fill in fills)}
    first = axes[f"Deletion by {fills[0]}"].lines
    assert list(first[0].get_ydata()) == list(found.deletion.curve())
    assert list(first[1].get_ydata()) == list(found.deletion.curve("distance"))
    ladder = axes["Randomised weights"].lines[0].get_ydata()
    assert list(ladder) == [1, *found.randomisation.rank_correlation]
    words = [text.get_text() for text in figure.texts]
    for number in NUMBERS:
        assert number.label in words
        assert number.text(found) in words
        assert number.direction in words
        assert number.meaning in words
    written = " ".join(words)
    for sentence in found.words:
        assert sentence.split(":")[0][:25] in written


def test_the_dashed_frame_is_explained():
    network = srlens.Network.wrap(nn.Sequential(nn.Conv2d(3, 12, 3, padding=1), nn.PixelShuffle(2)), scale=2)
    picture = torch.rand(3, 128, 128, generator=torch.Generator().manual_seed(1))
    found = srlens.verify(network, picture, srlens.Window(20, 24, 8, 8), budget="quick")
    written = " ".join(text.get_text() for text in figure_of(found).texts).replace("\n", " ")
    assert "Maps show LR rows" in written
    assert "(dashed)" in written
