"""The shipped diffusion network: what its file holds, how it samples, and how well it enlarges."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

import srlens
from srlens.imaging.files import read_image
from srlens.imaging.resample import bicubic_upscale
from srlens.measures.quality import psnr
from srlens.networks.catalog import catalog, fetch, file_sha256
from srlens.networks.open import load_default
from srlens.networks.sampler import Condition, Noise
from srlens.networks.zoo.smalldiffusion import STEPS, UNIT, SmallDiffusion, enlarge


def test_the_catalogue_agrees_with_the_file() -> None:
    entry, network = catalog()["diffusion"], load_default("diffusion")
    assert fetch("diffusion").stat().st_size == entry.size <= 4_000_000
    assert file_sha256(fetch("diffusion")) == entry.sha256
    assert (network.family, network.kind, network.scale, network.name) == (entry.family, entry.kind, 4, entry.title)
    assert (network.padding.minimum, network.padding.multiple) == (8, 2)
    assert {value.dtype for value in network.module.state_dict().values()} == {torch.float32}


def test_the_encoder_is_the_plain_network() -> None:
    plain, encoder = load_default("plain").module, load_default("diffusion").module.sampler.encoder
    assert all(torch.equal(value, encoder.state_dict()[key]) for key, value in plain.state_dict().items())
    image = torch.rand(1, 3, 12, 10)
    sampler = load_default("diffusion").module.sampler
    condition = sampler.encode(image)
    # Its estimate, taken for the residual, is what the plain network makes.
    torch.testing.assert_close(sampler.end(condition[2], condition), plain(image))


def test_steps_of_a_known_velocity_end_at_the_residual(monkeypatch: pytest.MonkeyPatch) -> None:
    sampler, image = SmallDiffusion().double(), torch.rand(2, 3, 8, 10, dtype=torch.float64)
    condition, noise = sampler.encode(image), Noise(3)
    residual = torch.rand_like(condition[2])
    start = sampler.begin(condition, noise)

    def velocity(latent: Tensor, angle: Tensor, _: Condition) -> Tensor:
        return torch.cos(angle)[:, None, None, None] * start - torch.sin(angle)[:, None, None, None] * residual

    monkeypatch.setattr(sampler, "velocity", velocity)
    latent = start
    for index in range(STEPS):
        latent = sampler.step(latent, index, condition, noise)
        angle = math.pi / 2 * (1 - (index + 1) / STEPS)
        torch.testing.assert_close(latent, math.cos(angle) * residual + math.sin(angle) * start, rtol=0, atol=1e-12)
    expected = enlarge(image) + UNIT * torch.nn.functional.pixel_shuffle(residual, 4)
    torch.testing.assert_close(sampler.end(latent, condition), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("height", "width"), [(8, 8), (9, 31)])
def test_any_size_is_enlarged(height: int, width: int) -> None:
    with torch.no_grad():
        assert load_default("diffusion")(torch.rand(2, 3, height, width)).shape == (2, 3, 4 * height, 4 * width)


def test_every_part_reaches_the_output() -> None:
    """Attention too: what it was trained to add is not nothing."""
    network, image = load_default("diffusion"), torch.rand(1, 3, 16, 16)
    with torch.no_grad():
        whole = network(image)
        for layer in network.module.sampler.attend:
            layer.attention.to_out.weight.zero_()
            layer.attention.to_out.bias.zero_()
        assert (network(image) - whole).abs().max() > 1e-3


@pytest.mark.shared
def test_one_sample_is_nearer_to_the_truth_than_bicubic(shared: Path) -> None:
    network = load_default("diffusion")
    scores = []
    for name in ("bird", "butterfly", "woman"):
        hr = read_image(shared / f"images/Set5/HR/{name}.png").float()
        lr = read_image(shared / f"images/Set5/LRx4/{name}x4.png").float()
        hr = hr[:, : 4 * lr.shape[1], : 4 * lr.shape[2]]
        scores.append(
            [psnr(sr.clamp(0, 1), hr, border=4) for sr in (network.render(lr), bicubic_upscale(lr[None], 4)[0])]
        )
    ours, bicubic = np.mean(scores, axis=0)
    assert ours > bicubic + 0.5


def test_attention_is_read() -> None:
    image = torch.rand(3, 16, 18)
    maps = srlens.attention(load_default("diffusion"), image, srlens.Window(20, 24, 16, 16))
    assert maps.sram.shape == (16, 18)
    assert len(maps.layers) == 2
