import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from srlens.comparison.effective import central_window, crops, effective_receptive_field
from srlens.comparison.support import gradient_support, theoretical_bounds
from srlens.errors import ImageError, ImageTooSmallError, SettingError, WindowError, ZeroMapError
from srlens.imaging.samples import sample_image
from srlens.imaging.window import Window
from srlens.networks.load import load_network
from srlens.networks.network import Network
from srlens.networks.open import load_default


class Blur(nn.Module):
    """Gaussian blur of σ LR pixels, then each LR pixel repeated to scale × scale SR pixels."""

    def __init__(self, sigma: float, scale: int = 2) -> None:
        super().__init__()
        radius = math.ceil(5 * sigma)
        axis = torch.arange(-radius, radius + 1, dtype=torch.float32)
        kernel = torch.exp(-(axis**2) / (2 * sigma**2))
        self.kernel, self.radius, self.scale = kernel / kernel.sum(), radius, scale

    def forward(self, x: Tensor) -> Tensor:
        weight = torch.outer(self.kernel, self.kernel).to(x).expand(x.shape[1], 1, -1, -1)
        y = nn.functional.conv2d(x, weight, padding=self.radius, groups=x.shape[1])
        return nn.functional.interpolate(y, scale_factor=self.scale)


def convolution(radius: int) -> Network:
    size = 2 * radius + 1
    return Network.wrap(nn.Sequential(nn.Conv2d(3, 12, size, padding=radius), nn.PixelShuffle(2)), scale=2)


def test_support_of_one_convolution() -> None:
    found = gradient_support(convolution(2), Window(12, 14, 2, 4), 20, 24, draws=1)
    assert found.bounds == (4, 5, 9, 11)  # LR rows 6 and columns 7 to 8, two more on each side
    assert found.pixels == 5 * 6
    assert not found.is_whole_image
    assert found.magnitude.shape == (20, 24)


def test_support_is_cut_off_at_the_border() -> None:
    assert gradient_support(convolution(3), Window(0, 0, 2, 2), 9, 9).bounds == (0, 0, 4, 4)


def test_support_of_a_shipped_network_is_its_receptive_field() -> None:
    network = load_default("plain")
    window = central_window(30, 32, 4, 4)
    expected = theoretical_bounds(network, window, 30, 32)
    assert expected == (5, 6, 26, 27)
    assert gradient_support(network, window, 30, 32, draws=2).bounds == expected
    assert network.dtype == torch.float32


def test_support_of_global_networks_is_the_whole_image() -> None:
    for name in ("channel", "nonlocal"):
        network = load_default(name)
        window = Window.square(0, 0, 4)
        assert theoretical_bounds(network, window, 30, 28) == (0, 0, 30, 28)
        assert gradient_support(network, window, 30, 28, draws=1).is_whole_image


def test_support_of_a_published_network(shared: Path) -> None:
    network = load_network(shared / "weights" / "fsrcnn-y-x4.pth")
    whole = Window(40, 44, 4, 4)  # of whole LR pixels: there the bound is reached
    assert gradient_support(network, whole, 24, 26).bounds == theoretical_bounds(network, whole, 24, 26)
    odd = Window(41, 38, 3, 9)
    measured, bound = gradient_support(network, odd, 24, 26).bounds, theoretical_bounds(network, odd, 24, 26)
    assert all(0 <= inner - outer <= 1 for inner, outer in zip(measured[:2], bound[:2], strict=True))
    assert all(0 <= outer - inner <= 1 for inner, outer in zip(measured[2:], bound[2:], strict=True))


class Masked(nn.Module):
    """Attention within windows of four pixels, whose mask lets e^−100 through, as those of Swin transformers do."""

    def forward(self, x: Tensor) -> Tensor:
        n, c, h, w = x.shape
        pixels = x.flatten(2).transpose(1, 2)
        place = torch.arange(h * w, device=x.device) // 4
        mask = torch.where(place[:, None] == place, 0.0, -100.0).to(x)
        mixed = (torch.softmax(pixels @ pixels.transpose(1, 2) + mask, dim=-1) @ pixels).transpose(1, 2)
        return nn.functional.interpolate(mixed.reshape(n, c, h, w), scale_factor=2)


def test_what_a_mask_lets_through_is_no_support() -> None:
    found = gradient_support(Network.wrap(Masked(), scale=2), Window(0, 0, 2, 2), 8, 8)
    assert (found.magnitude > 0).all()
    assert found.bounds == (0, 0, 1, 4)
    assert not found.is_whole_image


def test_support_calls_back_and_checks_its_settings() -> None:
    calls: list[tuple[int, int]] = []
    gradient_support(convolution(1), Window(4, 4, 2, 2), 8, 8, draws=2, progress=lambda *a: calls.append(a))
    assert calls == [(1, 2), (2, 2)]
    with pytest.raises(SettingError, match="draws"):
        gradient_support(convolution(1), Window(4, 4, 2, 2), 8, 8, draws=0)
    with pytest.raises(WindowError):
        gradient_support(convolution(1), Window(16, 4, 2, 2), 8, 8)


def test_an_empty_support_has_no_bounds() -> None:
    network = convolution(1)
    nn.init.zeros_(next(network.module.parameters()))
    with pytest.raises(ZeroMapError):
        _ = gradient_support(network, Window(4, 4, 2, 2), 8, 8).bounds


@pytest.mark.parametrize("sigma", [0.8, 2.0])
def test_effective_field_of_a_gaussian_is_that_gaussian(sigma: float) -> None:
    found = effective_receptive_field(Network.wrap(Blur(sigma), scale=2), [torch.rand(3, 41, 41)])
    assert found.sigma == pytest.approx(sigma, rel=1e-3)
    assert found.fit_error < 1e-3
    assert float(found.map.sum()) == pytest.approx(1)
    assert np.unravel_index(int(found.map.argmax()), found.map.shape) == (20, 20)


def test_radii_of_a_gaussian() -> None:
    sigma = 4.0
    found = effective_receptive_field(Network.wrap(Blur(sigma), scale=2), [torch.rand(3, 61, 61)])
    for share, radius in found.radii.items():
        # The disc of radius r holds 1 − exp(−r²/2σ²); pixels count by their centres, hence half a pixel.
        assert radius == pytest.approx(sigma * math.sqrt(-2 * math.log(1 - share)), abs=0.5)


def test_effective_field_averages_images_and_orders_networks(shared: Path) -> None:
    images = crops(sample_image(), 32, 3)
    calls: list[tuple[int, int]] = []
    plain = effective_receptive_field(load_default("plain"), images, progress=lambda *a: calls.append(a))
    assert calls == [(1, 3), (2, 3), (3, 3)]
    assert plain.images == 3
    assert plain.radii[0.5] <= plain.radii[0.9] <= plain.radii[0.95] <= 10 * math.sqrt(2)
    singles = [effective_receptive_field(load_default("plain"), [image]) for image in images]
    assert plain.radii[0.95] <= max(single.radii[0.95] for single in singles)
    imdn = effective_receptive_field(load_network(shared / "weights" / "imdn-x4.pth"), images)
    assert imdn.radii[0.95] > plain.radii[0.95]


def test_effective_field_of_a_flat_map_has_no_finite_sigma() -> None:
    class Mean(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return nn.functional.interpolate(x.mean(dim=(2, 3), keepdim=True).expand_as(x), scale_factor=2)

    assert effective_receptive_field(Network.wrap(Mean(), scale=2), [torch.rand(3, 12, 12)]).sigma == math.inf


def test_effective_field_refuses_what_it_cannot_average() -> None:
    network = convolution(1)
    with pytest.raises(SettingError, match="at least one image"):
        effective_receptive_field(network, [])
    with pytest.raises(ImageError, match="one size"):
        effective_receptive_field(network, [torch.rand(3, 8, 8), torch.rand(3, 8, 9)])
    with pytest.raises(WindowError):
        effective_receptive_field(network, [torch.rand(3, 8, 8)], size=17)
    nn.init.zeros_(next(network.module.parameters()))
    with pytest.raises(ZeroMapError):
        effective_receptive_field(network, [torch.rand(3, 8, 8)])


def test_the_central_window_lies_on_the_grid() -> None:
    assert central_window(9, 12, 4, 4) == Window(16, 24, 4, 4)
    assert central_window(8, 8, 4, 16) == Window(10, 10, 16, 16)
    with pytest.raises(SettingError):
        central_window(8, 8, 4, 0)


def test_crops() -> None:
    image = sample_image()
    cut = crops(image, 16, 5, seed=3)
    assert [tuple(crop.shape) for crop in cut] == [(3, 16, 16)] * 5
    assert all(torch.equal(a, b) for a, b in zip(cut, crops(image, 16, 5, seed=3), strict=True))
    assert not torch.equal(cut[0], crops(image, 16, 1, seed=4)[0])
    assert torch.equal(crops(image, 256, 1)[0], image)
    with pytest.raises(ImageTooSmallError, match="no square of 257"):
        crops(image, 257, 1)
    with pytest.raises(SettingError):
        crops(image, 0, 1)
