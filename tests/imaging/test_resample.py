"""Resampling against independent statements of MATLAB's imresize and of Pillow, and public LR images."""

import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from srlens.errors import ChannelError, ImageError, SettingError
from srlens.imaging.resample import bicubic, bicubic_downscale, bicubic_upscale, matlab_downscale_uint8, pil_downscale


def _cubic(x: np.ndarray) -> np.ndarray:
    a = np.abs(x)
    near, far = 1.5 * a**3 - 2.5 * a**2 + 1, -0.5 * a**3 + 2.5 * a**2 - 4 * a + 2
    return np.where(a <= 1, near, np.where(a <= 2, far, 0.0))


def _matlab_matrix(size: int, scale: Fraction) -> np.ndarray:
    """MATLAB's `contributions`, written out pixel by pixel as a dense matrix."""
    out = math.ceil(size * scale)
    matrix = np.zeros((out, size))
    narrow = min(scale, Fraction(1))
    width = Fraction(4) / narrow
    for row in range(out):
        u = (row + Fraction(1, 2)) / scale - Fraction(1, 2)
        left = math.floor(u - width / 2)
        index = left + np.arange(math.ceil(width) + 2)
        weight = _cubic(np.array([float(narrow * (u - int(i))) for i in index]))
        weight /= weight.sum()
        mirrored = np.concatenate([np.arange(size), np.arange(size)[::-1]])
        np.add.at(matrix[row], mirrored[index % (2 * size)], weight)
    return matrix


def _matlab(image: np.ndarray, scale: Fraction) -> np.ndarray:
    return _matlab_matrix(image.shape[-2], scale) @ image @ _matlab_matrix(image.shape[-1], scale).T


def _levels(path: Path) -> torch.Tensor:
    return torch.from_numpy(np.array(Image.open(path), dtype=np.float64)).permute(2, 0, 1)


SCALES = [Fraction(n) for n in (2, 3, 4, 8)] + [Fraction(1, n) for n in (2, 3, 4, 8)]
SCALES += [Fraction(3, 2), Fraction(5, 7), Fraction(1)]


@pytest.mark.parametrize("scale", SCALES, ids=str)
@pytest.mark.parametrize("size", [(40, 33), (17, 24), (3, 1)], ids=str)
def test_is_matlab_imresize(scale: Fraction, size: tuple[int, int]) -> None:
    image = torch.rand(2, 3, *size, dtype=torch.float64)
    ours = bicubic(image, scale)
    expected = _matlab(image.numpy(), scale)
    assert ours.shape == expected.shape
    np.testing.assert_allclose(ours.numpy(), expected, rtol=0, atol=1e-14)
    np.testing.assert_allclose(bicubic(image.float(), scale).numpy(), expected, rtol=0, atol=1e-6)


def test_float32_stays_exact_far_from_the_origin() -> None:
    """Where torch's own antialiased bicubic is off by 1e-4."""
    image = torch.rand(1, 2000, 4, dtype=torch.float64)
    expected = _matlab(image.numpy(), Fraction(3))
    np.testing.assert_allclose(bicubic(image.float(), 3).numpy(), expected, rtol=0, atol=1e-6)


@given(
    height=st.integers(1, 20),
    width=st.integers(1, 20),
    p=st.integers(1, 9),
    q=st.integers(1, 9),
    offset=st.floats(-1, 1),
)
@settings(deadline=None, max_examples=40)
def test_constants_and_linearity(height: int, width: int, p: int, q: int, offset: float) -> None:
    scale = Fraction(p, q)
    image = torch.rand(1, height, width, dtype=torch.float64)
    resized = bicubic(image, scale)
    assert resized.shape == (1, math.ceil(height * scale), math.ceil(width * scale))
    torch.testing.assert_close(bicubic(2 * image + offset, scale), 2 * resized + offset, rtol=0, atol=1e-13)
    flipped = bicubic(image.transpose(1, 2), scale).transpose(1, 2)
    torch.testing.assert_close(flipped, resized, rtol=0, atol=1e-13)


def test_a_float_scale_is_its_nearest_fraction() -> None:
    image = torch.rand(1, 21, 30, dtype=torch.float64)
    assert torch.equal(bicubic(image, 1 / 3), bicubic(image, Fraction(1, 3)))
    assert torch.equal(bicubic(image, 0.3), bicubic(image, Fraction(3, 10)))
    assert torch.equal(bicubic_upscale(image, 3), bicubic(image, 3))
    assert torch.equal(bicubic_downscale(image, 4), bicubic(image, 0.25))


@pytest.mark.parametrize("scale", [Fraction(3), Fraction(1, 2), Fraction(3, 2)], ids=str)
def test_gradients_pass(scale: Fraction) -> None:
    image = torch.rand(1, 1, 5, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: bicubic(x, scale), (image,))


@pytest.mark.parametrize("scale", [4, 2])
@pytest.mark.parametrize("name", ["baby", "bird", "butterfly", "head", "woman"])
def test_uint8_variant_reproduces_the_public_lr_images(shared: Path, name: str, scale: int) -> None:
    hr = _levels(shared / "images/Set5/HR" / f"{name}.png")
    lr = _levels(shared / f"images/Set5/LRx{scale}" / f"{name}x{scale}.png")
    hr = hr[:, : hr.shape[1] // scale * scale, : hr.shape[2] // scale * scale] / 255
    assert torch.equal((matlab_downscale_uint8(hr, scale) * 255).round(), lr)
    # The floating-point variant differs in a tenth of the values and more, which is why there are two.
    assert ((bicubic_downscale(hr, scale) * 255).round() != lr).double().mean() > 0.05


def _pillow_axis(levels: np.ndarray, out: int) -> np.ndarray:
    """Pillow's Resample.c along the last axis: no weights outside, 22-bit fixed point, rounded to 8 bits."""
    size = levels.shape[-1]
    scale = size / out
    result = np.zeros((*levels.shape[:-1], out), dtype=np.int64)
    for x in range(out):
        centre = (x + 0.5) * scale
        low = max(int(centre - 2 * scale + 0.5), 0)
        high = min(int(centre + 2 * scale + 0.5), size)
        weight = _cubic((np.arange(low, high) - centre + 0.5) / scale)
        weight /= weight.sum()
        fixed = np.trunc(weight * 2**22 + np.where(weight < 0, -0.5, 0.5)).astype(np.int64)
        result[..., x] = np.clip((levels[..., low:high] @ fixed + 2**21) >> 22, 0, 255)
    return result


@pytest.mark.parametrize("shape", [(3, 32, 48), (1, 33, 50), (3, 4, 7)], ids=str)
def test_pil_downscale_is_pillows_algorithm(shape: tuple[int, int, int]) -> None:
    levels = torch.randint(0, 256, shape).numpy()
    rows = _pillow_axis(levels, shape[2] // 4)
    expected = _pillow_axis(rows.swapaxes(-1, -2), shape[1] // 4).swapaxes(-1, -2)
    ours = pil_downscale(torch.from_numpy(levels).float() / 255, 4)
    assert ours.dtype == torch.float32
    np.testing.assert_array_equal((ours * 255).round().numpy(), expected)


def test_pil_and_matlab_differ_at_the_border_only_by_much() -> None:
    image = (torch.rand(3, 64, 64) * 255).round() / 255
    gap = (pil_downscale(image, 4) - matlab_downscale_uint8(image, 4)).abs().amax(0) * 255
    assert gap.max() > 3
    assert gap[2:-2, 2:-2].max() < 1.5


def test_refusals_name_the_value_and_the_remedy() -> None:
    image = torch.rand(3, 8, 8)
    with pytest.raises(SettingError, match=r"scale \(=0\)"):
        bicubic(image, 0)
    with pytest.raises(SettingError, match="ratio of whole numbers"):
        bicubic(image, math.pi)
    with pytest.raises(SettingError, match="finite"):
        bicubic(image, math.nan)
    with pytest.raises(SettingError, match="whole number"):
        bicubic_upscale(image, 2.5)  # type: ignore[arg-type]
    with pytest.raises(ImageError, match="not empty"):
        bicubic(torch.rand(3, 0, 8), 2)
    with pytest.raises(ImageError, match=r"image\.float\(\) / 255"):
        bicubic((image * 255).to(torch.uint8), 2)
    with pytest.raises(ImageError, match="leaves nothing"):
        pil_downscale(image, 9)
    with pytest.raises(ChannelError, match="not 4"):
        pil_downscale(torch.rand(4, 8, 8), 2)
    with pytest.raises(ImageError, match="singly"):
        pil_downscale(image[None], 2)
