"""Areas, radii and the used part of the receptive field, on maps whose answers are known."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from srlens.errors import NotFiniteError, SettingError, WindowError, ZeroMapError
from srlens.measures.extent import gaussian_area, mass_area, mass_membership, mass_radius, used_fraction

VALUES = st.one_of(st.just(0.0), st.floats(1e-6, 1e6), st.integers(1, 3).map(float))
MAPS = arrays(np.float64, st.tuples(st.integers(1, 7), st.integers(1, 7)), elements=VALUES).filter(np.any)
FRACTIONS = st.floats(0.01, 1)


@given(mass=MAPS, fraction=FRACTIONS)
@settings(deadline=None)
def test_area_holds_exactly_the_share_with_the_fewest_pixels(mass: np.ndarray, fraction: float) -> None:
    member = mass_membership(mass, fraction)
    assert member.min() >= 0
    assert member.max() <= 1
    assert (member * mass).sum() == pytest.approx(fraction * mass.sum(), rel=1e-12)
    area = mass_area(mass, fraction)
    assert area == pytest.approx(member.sum(), rel=1e-12)
    assert 0 < area <= np.count_nonzero(mass) * (1 + 1e-12)
    # An independent count, in exact numbers: take the pixels from the strongest down until the share is reached.
    pixels = sorted((Fraction(value) for value in mass.ravel().tolist() if value), reverse=True)
    needed, count = Fraction(fraction) * sum(pixels), Fraction(0)
    for value in pixels:
        if needed <= 0:
            break
        count += min(Fraction(1), needed / value)
        needed -= value
    assert area == pytest.approx(float(count), rel=1e-9)


def test_a_share_of_one_is_every_pixel_with_mass() -> None:
    """Also one that is lost in the rounding of the sum."""
    assert mass_area(np.array([[3601.0, 2.0**-14, 0.0]]), 1.0) == 2
    assert mass_area(np.array([[1.0, 1e-30]]), 1.0) == 2


@given(mass=MAPS, fraction=FRACTIONS, factor=st.floats(1e-200, 1e200), pads=st.tuples(*[st.integers(0, 9)] * 4))
@settings(deadline=None)
def test_area_ignores_padding_factor_sign_and_order(
    mass: np.ndarray, fraction: float, factor: float, pads: tuple[int, int, int, int]
) -> None:
    area = mass_area(mass, fraction)
    padded = np.pad(mass, (pads[:2], pads[2:]))
    assert mass_area(padded, fraction) == pytest.approx(area, rel=1e-12)
    assert mass_area(-mass * factor, fraction) == pytest.approx(area, rel=1e-9)
    shuffled = np.random.default_rng(0).permutation(mass.ravel()).reshape(mass.shape)
    assert mass_area(shuffled, fraction) == pytest.approx(area, rel=1e-12)


@given(mass=MAPS, a=FRACTIONS, b=FRACTIONS)
@settings(deadline=None)
def test_area_grows_with_the_share(mass: np.ndarray, a: float, b: float) -> None:
    low, high = sorted((a, b))
    assert mass_area(mass, low) <= mass_area(mass, high) * (1 + 1e-12)
    # The strongest pixels come first, so the first part of the mass needs the least area.
    assert mass_area(mass, low) <= low * mass_area(mass, 1) * (1 + 1e-9)


def test_known_areas() -> None:
    point = np.zeros((5, 6))
    point[2, 3] = 7
    assert mass_area(point, 0.9) == pytest.approx(0.9)
    assert mass_area(point, 1) == 1
    assert mass_area(np.ones((4, 5)), 0.5) == pytest.approx(10)
    assert mass_area(np.ones((4, 5)), 1) == 20
    assert mass_area([[6.0, 3.0, 1.0]], 0.9) == pytest.approx(2)
    assert mass_area([[6.0, 3.0, 1.0]], 0.95) == pytest.approx(2.5)
    channels = np.array([[[1.0, -2.0]], [[1.0, 2.0]]])  # summed before the absolute value
    assert mass_area(channels, 1) == 1


BOUNDS = st.tuples(*[st.floats(0, 7)] * 4).map(
    lambda b: (min(b[0], b[2]), min(b[1], b[3]), max(b[0], b[2]), max(b[1], b[3]))
)


@given(mass=MAPS, bounds=BOUNDS, pads=st.tuples(*[st.integers(0, 9)] * 4))
@settings(deadline=None)
def test_radius_range_transposition_and_padding(
    mass: np.ndarray, bounds: tuple[float, float, float, float], pads: tuple[int, int, int, int]
) -> None:
    radius = mass_radius(mass, bounds)
    top, left, bottom, right = bounds
    assert 0 <= radius.mean <= radius.rms * (1 + 1e-12)
    assert radius.rms <= math.hypot(*mass.shape) + 7 * math.sqrt(2)
    assert mass_radius(mass.T, (left, top, right, bottom)).mean == pytest.approx(radius.mean)
    up, down, before, after = pads
    moved = (top + up, left + before, bottom + up, right + before)
    padded = mass_radius(np.pad(mass, ((up, down), (before, after))), moved)
    assert padded.mean == pytest.approx(radius.mean, rel=1e-9, abs=1e-9)
    assert padded.rms == pytest.approx(radius.rms, rel=1e-9, abs=1e-9)


def test_known_radii() -> None:
    mass = np.zeros((9, 12))
    mass[4, 5] = 3
    assert mass_radius(mass, (3, 4, 6, 8)).mean == 0
    assert mass_radius(mass, (4.5, 5.5, 4.5, 5.5)).rms == 0
    assert mass_radius(mass, (5, 5, 8, 8)).mean == pytest.approx(0.5)
    assert mass_radius(mass, (4, 0, 5, 2)).mean == pytest.approx(3.5)
    mass[4, 5], mass[0, 0], mass[8, 0] = 0, 1, 3
    radius = mass_radius(mass, (0.5, 0.5, 0.5, 0.5))
    assert radius.mean == pytest.approx(6)
    assert radius.rms == pytest.approx(math.sqrt(48))


def test_used_fraction() -> None:
    assert used_fraction(30, 300) == pytest.approx(0.1)
    for area, field in ((-1, 5), (1, 0), (math.nan, 5)):
        with pytest.raises(SettingError, match="receptive field"):
            used_fraction(area, field)


def test_refusals() -> None:
    mass = np.ones((3, 3))
    for fraction in (0, -1, 1.5, math.nan):
        with pytest.raises(SettingError, match=r"\(0, 1\]"):
            mass_area(mass, fraction)
    with pytest.raises(WindowError, match="ordered"):
        mass_radius(mass, (2, 0, 1, 3))
    with pytest.raises(ZeroMapError):
        mass_area(mass * 0, 0.5)
    with pytest.raises(ZeroMapError):
        mass_radius(mass * 0, (0, 0, 1, 1))
    with pytest.raises(NotFiniteError):
        mass_area(mass * math.inf, 0.5)


def test_gaussian_area_in_closed_form():
    """Of one pixel's field: −2πσ² ln(1 − share), σ² = (side − 1)/3."""
    for side in (45.0, 75.0, 107.0):
        expected = -2 * math.pi * (side - 1) / 3 * math.log(0.05)
        assert gaussian_area(side, 150**2, 1e-3) == pytest.approx(expected, rel=0.01)  # whole pixels: a ring of 1 %


def test_gaussian_area_is_that_of_random_convolutions():
    """Mean squared influence of 3×3 kernels of independent weights: each blurs it once more by a uniform 3×3 box."""
    influence = np.zeros((49, 49))
    influence[23:27, 23:27] = 1  # the window
    for _ in range(12):
        influence = sum(np.roll(influence, (y, x), (0, 1)) for y in (-1, 0, 1) for x in (-1, 0, 1)) / 9
    assert gaussian_area(25.0, 49**2, 4) == pytest.approx(mass_area(influence, 0.95), rel=0.03)


def test_gaussian_area_stays_within_reach():
    assert gaussian_area(703.0, 64**2, 4) < 64**2
    assert gaussian_area(1.0, 4**2, 4) == pytest.approx(0.95 * 16)
