"""Gini, diffusion index, effective pixels: known values, invariances, an independent library."""

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from inequality.gini import Gini

import srlens
from srlens.errors import InputError, NotFiniteError, ZeroMapError
from srlens.measures.concentration import absolute_map, shifted_diffusion_index

# Zero, or large enough that scaling cannot push it below the smallest number.
values = st.one_of(st.just(0.0), st.floats(1e-30, 1e30))
arrays = hnp.arrays(np.float64, st.integers(1, 60), elements=values).filter(lambda a: a.any())
SETTINGS = hypothesis.settings(deadline=None, max_examples=100, derandomize=True)


def double_sum(g: np.ndarray) -> float:
    """The paper's equation (8) as it stands."""
    g = g / g.max()
    return np.abs(g[:, None] - g[None, :]).sum() / (2 * g.size**2 * g.mean())


@SETTINGS
@hypothesis.given(arrays)
def test_gini_is_the_papers_double_sum_and_lies_in_its_range(g: np.ndarray) -> None:
    assert srlens.gini(g) == pytest.approx(double_sum(g), abs=1e-12)
    assert -1e-15 <= srlens.gini(g) <= 1 - 1 / g.size + 1e-12


@SETTINGS
@hypothesis.given(arrays.filter(lambda a: a.size > 1), st.floats(1e-30, 1e30), st.randoms(use_true_random=False))
def test_scale_and_order_do_not_matter(g: np.ndarray, factor: float, random) -> None:
    shuffled = g.copy()
    random.shuffle(shuffled)
    for measure in (srlens.gini, lambda x: srlens.diffusion_index(x[None]), lambda x: srlens.effective_pixels(x[None])):
        assert measure(shuffled) == pytest.approx(measure(g), rel=1e-9, abs=1e-12)
        assert measure(g * factor) == pytest.approx(measure(g), rel=1e-9, abs=1e-12)


@SETTINGS
@hypothesis.given(arrays)
def test_effective_pixels_lie_between_one_and_the_number_that_are_not_zero(g: np.ndarray) -> None:
    pixels = srlens.effective_pixels(g[None])
    assert 1 - 1e-12 <= pixels <= np.count_nonzero(g) * (1 + 1e-12)
    padded = np.concatenate([g, np.zeros(100)])
    assert srlens.effective_pixels(padded[None]) == pytest.approx(pixels, rel=1e-12)


@pytest.mark.parametrize("n", [2, 3, 10, 1000])
def test_gini_of_the_inequality_package(n: int) -> None:
    g = np.random.default_rng(n).exponential(size=n)
    assert srlens.gini(g) == pytest.approx(Gini(g).g, rel=1e-12)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (4, 5), (64, 64), (512, 512)])
@pytest.mark.parametrize("size", [1e-200, 1.0, 1e200])
def test_one_pixel_and_uniform(height: int, width: int, size: float) -> None:
    n = height * width
    one = np.zeros((3, height, width))
    one[1, height // 2, width // 3] = -size
    assert srlens.diffusion_index(one) == pytest.approx(100 / n, rel=1e-9)
    assert srlens.effective_pixels(one) == pytest.approx(1)
    uniform = np.full((height, width), size)
    assert srlens.gini(uniform) == pytest.approx(0, abs=1e-14)
    assert srlens.diffusion_index(uniform) == pytest.approx(100)
    assert srlens.effective_pixels(uniform) == pytest.approx(n)


def test_k_equal_pixels() -> None:
    for k in (1, 7, 30):
        signed = np.zeros((1, 20, 20))
        signed.flat[:k] = 2.5
        assert srlens.diffusion_index(signed) == pytest.approx(100 * k / 400, rel=1e-12)
        assert srlens.effective_pixels(signed) == pytest.approx(k)


def test_a_worked_example_by_hand() -> None:
    # Differences between 1, 2, 5: 1, 4, 3, each counted twice: 16 / (2·9·8/3) = 1/3.
    assert srlens.gini([1, 5, 2]) == pytest.approx(1 / 3)
    assert srlens.effective_pixels(np.array([[1.0, 2.0, 5.0]])) == pytest.approx(64 / 30)


def test_channels_are_summed_before_the_absolute_value() -> None:
    signed = np.array([[[1.0, 2.0]], [[-1.0, 3.0]], [[0.0, -9.0]]])
    assert np.array_equal(absolute_map(signed), [[0.0, 4.0]])
    assert np.array_equal(absolute_map(-signed), [[0.0, 4.0]])
    assert srlens.diffusion_index(signed) == srlens.diffusion_index(np.array([[0.0, 4.0]]))


def test_padding_lowers_the_diffusion_index_by_the_area() -> None:
    """Why the LR size must be stated."""
    g = np.random.default_rng(0).exponential(size=(1, 64, 64))
    padded = np.pad(g, ((0, 0), (0, 64), (0, 64)))
    assert srlens.diffusion_index(padded) == pytest.approx(srlens.diffusion_index(g) / 4, rel=1e-9)
    assert srlens.effective_pixels(padded) == pytest.approx(srlens.effective_pixels(g), rel=1e-12)


def test_the_shift_is_harmless_on_small_maps_and_not_on_large_ones() -> None:
    small = np.random.default_rng(0).exponential(size=(1, 64, 64))
    assert shifted_diffusion_index(small) == pytest.approx(srlens.diffusion_index(small), rel=1e-4)
    large = np.zeros((1, 512, 512))
    large.flat[:30] = np.random.default_rng(0).exponential(size=30)
    shifted = np.abs(large[0]).ravel() / np.abs(large).max() + 1e-7
    assert shifted_diffusion_index(large) > 3 * srlens.diffusion_index(large)
    assert shifted_diffusion_index(large) == pytest.approx(100 * (1 - Gini(shifted).g), rel=1e-6)


@pytest.mark.parametrize(
    "measure", [srlens.diffusion_index, srlens.effective_pixels, shifted_diffusion_index, absolute_map]
)
def test_maps_without_a_ratio(measure) -> None:
    with pytest.raises(ZeroMapError, match="zero everywhere"):
        measure(np.zeros((3, 4, 4)))
    with pytest.raises(ZeroMapError):
        measure(np.array([[[1.0]], [[-1.0]]]))  # the channels cancel
    bad = np.ones((3, 4, 5))
    bad[1, 2, 3] = np.nan
    with pytest.raises(NotFiniteError, match=r"row 2, column 3"):
        measure(bad)


@pytest.mark.parametrize("g", [[], [-1.0, 2.0], [np.nan, 1.0], [np.inf]])
def test_gini_refuses(g) -> None:
    with pytest.raises(InputError, match="non-empty array of finite values ≥ 0"):
        srlens.gini(g)


def test_gini_of_zeros() -> None:
    with pytest.raises(ZeroMapError):
        srlens.gini(np.zeros(5))
