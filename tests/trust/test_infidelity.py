"""Infidelity: known answers in float64."""

import numpy as np
import pytest
from torch import Tensor, nn

import srlens
from srlens.errors import SettingError
from srlens.trust.infidelity import infidelity
from srlens.trust.intervention import Interventions

WINDOW = srlens.Window(20, 24, 8, 8)


@pytest.fixture
def linear() -> srlens.Network:
    return srlens.Network.wrap(nn.Sequential(nn.Conv2d(3, 12, 9, padding=4), nn.PixelShuffle(2)).double(), scale=2)


@pytest.mark.parametrize("method", ["lam", "linear-blur", "ig-black"])
def test_a_linear_network_is_explained_perfectly(linear: srlens.Network, image: Tensor, method: str) -> None:
    result = srlens.attribute(linear, image, WINDOW, method, detector="intensity", tolerance=0.05)
    interventions = Interventions(linear, image, WINDOW, detector="intensity")
    (found,) = infidelity(interventions, [result])
    assert found.fill == result.method.algorithm.path.baseline.name
    assert found.correlation == pytest.approx(1, abs=1e-9)
    assert found.slope == pytest.approx(1, abs=1e-9)
    np.testing.assert_allclose(found.sums, found.effects, rtol=1e-8, atol=1e-10)
    assert len(found.sums) == 128


def test_slope_and_correlation_of_wrong_maps(linear: srlens.Network, image: Tensor) -> None:
    right = srlens.attribute(linear, image, WINDOW, "linear-blur", detector="intensity")
    gradient = srlens.attribute(linear, image, WINDOW, "gradient", detector="intensity")
    interventions = Interventions(linear, image, WINDOW, detector="intensity")
    found, other = infidelity(interventions, [right, gradient], sets=32, block=3, seed=4)
    assert found.slope == pytest.approx(1, abs=1e-9)
    assert other.correlation is not None
    assert other.correlation < 0.9
    assert other.slope == pytest.approx(float(other.sums @ other.effects / (other.sums @ other.sums)))
    assert (found.effects == other.effects).all()
    again, _ = infidelity(interventions, [right, gradient], sets=32, block=3, seed=4)
    assert (again.effects == found.effects).all()


def test_sets_have_from_one_block_to_half_of_all(linear: srlens.Network, image: Tensor) -> None:
    from srlens.trust.infidelity import _random_sets

    masks = _random_sets(24, 30, 4, 200, 0)
    counts = masks.sum(axis=(1, 2))
    assert counts.min() <= 16
    assert 200 < counts.max() <= 24 * 30 * 0.56
    assert (masks[:, 0, 28:30].all(axis=1) | ~masks[:, 0, 28:30].any(axis=1)).all()  # the last column's smaller blocks


def test_settings_out_of_range(linear: srlens.Network, image: Tensor) -> None:
    result = srlens.attribute(linear, image, WINDOW, "gradient", detector="intensity")
    interventions = Interventions(linear, image, WINDOW, detector="intensity")
    with pytest.raises(SettingError, match="block=25"):
        infidelity(interventions, [result], block=25)
    with pytest.raises(SettingError, match="sets"):
        infidelity(interventions, [result], sets=2)
