"""Agreement between maps: symmetry, range, identities, and SciPy."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import spearmanr

from srlens.errors import ImageError, InputError, NotFiniteError, ZeroMapError
from srlens.measures.agreement import (
    consensus,
    difference,
    overlap,
    rank_correlation,
    structural_similarity,
    total_variation,
)
from srlens.measures.extent import mass_area

VALUES = st.one_of(st.just(0.0), st.floats(1e-6, 1e6), st.integers(1, 3).map(float))


def _maps(count: int) -> st.SearchStrategy[list[np.ndarray]]:
    def of_size(size: tuple[int, int]) -> st.SearchStrategy[list[np.ndarray]]:
        one = arrays(np.float64, size, elements=VALUES).filter(np.any)
        return st.lists(one, min_size=count, max_size=count)

    return st.tuples(st.integers(1, 6), st.integers(2, 6)).flatmap(of_size)


def _varied(maps: list[np.ndarray]) -> bool:
    return all(mass.min() < mass.max() for mass in maps)


@given(maps=_maps(2).filter(_varied))
@settings(deadline=None)
def test_rank_correlation_is_spearmans(maps: list[np.ndarray]) -> None:
    a, b = maps
    value = rank_correlation(a, b)
    assert -1 <= value <= 1
    assert value == pytest.approx(spearmanr(a.ravel(), b.ravel()).statistic, abs=1e-12)
    assert value == pytest.approx(rank_correlation(b, a), abs=1e-12)
    assert rank_correlation(a, a) == pytest.approx(1)
    grown = np.sqrt(a) * 3
    if np.unique(grown).size == np.unique(a).size:  # neighbouring floats may have one root: then there are new ties
        assert rank_correlation(a, grown) == pytest.approx(1)


@given(maps=_maps(2), fraction=st.floats(0.05, 1), pad=st.integers(0, 4))
@settings(deadline=None)
def test_overlap(maps: list[np.ndarray], fraction: float, pad: int) -> None:
    a, b = maps
    value = overlap(a, b, fraction)
    assert 0 <= value <= 1
    assert value == pytest.approx(overlap(b, a, fraction), abs=1e-12)
    assert overlap(a, a, fraction) == 1
    assert value == pytest.approx(overlap(np.pad(a, pad), np.pad(b, pad), fraction), abs=1e-12)
    small, large = sorted((mass_area(a, fraction), mass_area(b, fraction)))
    assert value <= small / large + 1e-12


@given(maps=_maps(3), factors=st.lists(st.floats(1e-100, 1e100), min_size=3, max_size=3), pad=st.integers(0, 4))
@settings(deadline=None)
def test_consensus_and_difference(maps: list[np.ndarray], factors: list[float], pad: int) -> None:
    a, b, c = maps
    common = consensus(maps)
    assert common.min() >= 0
    assert common.sum() <= 1 + 1e-12
    assert (common <= consensus([a, b]) + 1e-15).all()
    scaled = consensus([mass * factor for mass, factor in zip((c, a, b), factors, strict=True)])
    np.testing.assert_allclose(scaled, common, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(consensus([np.pad(m, pad) for m in maps]), np.pad(common, pad), atol=1e-12)
    distance = total_variation(a, b)
    assert 0 <= distance <= 1
    assert consensus([a, b]).sum() == pytest.approx(1 - distance, abs=1e-12)
    assert distance <= total_variation(a, c) + total_variation(c, b) + 1e-12
    np.testing.assert_allclose(difference(a, b), -difference(b, a), atol=1e-15)
    assert difference(a, b).sum() == pytest.approx(0, abs=1e-12)
    assert total_variation(a, -2 * a) == pytest.approx(0, abs=1e-12)


def test_known_maps() -> None:
    left, right = np.zeros((4, 8)), np.zeros((4, 8))
    left[:, :2], right[:, 6:] = 1, 5
    assert overlap(left, right) == 0
    assert total_variation(left, right) == pytest.approx(1)
    assert consensus([left, right]).sum() == 0
    uniform = np.ones((4, 8))
    assert overlap(left, uniform, 1) == pytest.approx(8 / 32)
    assert total_variation(left, uniform) == pytest.approx(0.75)
    assert consensus([left, uniform])[0].tolist() == [1 / 32] * 2 + [0] * 6
    assert rank_correlation(np.arange(6.0).reshape(2, 3), np.arange(6.0)[::-1].reshape(2, 3)) == pytest.approx(-1)


def test_refusals() -> None:
    a = np.arange(6.0).reshape(2, 3)
    for measure in (rank_correlation, overlap, total_variation, difference):
        with pytest.raises(ImageError, match="2×3, 3×2"):
            measure(a, a.T)
        with pytest.raises(ZeroMapError):
            measure(a, a * 0)
        with pytest.raises(NotFiniteError):
            measure(a, np.full_like(a, math.inf))
    with pytest.raises(InputError, match="no ranks"):
        rank_correlation(a, np.ones_like(a))
    with pytest.raises(InputError, match="at least one"):
        consensus([])


def test_structural_similarity_is_that_of_cube_roots() -> None:
    from skimage.metrics import structural_similarity as reference

    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((3, 24, 30)) ** 3, rng.standard_normal((24, 30))
    roots = [np.cbrt(np.abs(one) / np.abs(one).max()) for one in (a.sum(axis=0), b)]
    options = {"data_range": 1.0, "gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    assert structural_similarity(a, b) == pytest.approx(reference(*roots, **options), abs=1e-9)
    assert structural_similarity(a, 7 * a) == pytest.approx(1)
    assert structural_similarity(a[:, :10], a[:, :10]) is None
    with pytest.raises(ZeroMapError):
        structural_similarity(a, np.zeros((24, 30)))
