"""Deblurring by half-quadratic splitting around a denoiser, as a network like any other."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import srlens
from srlens.errors import SettingError
from srlens.imaging.degradations.blur import blurred, gaussian_kernel
from srlens.imaging.samples import sample_image
from srlens.measures.quality import psnr

KERNEL = gaussian_kernel(1.0)


def test_without_a_denoiser_it_is_the_fixed_point_of_the_inverse() -> None:
    """With the identity as denoiser each iteration is x ← (K* y + h x) / (|K|² + h), in closed form."""
    module = nn.Conv2d(3, 3, 1, bias=False, dtype=torch.float64)
    nn.init.dirac_(module.weight)
    network = srlens.plug_and_play(srlens.Network.wrap(module, scale=1), KERNEL, iterations=3, noise=5, first=20)
    y = torch.rand(1, 3, 24, 31, dtype=torch.float64)
    kernel = np.zeros((24, 31))
    kernel[: KERNEL.shape[0], : KERNEL.shape[1]] = KERNEL
    transfer = np.fft.fft2(np.roll(kernel, (-(KERNEL.shape[0] // 2), -(KERNEL.shape[1] // 2)), (0, 1)))
    x = np.fft.fft2(y.numpy())
    for level in np.geomspace(20, 5, 3):
        hold = 0.23 * (5 / level) ** 2
        x = (np.conj(transfer) * np.fft.fft2(y.numpy()) + hold * x) / (np.abs(transfer) ** 2 + hold)
    assert np.allclose(network(y).detach().numpy(), np.fft.ifft2(x).real, atol=1e-10)


def test_a_blur_without_noise_is_undone() -> None:
    clean = sample_image("pagoda")[:, 100:164, 100:164]
    observed = blurred(clean, KERNEL, "circular")
    network = srlens.plug_and_play(srlens.Network.wrap(nn.Identity(), scale=1), KERNEL, iterations=30, noise=0.1)
    assert psnr(network.upscale(observed), clean, border=0) > psnr(observed, clean, border=0) + 8


def test_the_level_falls_and_is_told() -> None:
    levels = []

    class Denoiser(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            levels.append(255 * float(x[0, 3, 0, 0]))
            return x[:, :3]

    denoiser = srlens.Network.wrap(Denoiser(), scale=1, noise_map=True)
    srlens.plug_and_play(denoiser, KERNEL, iterations=3, noise=4, first=36)(torch.rand(1, 3, 16, 16))
    assert levels == pytest.approx([36, 12, 4], rel=1e-5)


def test_it_takes_steps_without_noise() -> None:
    network = srlens.plug_and_play(srlens.Network.wrap(nn.Conv2d(3, 3, 3, padding=1), scale=1), KERNEL, iterations=4)
    image, window = torch.rand(3, 16, 18), srlens.Window(4, 4, 6, 6)
    report = srlens.sampler_report(network, image, window)
    assert len([norm for norm in report.gradient_norms if norm]) == 5
    assert srlens.attribute(network, image, window, steps=2).facts == {"sampler_steps": 4, "last_steps": None}
    with pytest.raises(SettingError, match="draws no noise"):
        srlens.attribute_seeds(network, image, window)


def test_what_cannot_be() -> None:
    identity = srlens.Network.wrap(nn.Identity(), scale=1)
    cases: list[tuple[Any, dict[str, Any], str]] = [
        (np.ones((2, 3)), {}, "odd sides"),
        (-np.ones((3, 3)), {}, "odd sides"),
        (KERNEL, {"noise": 0}, "above 0"),
        (KERNEL, {"noise": 50, "first": 10}, "at least as large"),
        (KERNEL, {"iterations": 0}, "iterations must be a whole number"),
    ]
    for kernel, settings, words in cases:
        with pytest.raises(SettingError, match=words):
            srlens.plug_and_play(identity, kernel, **settings)
    with pytest.raises(SettingError, match="scale 1"):
        srlens.plug_and_play(srlens.load_default("plain"), KERNEL)
    with pytest.raises(SettingError, match="larger than the picture"):
        srlens.plug_and_play(identity, KERNEL)(torch.rand(1, 3, 5, 5))


@pytest.mark.shared
def test_with_a_published_denoiser_it_deblurs_and_is_explained(shared: Path) -> None:
    denoiser = srlens.load_network(shared / "restoration/weights/dncnn-color-blind.pth")
    network = srlens.plug_and_play(denoiser, KERNEL, iterations=3)
    subject = srlens.Subject.from_hr(
        sample_image("pagoda")[:, 100:140, 100:140], 1, name="pagoda", degradation="blur:1,border=circular,noise=2.55"
    )
    row = srlens.compare([network], subject, srlens.Window(16, 16, 8, 8), steps=1, regional=False).rows[0]
    gain = row.psnr_image - row.as_reference.psnr_image
    print(f"\nplug-and-play: {row.as_reference.psnr_image:.2f} dB to {row.psnr_image:.2f} dB", end=" ")
    assert gain > 2
    assert row.result.map.any()
    assert row.network.receptive_field.is_global
    assert network.digest != srlens.plug_and_play(denoiser, gaussian_kernel(1.2), iterations=3).digest
    assert network.digest != denoiser.digest
