"""The shipped denoisers: what the files hold, how far they see, and how well they denoise."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from skimage.restoration import denoise_nl_means
from torch import Tensor, nn

import srlens
from srlens.imaging.samples import sample_image
from srlens.networks.catalog import SHIPPED_FOR, catalog, fetch, file_sha256
from srlens.networks.open import load_default
from srlens.networks.zoo.smalldn import FAMILY, SmallDN
from srlens.networks.zoo.smallsr import NonLocalAttention

NAMES = pytest.mark.parametrize("name", SHIPPED_FOR["denoise"])
SIGMA = 25


@NAMES
def test_the_catalogue_agrees_with_the_files(name: str) -> None:
    entry, network = catalog()[name], load_default(name)
    assert fetch(name).stat().st_size == entry.size <= 500_000
    assert file_sha256(fetch(name)) == entry.sha256
    assert (network.family, network.kind, network.scale) == (entry.family, entry.kind, 1)
    assert (network.padding.minimum, network.padding.multiple) == (8, 2)
    assert str(network.receptive_field.paper or network.receptive_field) == entry.receptive_field
    assert {value.dtype for value in network.module.state_dict().values()} == {torch.float32}
    assert network.name == entry.title == f"srlens-{name}"


@pytest.mark.parametrize("attention", [lambda _: nn.Identity(), lambda i: NonLocalAttention(6, 3 + i)])
def test_any_configuration_is_read_off_its_state_dict(attention) -> None:
    module = SmallDN(attention, 6, 3).eval()
    state = module.state_dict()
    assert FAMILY.detect is not None
    assert FAMILY.detect(state)
    assert not FAMILY.detect({key: value for key, value in state.items() if not key.startswith("noise")})
    x = torch.rand(2, 3, 16, 12)
    with torch.no_grad():
        assert torch.equal(FAMILY.load(dict(state)).eval()(x), module(x))


@NAMES
@pytest.mark.parametrize(("height", "width"), [(8, 8), (9, 31), (97, 50)])
def test_any_size_is_kept(name: str, height: int, width: int) -> None:
    network, image = load_default(name), torch.rand(2, 3, height, width)
    before = image.clone()
    with torch.no_grad():
        clean = network(image)
    assert clean.shape == image.shape
    assert torch.equal(image, before)


@pytest.mark.parametrize("pixel", [(60, 60), (61, 60), (60, 61), (61, 61)])
def test_the_receptive_field_of_the_plain_network_is_exact(pixel: tuple[int, int]) -> None:
    """Twelve 3×3 convolutions on squares of 2×2 pixels: 25 squares, 50 pixels, whichever pixel of its square it is."""
    network = load_default("denoise-plain", dtype=torch.float64)
    x = torch.rand(1, 3, 120, 120, dtype=torch.float64, requires_grad=True)
    row, column = pixel
    (gradient,) = torch.autograd.grad(network(x)[0, :, row, column].sum(), x)
    rows, columns = gradient.abs().sum(dim=(0, 1)).nonzero().T
    for found, place in ((rows, row), (columns, column)):
        expected = network.receptive_field.footprint(place, place + 1, 1, 120)
        assert (int(found.min()), int(found.max()) + 1) == expected == (60 - 24, 60 + 26)


def test_attention_reaches_every_pixel() -> None:
    network = load_default("denoise-nonlocal", dtype=torch.float64)
    assert network.receptive_field.is_global
    x = torch.rand(1, 3, 80, 80, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(network(x)[..., 8:24, 8:24].square().sum(), x)
    assert float((gradient.abs().sum(dim=1) > 0).double().mean()) > 0.99


def psnr_rgb(a: Tensor, b: Tensor) -> float:
    return float(-10 * (a.clamp(0, 1) - b).double().square().mean().log10())


def denoised(network: srlens.Network, noisy: Tensor) -> Tensor:
    with torch.no_grad():
        return network(noisy[None])[0]


@cache
def hopper() -> tuple[Tensor, Tensor]:
    """A photograph that was not trained on, and the same with noise."""
    clean = sample_image("hopper")[:, 64:192, 64:192]
    return clean, srlens.degrade(clean, f"noise:{SIGMA}")


@NAMES
def test_better_than_non_local_means_at_its_best(name: str) -> None:
    clean, noisy = hopper()
    array, sigma = noisy.permute(1, 2, 0).numpy(), SIGMA / 255
    settings = [(5, 4, 0.6), (5, 5, 0.65), (5, 6, 0.6)]  # the best of 18 on Set5: patch, distance, h in σ
    rivals = [
        denoise_nl_means(array, size, distance, h * sigma, fast_mode=True, sigma=sigma, channel_axis=-1)
        for size, distance, h in settings
    ]
    best = max(psnr_rgb(torch.from_numpy(np.ascontiguousarray(one)).permute(2, 0, 1), clean) for one in rivals)
    assert psnr_rgb(denoised(load_default(name), noisy), clean) >= best + 0.9


@NAMES
@pytest.mark.parametrize(("sigma", "least"), [(15, 5.0), (50, 9.0)])
def test_blind_over_the_whole_range(name: str, sigma: int, least: float) -> None:
    clean, _ = hopper()
    noisy = srlens.degrade(clean, f"noise:{sigma}", seed=1)
    assert psnr_rgb(denoised(load_default(name), noisy), clean) >= psnr_rgb(noisy, clean) + least


@pytest.mark.shared
@NAMES
def test_set5_beside_dncnn(name: str, shared: Path) -> None:
    """Within 1.5 dB of a published blind denoiser of 2.6 MB, on pictures that neither saw."""
    rival = srlens.load_network(shared / "restoration/weights/dncnn-color-blind.pth")
    gaps = []
    for file in ("butterfly", "bird"):
        clean = srlens.read_image(shared / f"images/Set5/HR/{file}.png")[:, 40:168, 40:168]
        noisy = srlens.degrade(clean, f"noise:{SIGMA}")
        gaps.append(psnr_rgb(denoised(rival, noisy), clean) - psnr_rgb(denoised(load_default(name), noisy), clean))
    assert sum(gaps) / len(gaps) < 1.5
