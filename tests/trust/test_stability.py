"""Small changes: what they do to maps whose answer is known."""

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from torch import Tensor, nn

import srlens
from srlens.errors import ZeroMapError
from srlens.trust.agreement import agreement_matrix
from srlens.trust.randomisation import likeness
from srlens.trust.stability import stability

WINDOW = srlens.Window(12, 10, 8, 8)


@pytest.fixture
def picture() -> Tensor:
    return torch.rand(3, 28, 30, dtype=torch.float64)


@pytest.fixture
def linear() -> srlens.Network:
    return srlens.Network.wrap(nn.Conv2d(3, 3, 5, padding=2).double(), scale=1)


def test_the_gradient_of_a_linear_network_does_not_heed_noise(linear: srlens.Network, picture: Tensor) -> None:
    found = stability(linear, picture, WINDOW, srlens.Method("gradient", detector="intensity"))
    assert [row.kind for row in found.rows] == ["shift"] * 4 + ["noise"] * 3 + ["precision"]
    for row in found.of_kind("noise"):
        assert row.relative_difference == 0
        assert row.rank_correlation == pytest.approx(1, abs=1e-12)
    (precision,) = found.of_kind("precision")
    assert 0 < precision.relative_difference < 1e-5
    assert found.index_error is not None
    changes = [row.diffusion_index - found.diffusion_index for row in found.rows[:7]]
    assert found.index_error == pytest.approx(np.sqrt(np.mean(np.square(changes))))


def test_a_shifted_window_is_the_map_of_that_window(linear: srlens.Network, picture: Tensor) -> None:
    method = srlens.Method("lam", steps=3)
    found = stability(linear, picture, WINDOW, method, draws=0, precision=False)
    base = srlens.attribute(linear, picture, WINDOW, method)
    for row, (top, left) in zip(found.rows, [(13, 10), (12, 11), (11, 10), (12, 9)], strict=True):
        moved = srlens.attribute(linear, picture, srlens.Window.square(top, left, 8), method)
        expected = np.linalg.norm(moved.map - base.map) / np.linalg.norm(base.map)
        assert row.relative_difference == pytest.approx(expected, rel=1e-9)
        assert row.diffusion_index == pytest.approx(moved.diffusion_index, rel=1e-9)
    assert found.passes == 3 * (1 + 2 * 5)


def test_windows_at_the_border_have_fewer_neighbours(linear: srlens.Network, picture: Tensor) -> None:
    method = srlens.Method("gradient", detector="intensity")
    found = stability(linear, picture, srlens.Window(0, 0, 28, 8), method, draws=0, precision=False)
    assert [row.change for row in found.rows] == ["window one SR pixel right"]


def test_a_zero_map_is_a_named_error(linear: srlens.Network) -> None:
    with pytest.raises(ZeroMapError, match="zero everywhere"):
        stability(linear, torch.full((3, 28, 30), 0.5, dtype=torch.float64), WINDOW, srlens.Method("lam", steps=3))


def test_agreement_of_maps(linear: srlens.Network, picture: Tensor) -> None:
    names = ("linear-blur", "lam", "gradient")
    results = [srlens.attribute(linear, picture, WINDOW, one, detector="intensity") for one in names]
    matrix = agreement_matrix(results)
    assert (matrix == matrix.T).all()
    assert (np.diag(matrix) == 1).all()
    assert matrix[0, 1] == pytest.approx(1, abs=1e-6)  # every path of a linear network gives the same
    assert matrix[0, 2] < 0.999


def test_ranks_are_those_where_a_map_is_not_zero(picture: Tensor) -> None:
    """Two networks that read the same few pixels in other ways are not alike for what neither reads."""
    torch.manual_seed(5)
    networks = [srlens.Network.wrap(nn.Conv2d(3, 3, 3, padding=1).double(), scale=1) for _ in range(2)]
    a, b = (srlens.attribute(one, picture, WINDOW, "gradient", detector="intensity") for one in networks)
    there = (a.absolute > 0) | (b.absolute > 0)
    assert there.sum() == 100  # the window and one pixel to each side
    expected = float(spearmanr(a.absolute[there], b.absolute[there]).statistic)
    assert likeness(a, b).rank_correlation == pytest.approx(expected)
    assert expected < 0.9 < float(spearmanr(a.absolute.ravel(), b.absolute.ravel()).statistic)
