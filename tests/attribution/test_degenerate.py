"""Flat, saturated and black images, flat pixels, half precision: a named error or a finite map, never silent zeros."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import srlens
from srlens.errors import NotFiniteError, ZeroMapError

WINDOW = srlens.Window(8, 10, 8, 8)


@pytest.mark.parametrize("value", [0.0, 0.3, 1 / 3, 1.0], ids=["black", "flat", "flat third", "saturated"])
@pytest.mark.parametrize("path", ["progressive-blur", "linear-blur"])
@pytest.mark.parametrize("preset", ["default", "paper"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_flat_image_has_no_map(make_network, value: float, path: str, preset: str, dtype: torch.dtype) -> None:
    network = make_network(dtype=dtype)
    with pytest.raises(ZeroMapError, match="flat"):
        srlens.attribute(network, torch.full((3, 14, 16), value, dtype=dtype), WINDOW, path=path, preset=preset)


def test_flat_colour_picture_has_no_map_on_a_luma_network(make_network) -> None:
    network = make_network(channels=1)
    image = torch.tensor([0.2, 0.5, 0.7])[:, None, None].expand(3, 14, 16)
    with pytest.raises(ZeroMapError, match="flat"):
        srlens.attribute(network, image, WINDOW)


def test_black_image_has_no_map_from_black_and_a_flat_one_does(make_network) -> None:
    network = make_network()
    with pytest.raises(ZeroMapError):
        srlens.attribute(network, torch.zeros(3, 14, 16), WINDOW, path="linear-black")
    result = srlens.attribute(network, torch.full((3, 14, 16), 0.5), WINDOW, path="linear-black", detector="intensity")
    assert np.isfinite(result.map).all()
    assert result.map.any()


def saturated(image: Tensor) -> Tensor:
    return (2 * image - 0.5).clamp(0, 1)


def one_flat_pixel(image: Tensor) -> Tensor:
    flat = image.clone()
    flat[:, 4:8, 5:9] = 0.5
    return flat


def half_flat(image: Tensor) -> Tensor:
    flat = image.clone()
    flat[..., 7:] = 1.0
    return flat


@pytest.mark.parametrize("change", [saturated, one_flat_pixel, half_flat])
@pytest.mark.parametrize("detector", list(srlens.DETECTORS))
def test_exactly_flat_pixels_of_the_output_make_no_nan(image: Tensor, change, detector: str) -> None:
    """Nearest-neighbour enlargement: three of four pixels have a gradient magnitude of exactly 0."""
    network = srlens.Network.wrap(nn.Sequential(nn.Upsample(scale_factor=2), nn.Tanh()), scale=2)
    window, clean = srlens.Window(6, 8, 10, 10), torch.rand(3, 2 * image.shape[1], 2 * image.shape[2])
    result = srlens.attribute(network, change(image), window, detector=detector, clean=clean, steps=9)
    assert np.isfinite(result.map).all()
    assert result.map.any()
    assert 0 < result.diffusion_index <= 100


def test_one_flat_pixel_changes_nothing_elsewhere(make_network, image: Tensor) -> None:
    """An exactly flat patch of the output far from the window leaves the map as it was."""
    network = make_network(nn.ReLU, depth=1)
    flat = image.clone()
    flat[:, :, 11:] = 0.25
    window = srlens.Window(8, 4, 6, 6)  # sees LR columns up to 6, and the blur four more
    a = srlens.attribute(network, image, window, path="linear-black", steps=5)
    b = srlens.attribute(network, flat, window, path="linear-black", steps=5)
    assert np.allclose(a.map[:, :, :11], b.map[:, :, :11], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("rule", ["midpoint", "right-riemann", "gauss-legendre"])
def test_flat_window_of_a_structured_image_has_no_map(make_network, rule: str) -> None:
    """Blurring leaves a flat area as it was but for rounding, of which no map may be made."""
    network = make_network(depth=1)
    image = torch.full((3, 20, 30), 1 / 3, dtype=torch.float64)
    image[:, :, 20:] = torch.rand(3, 20, 10)
    with pytest.raises(ZeroMapError):
        srlens.attribute(network, image, srlens.Window.square(8, 8, 6), rule=rule)


def test_network_that_ignores_its_input_has_no_map(image: Tensor) -> None:
    class Constant(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return nn.functional.interpolate(x, scale_factor=2) * 0 + 0.5

    with pytest.raises(ZeroMapError, match="ignores its input"):
        srlens.attribute(srlens.Network.wrap(Constant(), scale=2), image, WINDOW)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("detector", list(srlens.DETECTORS))
def test_half_precision_networks_give_finite_maps_near_the_true_ones(make_network, image, dtype, detector) -> None:
    full = make_network(nn.GELU)
    window = srlens.Window(6, 8, 12, 12)
    known = {"detector": detector, "clean": torch.rand(3, 2 * image.shape[1], 2 * image.shape[2]), "steps": 9}
    truth = srlens.attribute(full, image, window, **known)
    result = srlens.attribute(full.to(dtype=dtype), image.to(dtype), window, **known)
    assert np.isfinite(result.map).all()
    relative = np.linalg.norm(result.map - truth.map) / np.linalg.norm(truth.map)
    assert relative < (0.05 if dtype == torch.float16 else 0.3)
    assert relative > 1e-6  # the network did run in half precision


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_of_a_255_network_with_padding_and_pre_upsampling(dtype: torch.dtype, image: Tensor) -> None:
    module = nn.Conv2d(1, 1, 3, padding=1).to(dtype)
    network = srlens.Network.wrap(module, scale=2, channels=1, value_range=255.0, multiple=4, pre_upsampled=True)
    result = srlens.attribute(network, image, WINDOW, steps=5)
    assert np.isfinite(result.map).all()
    assert result.map.any()


def test_overflow_in_half_precision_is_an_error_that_says_what_to_do(image: Tensor) -> None:
    module = nn.Sequential(nn.Conv2d(3, 12, 1), nn.PixelShuffle(2))
    with torch.no_grad():
        module[0].weight.fill_(300.0)
    network = srlens.Network.wrap(module.half(), scale=2, value_range=255.0)
    with pytest.raises(NotFiniteError, match=r"float16.*float32"):
        srlens.attribute(network, image, WINDOW)


def test_tiny_differences_still_have_a_map(make_network) -> None:
    """A picture of one 16-bit level is faint, not flat."""
    image = torch.full((3, 14, 16), 0.5, dtype=torch.float64)
    image[:, 6, 7] += 1 / 65535
    result = srlens.attribute(make_network(nn.Tanh), image, WINDOW, detector="intensity")
    assert result.map.any()
    assert result.completeness_gap < 1e-3


@pytest.mark.parametrize("side", [1, 2, 3])
def test_tiny_windows(make_network, image: Tensor, side: int) -> None:
    result = srlens.attribute(make_network(nn.Tanh), image, srlens.Window.square(9, 9, side))
    assert np.isfinite(result.map).all()
    assert result.map.any()
