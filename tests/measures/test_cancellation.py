"""Cancellation of maps: known answers, and sums that must hold for every map."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from srlens.errors import NotFiniteError, SettingError, ZeroMapError
from srlens.measures.cancellation import chebyshev_distance, rings, shares_beyond, signed_ratio, summed_diffusion_index
from srlens.measures.concentration import diffusion_index

BOUNDS = (3.25, 4.0, 5.0, 6.5)  # rows 3, 4 and columns 4, 5, 6


def test_distance_counts_from_the_pixels_that_the_window_covers() -> None:
    distance = chebyshev_distance((9, 10), BOUNDS)
    expected = [[max(3 - y, y - 4, 4 - x, x - 6, 0) for x in range(10)] for y in range(9)]
    assert distance.tolist() == expected


def test_signs() -> None:
    assert signed_ratio(np.array([[1.0, 2.0], [0.0, 3.0]])) == 1
    assert signed_ratio(np.array([[1.0, -1.0], [2.0, 0.0]])) == 0.5
    # Channels are summed first: what cancels between them is no cancellation in the picture.
    assert signed_ratio(np.array([[[3.0, 0.0]], [[-1.0, 2.0]]])) == 1


def test_far_parts_that_cancel_have_an_absolute_share_and_no_signed_one() -> None:
    given_map = np.zeros((9, 10))
    given_map[3, 4], given_map[0, 0], given_map[8, 9] = 2, 1, -1
    found = shares_beyond(given_map, BOUNDS, 1)
    assert (found.absolute, found.signed) == (0.5, 0.0)
    assert shares_beyond(given_map, BOUNDS, 4) == shares_beyond(given_map, BOUNDS, 99)
    given_map[3, 4] = 0
    assert shares_beyond(given_map, BOUNDS, 1).signed is None


@given(seed=st.integers(0, 99), height=st.integers(1, 40), width=st.integers(1, 40), channels=st.integers(1, 3))
@settings(deadline=None, max_examples=40)
def test_rings_hold_everything_once(seed: int, height: int, width: int, channels: int) -> None:
    values = np.random.default_rng(seed).standard_normal((channels, height, width))
    bounds = (height / 3, width / 3, height / 3 + 0.5, width / 3 + 0.5)
    found = rings(values, bounds)
    assert [ring.first for ring in found] == [0, 1, 2, 3, 5, 9, 17, 33][: len(found)]
    assert all(b.first == a.last + 1 for a, b in pairwise(found))
    assert sum(ring.absolute for ring in found) == pytest.approx(1)
    assert sum(ring.signed or 0.0 for ring in found) == pytest.approx(1)
    beyond = shares_beyond(values, bounds, 2)
    assert sum(ring.absolute for ring in found if ring.first > 2) == pytest.approx(beyond.absolute)


def test_a_map_that_alternates_has_a_small_index_when_summed() -> None:
    near = np.zeros((32, 32))
    near[16, 16] = 1
    alternating = near + 0.001 * (-1.0) ** np.add.outer(np.arange(32), np.arange(32))
    steady = near + 0.001
    assert diffusion_index(alternating) == pytest.approx(diffusion_index(steady), rel=0.01)
    assert summed_diffusion_index(alternating) < summed_diffusion_index(steady) / 3
    assert summed_diffusion_index(near, 1) == diffusion_index(near)
    assert summed_diffusion_index(near, 3) == pytest.approx(9 * diffusion_index(near))


def test_errors() -> None:
    for side in (0, 2, -1):
        with pytest.raises(SettingError, match="odd"):
            summed_diffusion_index(np.ones((4, 4)), side)
    for measure in (signed_ratio, summed_diffusion_index, lambda values: rings(values, BOUNDS)):
        with pytest.raises(ZeroMapError):
            measure(np.zeros((9, 10)))
        with pytest.raises(NotFiniteError):
            measure(np.full((9, 10), np.nan))
