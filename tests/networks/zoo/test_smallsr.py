from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from skimage.io import imread
from torch import Tensor, nn

from srlens.networks.catalog import SHIPPED_FOR, catalog, fetch, file_sha256
from srlens.networks.open import load_default
from srlens.networks.zoo.smallsr import FAMILY, ChannelAttention, NonLocalAttention, SmallSR

NAMES = pytest.mark.parametrize("name", SHIPPED_FOR["sr"])
WIDE = pytest.mark.parametrize("name", ["channel", "nonlocal"])


def random_image(height: int, width: int, seed: int = 0) -> Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


def gradient_of_window(module: nn.Module, image: Tensor, top: int, left: int, size: int) -> Tensor:
    """Absolute gradient, h×w, of the sum of the image-gradient magnitudes of an SR window."""
    lr = image.clone().requires_grad_()
    sr = module(lr)[:, :, top : top + size + 1, left : left + size + 1]
    down = sr[..., :-1, :-1] - sr[..., 1:, :-1]
    across = sr[..., :-1, :-1] - sr[..., :-1, 1:]
    (gradient,) = torch.autograd.grad((down**2 + across**2 + 1e-12).sqrt().sum(), lr)
    return gradient.sum(dim=1)[0].abs()


def build(name: str) -> nn.Module:
    """The bare module of a shipped network."""
    return load_default(name).module


def test_names() -> None:
    assert SHIPPED_FOR["sr"] == ("plain", "channel", "nonlocal")
    assert catalog()["nonlocal"].title == "srlens-nonlocal-x4"


@NAMES
def test_the_catalogue_agrees_with_the_files(name: str) -> None:
    entry, network = catalog()[name], load_default(name)
    assert fetch(name).stat().st_size == entry.size <= 500_000
    assert file_sha256(fetch(name)) == entry.sha256
    assert (network.family, network.kind, network.scale) == (entry.family, entry.kind, entry.scales[0])
    assert network.padding.minimum == 8
    assert str(network.receptive_field.paper or network.receptive_field) == entry.receptive_field


@NAMES
def test_is_in_evaluation_mode_and_float32(name: str) -> None:
    module = build(name)
    assert not module.training
    assert {value.dtype for value in module.state_dict().values()} == {torch.float32}


@pytest.mark.parametrize("attention", [lambda _: nn.Identity(), lambda i: ChannelAttention(6, 4 + i)])
def test_any_configuration_is_read_off_its_state_dict(reload, attention) -> None:
    reload(FAMILY, SmallSR(attention, 6, 3), 3)


@NAMES
@pytest.mark.parametrize(("height", "width"), [(8, 8), (9, 31), (33, 8), (97, 101)])
def test_any_size_is_enlarged_by_four(name: str, height: int, width: int) -> None:
    with torch.no_grad():
        sr = build(name)(random_image(height, width).expand(2, -1, -1, -1))
    assert sr.shape == (2, 3, 4 * height, 4 * width)
    assert bool(sr.isfinite().all())


@NAMES
def test_same_input_same_output_bit_for_bit(name: str) -> None:
    for image in (torch.zeros(1, 3, 24, 24), random_image(24, 25)):
        before = image.clone()
        with torch.no_grad():
            first, second = build(name)(image), build(name)(image)
        assert torch.equal(first, second)
        assert torch.equal(image, before)


@NAMES
def test_black_stays_nearly_black(name: str) -> None:
    with torch.no_grad():
        sr = build(name)(torch.zeros(1, 3, 24, 24))
    assert float(sr.abs().max()) < 0.1


@NAMES
def test_gradient_is_the_derivative(name: str) -> None:
    module = build(name).double()
    image, direction = random_image(13, 10).double(), random_image(13, 10, seed=1).double()
    lr = image.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(module(lr)[..., 18:22, 18:22].sum(), lr)
    step = 1e-6 * direction
    with torch.no_grad():
        rise = (module(image + step) - module(image - step))[..., 18:22, 18:22].sum() / 2e-6
    assert float((gradient * direction).sum()) == pytest.approx(float(rise), rel=1e-5)


def test_radius_of_the_plain_network_is_exact() -> None:
    module = build("plain")
    assert FAMILY.receptive_field_of(module).true == 21
    radius = 10
    lr = random_image(41, 41).double().requires_grad_()
    # One SR pixel in the LR pixel (20, 20).
    (gradient,) = torch.autograd.grad(module.double()(lr)[0, :, 81, 82].sum(), lr)
    rows, columns = gradient.abs().sum(dim=(0, 1)).nonzero().T
    assert (int(rows.min()), int(rows.max())) == (20 - radius, 20 + radius)
    assert (int(columns.min()), int(columns.max())) == (20 - radius, 20 + radius)


@WIDE
def test_attention_reaches_every_pixel(name: str) -> None:
    module = build(name)
    assert FAMILY.receptive_field_of(module).is_global
    gradient = gradient_of_window(module, random_image(64, 64), 8, 8, 16)
    assert float((gradient > 0).float().mean()) > 0.99


@pytest.mark.parametrize("attention", [ChannelAttention(8, 8), NonLocalAttention(8, 4)])
def test_fresh_attention_is_the_identity(attention: nn.Module) -> None:
    x = torch.randn(2, 8, 13, 30, generator=torch.Generator().manual_seed(0))
    assert torch.equal(attention(x), x)


def test_score_matrix_is_bounded() -> None:
    attention = NonLocalAttention(8, 4, cell=4, grid=24)
    sides = [attention.cell_side(side) for side in (3, 48, 96, 97, 160, 1000)]
    assert sides == [3, 4, 4, 5, 7, 42]


def luma(rgb: np.ndarray) -> np.ndarray:
    """Y of YCbCr, 16 to 235, of 8-bit RGB, H×W×3."""
    return rgb.astype(np.float64) @ np.array([65.481, 128.553, 24.966]) / 255 + 16


@cache
def set5_psnr(name: str, folder: Path) -> float:
    return psnr_of(build(name), folder)


def psnr_of(module: nn.Module, folder: Path) -> float:
    """Mean PSNR over Set5 ×4 in dB: Y channel, four SR pixels of border cut, SR rounded to 8 bit."""
    values = []
    for hr_file in sorted((folder / "HR").glob("*.png")):
        lr = imread(folder / "LRx4" / f"{hr_file.stem}x4.png")
        with torch.no_grad():
            sr = module(torch.from_numpy(lr).permute(2, 0, 1)[None] / 255)[0].permute(1, 2, 0)
        rounded = (sr.clamp(0, 1) * 255).round().numpy()
        hr = imread(hr_file)[: rounded.shape[0], : rounded.shape[1]]
        error = (luma(rounded) - luma(hr))[4:-4, 4:-4]
        values.append(10 * np.log10(255**2 / np.mean(error**2)))
    assert len(values) == 5
    return float(np.mean(values))


@pytest.mark.shared
@NAMES
def test_set5_quality(name: str, shared: Path) -> None:
    assert set5_psnr(name, shared / "images" / "Set5") >= 30.6


@pytest.mark.shared
@WIDE
def test_quality_needs_the_attention(name: str, shared: Path) -> None:
    folder = shared / "images" / "Set5"
    module = build(name)
    for block in module.body:
        block.attention = nn.Identity()
    assert psnr_of(module, folder) < set5_psnr(name, folder) - 0.1


@pytest.mark.shared
@WIDE
def test_attention_does_not_cost_quality(name: str, shared: Path) -> None:
    folder = shared / "images" / "Set5"
    assert set5_psnr(name, folder) >= set5_psnr("plain", folder)


@cache
def share_beyond(name: str, folder: Path) -> float:
    """Mean share of the gradient outside the plain network's receptive field, over three windows."""
    lr = imread(folder / "LRx4" / "butterflyx4.png")
    image = torch.from_numpy(lr).permute(2, 0, 1)[None] / 255
    module, radius = build(name), 10
    shares = []
    for top, left in [(100, 100), (60, 140), (140, 60)]:
        gradient = gradient_of_window(module, image, top, left, 16)
        # A 16-window reads 17×17 SR pixels: five LR pixels a side, and the radius around them.
        rows = slice(top // 4 - radius, top // 4 + 5 + radius)
        columns = slice(left // 4 - radius, left // 4 + 5 + radius)
        shares.append(1 - float(gradient[rows, columns].sum() / gradient.sum()))
    return float(np.mean(shares))


@pytest.mark.shared
def test_plain_network_uses_nothing_beyond_its_receptive_field(shared: Path) -> None:
    assert share_beyond("plain", shared / "images" / "Set5") == pytest.approx(0, abs=1e-6)


@pytest.mark.shared
@WIDE
def test_attention_uses_pixels_beyond_the_convolutions(name: str, shared: Path) -> None:
    assert share_beyond(name, shared / "images" / "Set5") > 0.05
