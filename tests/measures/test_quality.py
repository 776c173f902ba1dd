"""PSNR and SSIM against their definitions and the published bicubic numbers."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from srlens.errors import ImageError, ImageTooSmallError, NotFiniteError, SettingError, WindowError
from srlens.imaging.colour import luma as luma_of
from srlens.imaging.degrade import modcrop
from srlens.imaging.files import read_image
from srlens.imaging.resample import bicubic_upscale
from srlens.measures.quality import psnr, ssim, window_psnr

NAMES = ("baby", "bird", "butterfly", "head", "woman")


@pytest.mark.parametrize(("scale", "expected_psnr", "expected_ssim"), [(4, 28.43, 0.811), (2, 33.68, 0.930)])
def test_published_bicubic_on_set5(shared: Path, scale: int, expected_psnr: float, expected_ssim: float) -> None:
    """Papers print 28.42/0.8104 and 33.66/0.9299, on Y made and enlarged alone."""
    psnrs, ssims = [], []
    for name in NAMES:
        hr = modcrop(read_image(shared / f"images/Set5/HR/{name}.png"), scale)
        lr = read_image(shared / f"images/Set5/LRx{scale}/{name}x{scale}.png")
        sr = bicubic_upscale(lr, scale)
        psnrs.append(psnr(sr, hr, border=scale))
        ssims.append(ssim(sr, hr, border=scale))
    assert np.mean(psnrs) == pytest.approx(expected_psnr, abs=0.005)
    assert np.mean(ssims) == pytest.approx(expected_ssim, abs=0.0005)


def test_psnr_by_definition() -> None:
    sr, hr = torch.rand(3, 20, 17, dtype=torch.float64), torch.rand(3, 20, 17, dtype=torch.float64)
    inner = (slice(None), slice(3, -3), slice(3, -3))
    difference = (sr - hr).numpy()[inner]
    expected = 10 * np.log10(1 / (difference**2).mean())
    assert psnr(sr, hr, border=3, luma=False, quantise=False) == pytest.approx(expected, abs=1e-10)
    weights = np.array([65.481, 128.553, 24.966]) / 255
    expected = 10 * np.log10(1 / ((np.tensordot(weights, difference, 1)) ** 2).mean())
    assert psnr(sr, hr, border=3, quantise=False) == pytest.approx(expected, abs=1e-10)


def test_ssim_by_definition() -> None:
    sr, hr = torch.rand(1, 15, 14, dtype=torch.float64), torch.rand(1, 15, 14, dtype=torch.float64)
    axis = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    window = np.outer(axis, axis) / axis.sum() ** 2
    values = []
    for y in range(5):
        for x in range(4):
            a, b = sr[0, y : y + 11, x : x + 11].numpy(), hr[0, y : y + 11, x : x + 11].numpy()
            mean_a, mean_b = (window * a).sum(), (window * b).sum()
            var_a, var_b = (window * (a - mean_a) ** 2).sum(), (window * (b - mean_b) ** 2).sum()
            covariance = (window * (a - mean_a) * (b - mean_b)).sum()
            top = (2 * mean_a * mean_b + 0.01**2) * (2 * covariance + 0.03**2)
            values.append(top / ((mean_a**2 + mean_b**2 + 0.01**2) * (var_a + var_b + 0.03**2)))
    assert ssim(sr, hr, border=0, quantise=False) == pytest.approx(np.mean(values), abs=1e-12)


@given(level=st.floats(0.01, 0.4), channels=st.sampled_from([1, 3]), border=st.integers(0, 4))
@settings(deadline=None, max_examples=20)
def test_symmetry_range_and_order(level: float, channels: int, border: int) -> None:
    hr = torch.rand(channels, 20, 20, dtype=torch.float64) * 0.5
    noise = torch.rand(channels, 20, 20, dtype=torch.float64)
    near, far = hr + level * noise / 2, hr + level * noise
    for measure in (psnr, ssim):
        for luma in (True, False):
            value = measure(far, hr, border=border, luma=luma, quantise=False)
            assert value == pytest.approx(measure(hr, far, border=border, luma=luma, quantise=False))
            assert value < measure(near, hr, border=border, luma=luma, quantise=False)
    assert -1 <= ssim(far, hr, border=border) <= 1
    halved = psnr(near, hr, border=border, quantise=False) - psnr(far, hr, border=border, quantise=False)
    assert halved == pytest.approx(20 * math.log10(2), abs=1e-9)


def test_equal_images_and_quantisation() -> None:
    hr = (torch.rand(3, 16, 16) * 255).round() / 255
    assert psnr(hr, hr, border=0) == math.inf
    assert ssim(hr, hr, border=0) == pytest.approx(1, abs=1e-12)
    assert psnr(hr + 0.4 / 255, hr, border=0) == math.inf
    assert psnr(hr + 0.4 / 255, hr, border=0, quantise=False) < 60


def test_window_psnr_crops_and_nothing_else() -> None:
    sr, hr = torch.rand(3, 16, 12), torch.rand(3, 16, 12)
    crop = (slice(None), slice(2, 9), slice(0, 12))
    for luma in (True, False):
        expected = psnr(sr[crop], hr[crop], border=0, luma=luma)
        assert window_psnr(sr, hr, (2, 0, 9, 12), luma=luma) == pytest.approx(expected, abs=1e-12)
    grey = window_psnr(luma_of(sr), luma_of(hr), (2, 0, 9, 12), quantise=False)
    assert grey == pytest.approx(window_psnr(sr, hr, (2, 0, 9, 12), quantise=False), abs=1e-5)
    for bounds in ((0, 0, 17, 4), (-1, 0, 4, 4), (4, 4, 4, 8), (0, 5, 4, 5)):
        with pytest.raises(WindowError, match="16×12"):
            window_psnr(sr, hr, bounds)


def test_many_bands_count_alike() -> None:
    """Of other than three channels nothing is converted: the mean squared error of all values, at 8 bits."""
    cube, noisy = torch.rand(31, 12, 13), torch.rand(31, 12, 13)
    levels = [(one * 255).round() / 255 for one in (noisy, cube)]
    expected = -10 * torch.log10((levels[0] - levels[1]).double().square().mean())
    assert psnr(noisy, cube, border=0) == pytest.approx(float(expected), abs=1e-6)


def test_refusals() -> None:
    hr = torch.rand(3, 16, 16)
    with pytest.raises(ImageError, match="modcrop"):
        psnr(hr, hr[:, :-1], border=0)
    with pytest.raises(ImageError, match="C×H×W"):
        psnr(hr[None], hr[None], border=0)
    with pytest.raises(SettingError, match=r"\(=-1\)"):
        psnr(hr, hr, border=-1)
    with pytest.raises(ImageTooSmallError, match="border of 8"):
        psnr(hr, hr, border=8)
    with pytest.raises(ImageTooSmallError, match="10×10 are left"):
        ssim(hr, hr, border=3)
    with pytest.raises(ImageError, match="255"):
        psnr((hr * 255).to(torch.uint8), (hr * 255).to(torch.uint8), border=0)
    broken = hr.clone()
    broken[1, 2, 3] = torch.nan
    with pytest.raises(NotFiniteError, match=r"SR holds 1 .*\(1, 2, 3\)"):
        psnr(broken, hr, border=0)
