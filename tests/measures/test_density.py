"""The contribution density against SciPy's own kernel density."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import gaussian_kde

from srlens.errors import NotFiniteError, SettingError, ZeroMapError
from srlens.measures.density import Bandwidth, contribution_density


def _scipy(mass: np.ndarray, bandwidth: Callable[[gaussian_kde], float] | None = None) -> np.ndarray:
    grid = np.stack([axis.ravel() for axis in np.mgrid[: mass.shape[0], : mass.shape[1]]]).astype(float)
    kde = gaussian_kde(grid, weights=mass.ravel(), bw_method=bandwidth)
    return np.asarray(kde(grid)).reshape(mass.shape)


@given(height=st.integers(3, 24), width=st.integers(3, 24), power=st.floats(0.5, 12), seed=st.integers(0, 99))
@settings(deadline=None, max_examples=40)
def test_is_scipys_kernel_density(height: int, width: int, power: float, seed: int) -> None:
    mass = np.random.default_rng(seed).random((height, width)) ** power
    expected = _scipy(mass)
    density, bandwidth = contribution_density(mass)
    np.testing.assert_allclose(density, expected, rtol=0, atol=1e-12 * expected.max())
    assert (bandwidth.rule, bandwidth.floored) == ("scott", False)
    assert density.min() >= 0
    again, same = contribution_density(-7 * mass)
    np.testing.assert_allclose(again, density, rtol=1e-9, atol=1e-15)
    assert same.covariance == pytest.approx(np.array(bandwidth.covariance), rel=1e-9)


@pytest.mark.parametrize("name", ["imdn_7_110_150", "pan_1_100_100"])
def test_on_maps_of_real_networks(shared: Path, name: str) -> None:
    with np.load(shared / f"golden/maps/{name}.npz") as stored:
        signed = stored["map"]
    expected = _scipy(np.abs(signed.astype(np.float64).sum(axis=0)))
    density, _ = contribution_density(signed)
    np.testing.assert_allclose(density, expected, rtol=0, atol=1e-12 * expected.max())


def test_a_narrow_slanted_map() -> None:
    y, x = np.mgrid[:40, :50]
    mass = np.exp(-(((y - 0.7 * x) / 3) ** 2) - ((x - 25) / 12) ** 2)
    expected = _scipy(mass)
    density, bandwidth = contribution_density(mass)
    np.testing.assert_allclose(density, expected, rtol=0, atol=1e-12 * expected.max())
    assert bandwidth.covariance[0][1] == bandwidth.covariance[1][0] > 0


@pytest.mark.parametrize("sigma", [0.4, 2.0, 30.0])
def test_a_given_bandwidth_is_a_round_gaussian_in_pixels(sigma: float) -> None:
    mass = np.zeros((21, 30))
    mass[3, 20], mass[15, 2] = 1, 3
    y, x = np.mgrid[:21, :30]
    near = np.exp(-((y - 3) ** 2 + (x - 20) ** 2) / (2 * sigma**2))
    far = np.exp(-((y - 15) ** 2 + (x - 2) ** 2) / (2 * sigma**2))
    expected = (0.25 * near + 0.75 * far) / (2 * math.pi * sigma**2)
    density, bandwidth = contribution_density(mass, sigma)
    np.testing.assert_allclose(density, expected, rtol=0, atol=1e-12 * expected.max())
    assert bandwidth == Bandwidth(((sigma**2, 0.0), (0.0, sigma**2)), "given", False)


def test_a_bandwidth_can_be_shared() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.random((20, 20)) ** 6, rng.random((20, 20)) ** 2
    _, bandwidth = contribution_density(a)
    density, used = contribution_density(b, bandwidth)
    assert used is bandwidth
    assert not np.allclose(density, contribution_density(b)[0])
    np.testing.assert_array_equal(contribution_density(a, bandwidth)[0], contribution_density(a)[0])


@given(pads=st.tuples(*[st.integers(0, 12)] * 4), seed=st.integers(0, 99))
@settings(deadline=None, max_examples=30)
def test_padding_and_transposition_change_nothing(pads: tuple[int, int, int, int], seed: int) -> None:
    mass = np.random.default_rng(seed).random((9, 13)) ** 4
    density, bandwidth = contribution_density(mass)
    padded, wide = contribution_density(np.pad(mass, (pads[:2], pads[2:])))
    inner = padded[pads[0] : pads[0] + 9, pads[2] : pads[2] + 13]
    np.testing.assert_allclose(inner, density, rtol=0, atol=1e-12 * density.max())
    assert np.array(wide.covariance) == pytest.approx(np.array(bandwidth.covariance), rel=1e-10)
    np.testing.assert_allclose(contribution_density(mass.T)[0].T, density, rtol=0, atol=1e-12 * density.max())


def test_density_of_a_compact_map_sums_to_one() -> None:
    mass = np.zeros((101, 101))
    mass[45:55, 40:60] = np.random.default_rng(0).random((10, 20)) + 0.1
    assert contribution_density(mass)[0].sum() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("kind", ["pixel", "row", "column", "diagonal"])
def test_maps_without_spread_in_some_direction(kind: str) -> None:
    mass = np.zeros((31, 31))
    if kind == "pixel":
        mass[12, 20] = 5
    elif kind == "row":
        mass[12, 5:25] = 1
    elif kind == "column":
        mass[5:25, 12] = 1
    else:
        mass[np.arange(5, 25), np.arange(5, 25)] = 1
    density, bandwidth = contribution_density(mass)
    assert bandwidth.floored
    smallest = np.linalg.eigvalsh(np.array(bandwidth.covariance)).min()
    assert smallest == pytest.approx(0.25)
    assert np.isfinite(density).all()
    assert mass[np.unravel_index(density.argmax(), density.shape)] > 0


def test_a_large_map_is_one_convolution(monkeypatch: pytest.MonkeyPatch) -> None:
    """The FFT's work grows with the pixels, that of a kernel density pixel by pixel with their square."""
    sides: list[tuple[int, ...]] = []
    convolve = scipy.signal.fftconvolve

    def counted(mass: np.ndarray, kernel: np.ndarray, mode: str) -> np.ndarray:
        sides.append(kernel.shape)
        return convolve(mass, kernel, mode=mode)

    monkeypatch.setattr(scipy.signal, "fftconvolve", counted)
    contribution_density(np.random.default_rng(0).random((512, 512)) ** 8)
    assert len(sides) == 1
    assert max(sides[0]) < 2 * 512


def test_refusals() -> None:
    mass = np.ones((4, 4))
    for bandwidth in (0, -1.0, math.nan, math.inf):
        with pytest.raises(SettingError, match="above 0"):
            contribution_density(mass, bandwidth)
    with pytest.raises(SettingError, match="positive definite"):
        contribution_density(mass, Bandwidth(((1.0, 2.0), (2.0, 1.0)), "given", False))
    with pytest.raises(ZeroMapError):
        contribution_density(mass * 0)
    with pytest.raises(NotFiniteError):
        contribution_density(mass * math.nan)
