"""Deletion and insertion: known answers in float64."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import srlens
from srlens.errors import NoEffectError, SettingError
from srlens.trust.deletion import MAP, Deletion, Kind, deletion, shares
from srlens.trust.intervention import Interventions
from srlens.trust.orders import contrast_order, distance_order, map_order, random_order

WINDOW = srlens.Window(20, 24, 8, 8)
PLACES = ((3, 5), (20, 28), (11, 2))


class ReadsOnly(nn.Module):
    """Every output pixel is a weighted sum of a few input pixels, and of nothing else."""

    def __init__(self, weights: dict[tuple[int, int], float]) -> None:
        super().__init__()
        self.weights = weights
        self.one = nn.Parameter(torch.ones((), dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        read = sum(w * x[..., y : y + 1, left : left + 1] for (y, left), w in self.weights.items())
        shade = torch.linspace(0.5, 1, 2 * x.shape[-1], dtype=x.dtype)
        return self.one * read * shade * torch.ones(2 * x.shape[-2], 1, dtype=x.dtype)


def run(network: srlens.Network, image: Tensor, kind: Kind = "deletion", **settings: object) -> Deletion:
    result = srlens.attribute(network, image, WINDOW, "linear-blur", detector="intensity")
    height, width = image.shape[-2:]
    orders = {
        MAP: [map_order(result.map)],
        "distance": [distance_order(WINDOW, network.scale, height, width)],
        "random": [random_order(height * width, seed) for seed in (0, 1)],
    }
    interventions = Interventions(network, image, WINDOW, detector="intensity")
    return deletion(interventions, orders, kind=kind, **settings)  # type: ignore[arg-type]


def test_deletion_finds_exactly_the_pixels_that_are_read(image: Tensor) -> None:
    network = srlens.Network.wrap(ReadsOnly(dict.fromkeys(PLACES, 1.0)), scale=2)
    result = srlens.attribute(network, image, WINDOW, "linear-blur", detector="intensity")
    width = image.shape[-1]
    assert set(map_order(result.map)[:3]) == {y * width + left for y, left in PLACES}
    found = run(network, image, ratio=1.5)
    assert found.pixels[:4] == (1, 2, 3, 4)
    for fill in found.fills:
        curve = found.curve(fill=fill)
        assert curve[2:] == pytest.approx(1.0, abs=1e-12)  # from three pixels on nothing is left to lose
        assert abs(curve[1] - 1) > 1e-3
    assert found.gain_over_distance > 0.3
    back = run(network, image, "insertion", ratio=1.5)
    assert back.curve()[2:] == pytest.approx(0.0, abs=1e-12)
    assert back.gain_over_distance > 0.3


def test_a_network_that_diverges_where_pixels_are_partly_replaced_is_told(image: Tensor) -> None:
    """Two pixels that cancel: either alone changes the window a hundred times more than both."""
    image[:, [3, 20], [5, 28]] = torch.tensor([0.9, 0.901], dtype=image.dtype)
    network = srlens.Network.wrap(ReadsOnly({(3, 5): 10.0, (20, 28): -10.0}), scale=2)
    found = run(network, image, fills=("mean",), ratio=1.5)
    assert found.curve(fill="mean")[0] > 100
    assert found.diverged == ("mean",)
    assert found.record()["diverged"] == ["mean"]
    steady = srlens.Network.wrap(ReadsOnly(dict.fromkeys(PLACES, 1.0)), scale=2)
    assert run(steady, image, fills=("mean",), ratio=1.5).diverged == ()


def test_deletion_of_a_linear_network_in_closed_form(image: Tensor) -> None:
    """The change after s pixels is the norm of the sum of what they contribute."""
    network = srlens.Network.wrap(
        nn.Sequential(nn.Conv2d(3, 12, 7, padding=3, bias=False), nn.PixelShuffle(2)).double(), scale=2
    )
    found, back = run(network, image), run(network, image, "insertion")
    change = image - srlens.BASELINES["blur"]().of(image)
    order = map_order(srlens.attribute(network, image, WINDOW, "linear-blur", detector="intensity").map)
    outputs = []
    for count in found.pixels:
        mask = torch.zeros(image[0].numel(), dtype=torch.float64)
        mask[torch.from_numpy(order[:count].copy())] = 1
        with torch.no_grad():
            outputs.append(WINDOW.crop(network((change * mask.view(image.shape[-2:]))[None])[0]))
    whole = outputs[-1]
    expected = [float(one.norm() / whole.norm()) for one in outputs]
    np.testing.assert_allclose(found.curve(), expected, rtol=1e-9)
    np.testing.assert_allclose(back.curve(), [float((whole - one).norm() / whole.norm()) for one in outputs], atol=1e-9)
    np.testing.assert_allclose(
        found.curve(quantity="detector"), [abs(float(one.sum() / whole.sum())) for one in outputs], rtol=1e-9
    )
    assert found.fills["blur"].whole_detector == pytest.approx(float(whole.sum()), rel=1e-9)
    assert found.fills["blur"].whole_rmse == pytest.approx(float(whole.square().mean().sqrt()), rel=1e-9)
    position = np.log2(found.pixels)
    assert found.area() == pytest.approx(float(np.trapezoid(expected, position) / position[-1]))
    assert found.gain("distance") == found.area() - found.area("distance")
    assert back.gain("distance") == back.area("distance") - back.area()
    assert found.gain("random") > 0.1


def test_a_near_network_is_explained_by_distance(image: Tensor) -> None:
    """Where only the nearest pixels matter, alike, no order gains much over that of distance."""
    network = srlens.Network.wrap(nn.Upsample(scale_factor=2, mode="nearest").double(), scale=2)
    found = run(network, image)
    assert abs(found.gain_over_distance) < 0.12
    assert found.gain("random") > 0.2


def test_random_orders_are_averaged(image: Tensor) -> None:
    network = srlens.Network.wrap(nn.Upsample(scale_factor=2, mode="nearest"), scale=2)
    found = run(network, image)
    draws = [curve.window for curve in found.fills["blur"].curves if curve.order == "random"]
    assert len(draws) == 2
    np.testing.assert_allclose(found.curve("random"), np.mean(draws, axis=0))
    with pytest.raises(SettingError, match="No order"):
        found.curve("contrast")
    with pytest.raises(SettingError, match="No fill"):
        found.curve(fill="mean")


def test_a_network_that_ignores_its_input_is_a_named_error(constant: srlens.Network, image: Tensor) -> None:
    interventions = Interventions(constant, image, WINDOW)
    with pytest.raises(NoEffectError, match="ignores its input"):
        deletion(interventions, {MAP: [random_order(image[0].numel(), 0)]})


def test_orders() -> None:
    window = srlens.Window(8, 12, 4, 4)
    order = distance_order(window, 2, 10, 12)
    assert set(order[:4]) == {4 * 12 + 6, 4 * 12 + 7, 5 * 12 + 6, 5 * 12 + 7}
    assert order[-1] in (0, 108)  # the far corners
    assert sorted(order) == list(range(120))
    image = torch.zeros(3, 9, 9)
    image[:, 4, 4] = 1
    assert {divmod(int(one), 9) for one in contrast_order(image)[:9]} == {(y, x) for y in (3, 4, 5) for x in (3, 4, 5)}
    assert sorted(random_order(50, 3)) == list(range(50))


@pytest.mark.parametrize("ratio", [1.1, 2, 4, 1000])
def test_shares(ratio: float) -> None:
    counts = shares(4096, ratio)
    assert counts[0] == 1
    assert counts[-1] == 4096
    assert list(counts) == sorted(set(counts))
    assert shares(4096)[:4] == (1, 2, 4, 8)
