"""The example of a one-step network: a UNet of diffusers at a fixed time between the two halves of a VAE."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import srlens
from srlens.networks.sampler import Noise

diffusers = pytest.importorskip("diffusers", reason="needs srlens[diffusion]")

ROOT = Path(__file__).resolve().parents[3]
EXAMPLE = ROOT / "examples" / "one_step.py"
TIME, KEPT = 999, 0.3
WINDOW = srlens.Window(top=8, left=8, height=8, width=8)


@pytest.fixture(scope="module")
def example() -> Any:
    spec = importlib.util.spec_from_file_location("one_step", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def halves() -> tuple[Any, Any]:
    torch.manual_seed(0)
    vae = diffusers.AutoencoderKL(
        block_out_channels=(32, 32, 32), latent_channels=4, scaling_factor=0.5,
        down_block_types=("DownEncoderBlock2D",) * 3, up_block_types=("UpDecoderBlock2D",) * 3,
    ).eval()  # fmt: skip
    unet = diffusers.UNet2DModel(
        block_out_channels=(32, 32), in_channels=4, out_channels=4, layers_per_block=1,
        down_block_types=("DownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "UpBlock2D"),
    ).eval()  # fmt: skip
    return vae.requires_grad_(False), unet.requires_grad_(False)


@pytest.fixture
def image() -> Tensor:
    return torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(1))


class Written(nn.Module):
    """The same as such networks are written down: a drawn code comes from the VAE itself, by torch's generator."""

    def __init__(self, vae: Any, unet: Any, *, drawn: bool = True) -> None:
        super().__init__()
        self.vae, self.unet, self.drawn = vae, unet, drawn

    def forward(self, image: Tensor) -> Tensor:
        large = nn.functional.interpolate(2 * image - 1, scale_factor=4, mode="bicubic")
        code = self.vae.encode(large).latent_dist
        latent = 0.5 * (code.sample() if self.drawn else code.mode())
        latent = (latent - (1 - KEPT) ** 0.5 * self.unet(latent, TIME).sample) / KEPT**0.5
        return self.vae.decode(latent / 0.5).sample / 2 + 0.5


def test_the_page_shows_it() -> None:
    assert EXAMPLE.read_text(encoding="utf-8") in (ROOT / "docs" / "sampled-networks.md").read_text(encoding="utf-8")


# A random network of two nodes is far from complete.
@pytest.mark.filterwarnings("ignore::srlens.errors.IncompleteWarning")
def test_the_mode_is_explained_like_any_network(example: Any, halves: tuple[Any, Any], image: Tensor) -> None:
    sampler = example.OneStep(*halves, time=TIME, kept=KEPT)
    network = srlens.Network.from_sampler(sampler, scale=4, multiple=2)
    assert torch.equal(network.seeded(1)(image[None]), network(image[None]))
    with pytest.raises(srlens.errors.SettingError, match="draws no noise"):
        srlens.attribute_seeds(network, image, WINDOW, seeds=2)
    result = srlens.attribute(network, image, WINDOW, steps=2)
    written = srlens.Network.wrap(Written(*halves, drawn=False), scale=4, multiple=2)
    expected = srlens.attribute(written, image, WINDOW, steps=2).map
    assert abs(result.map - expected).max() < 1e-3 * abs(expected).max()
    assert result.facts["sampler_steps"] == 1


def test_drawn_codes_stand_still(
    example: Any, halves: tuple[Any, Any], image: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    sampler = example.OneStep(*halves, time=TIME, kept=KEPT, drawn=True)
    network = srlens.Network.from_sampler(sampler, scale=4, multiple=2, seed=3)
    batch = image.expand(2, -1, -1, -1)
    first, second = network(batch)
    torch.testing.assert_close(first, second, rtol=1e-4, atol=1e-5)  # convolutions of two pictures may round otherwise
    assert not torch.allclose(network.seeded(4)(image[None]), first[None], atol=1e-3)
    # With the same noise it is what the VAE's own draw gives.
    monkeypatch.setattr(
        "diffusers.models.autoencoders.vae.randn_tensor", lambda shape, **_: Noise(3)(0, torch.empty(shape))
    )
    torch.testing.assert_close(Written(*halves)(image[None]), first[None], rtol=1e-4, atol=1e-5)


def test_a_module_that_draws_by_itself_is_fixed_too(halves: tuple[Any, Any], image: Tensor) -> None:
    written = Written(*halves)
    network = srlens.Network.from_sampler(written, scale=4, multiple=2, seed=3)
    torch.manual_seed(3)
    expected = written(image[None])
    torch.testing.assert_close(network(image.expand(2, -1, -1, -1))[1:], expected, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(network.seeded(4)(image[None]), expected, atol=1e-3)
