"""Texture numbers on patterns whose answers are known."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from srlens.errors import ImageError, ImageTooSmallError, NotFiniteError
from srlens.measures.texture import Texture, describe_texture


def _stripes(height: int, width: int, wavelength: float, degrees: float, phase: float = 0.3) -> np.ndarray:
    """Stripes running in the direction `degrees`, anticlockwise from horizontal, rows counted downwards."""
    y, x = np.mgrid[:height, :width]
    angle = math.radians(degrees)
    across = x * math.sin(angle) + y * math.cos(angle)
    return np.asarray(0.5 + 0.4 * np.sin(2 * np.pi * across / wavelength + phase))


@given(size=st.sampled_from([16, 24, 64]), wavelength=st.floats(3, 7), degrees=st.floats(0, 179), phase=st.floats(0, 6))
@settings(deadline=None, max_examples=60)
def test_stripes(size: int, wavelength: float, degrees: float, phase: float) -> None:
    texture = describe_texture(_stripes(size, size, wavelength, degrees, phase))
    assert texture.coherence > 0.999
    assert texture.peak_share > 0.9
    assert texture.peak_wavelength == pytest.approx(wavelength, rel=0.02)
    turn = abs(texture.orientation - degrees)
    assert min(turn, 180 - turn) < 0.5


@pytest.mark.parametrize(("degrees", "axis"), [(0, 0), (90, 1)])
def test_orientation_names_the_direction_along_the_stripes(degrees: float, axis: int) -> None:
    pattern = _stripes(16, 16, 5, degrees)
    assert np.ptp(pattern, axis=1 - axis).max() < 1e-12
    assert describe_texture(pattern).orientation == pytest.approx(degrees, abs=1e-6)


def test_a_rising_diagonal_is_45_degrees() -> None:
    y, x = np.mgrid[:32, :32]
    pattern = 0.5 + 0.4 * np.sin((x + y) * 1.1)  # equal along x + y: from bottom left to top right
    assert describe_texture(pattern).orientation == pytest.approx(45, abs=1)


def test_a_grid_has_a_peak_but_no_direction() -> None:
    grid = (_stripes(32, 32, 4, 0) + _stripes(32, 32, 4, 90)) / 2
    texture = describe_texture(grid)
    assert texture.coherence < 0.05
    assert 0.4 < texture.peak_share < 0.6
    assert texture.peak_wavelength == pytest.approx(4, rel=0.05)


def test_noise_and_ramp_have_no_peak() -> None:
    noise = np.random.default_rng(0).random((64, 64))
    assert describe_texture(noise).peak_share < 0.05
    assert describe_texture(noise).coherence < 0.1
    ramp = np.broadcast_to(np.linspace(0, 1, 32), (32, 32))
    texture = describe_texture(ramp)
    assert texture.coherence == pytest.approx(1)
    assert texture.orientation == pytest.approx(90)
    assert texture.peak_share < 0.3
    assert texture.edge_density == 0


def test_edges_of_a_step() -> None:
    step = np.zeros((10, 20))
    step[:, 10:] = 1
    texture = describe_texture(step)
    assert texture.edge_density == pytest.approx(0.1)
    assert texture.contrast == pytest.approx(0.5)


@pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
def test_flat(value: float) -> None:
    assert describe_texture(np.full((16, 16), value)) == Texture(0.0, 0.0, 0.0, 0.0, None, 0.0)


GREY = arrays(np.float64, st.tuples(st.integers(8, 12), st.integers(8, 12)), elements=st.floats(0, 1))


@given(window=GREY)
@settings(deadline=None)
def test_ranges_and_symmetries(window: np.ndarray) -> None:
    texture = describe_texture(window)
    assert 0 <= texture.contrast <= 0.5
    assert 0 <= texture.coherence <= 1
    assert 0 <= texture.orientation < 180
    assert 0 <= texture.peak_share <= 1 + 1e-12
    assert 0 <= texture.edge_density <= 1
    wavelength = texture.peak_wavelength
    if wavelength is not None:
        assert 1 < wavelength <= 12
    turned = describe_texture(window.T)
    assert turned.contrast == pytest.approx(texture.contrast)
    assert turned.coherence == pytest.approx(texture.coherence, abs=1e-9)
    assert turned.edge_density == pytest.approx(texture.edge_density)
    negative = describe_texture(1 - window)
    assert negative.coherence == pytest.approx(texture.coherence, abs=1e-6)


def test_refusals() -> None:
    with pytest.raises(ImageError, match="luma"):
        describe_texture(np.zeros((3, 16, 16)))
    with pytest.raises(ImageTooSmallError, match="7×16"):
        describe_texture(np.zeros((7, 16)))
    window = np.zeros((9, 9))
    window[0, 0] = math.nan
    with pytest.raises(NotFiniteError, match="holds 1 "):
        describe_texture(window)
