"""Denoisers whose map is known: a Gaussian filter in closed form, a network that looks at single pixels."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import srlens
from srlens.attribution.blur import blur
from srlens.errors import SettingError
from srlens.imaging.degradations.blur import gaussian_kernel
from srlens.imaging.degrade import degrade
from srlens.imaging.samples import sample_image

WINDOW = srlens.Window(14, 18, 8, 6)


def gaussian_denoiser(sigma: float = 1.3) -> tuple[srlens.Network, np.ndarray]:
    kernel = gaussian_kernel(sigma)
    radius = kernel.shape[0] // 2
    module = nn.Conv2d(3, 3, kernel.shape[0], padding=radius, groups=3, bias=False, dtype=torch.float64)
    module.weight.data[:] = torch.from_numpy(kernel)
    return srlens.Network.wrap(module, scale=1, name="Gaussian"), kernel


def pictures() -> tuple[torch.Tensor, torch.Tensor]:
    clean = sample_image("pagoda")[:, 120:160, 120:168].double()
    return degrade(clean, "noise:25", seed=1), clean


@pytest.mark.parametrize("path", ["progressive-blur", "linear-blur", "linear-black", "linear-clean"])
def test_the_map_of_a_linear_denoiser_is_the_increment_times_the_filtered_window(path: str) -> None:
    """Of D = Σ_window F(I) and F = k ⊗ I the map is (I − I')_i Σ_window k, whatever the path."""
    network, kernel = gaussian_denoiser()
    observed, clean = pictures()
    result = srlens.attribute(network, observed, WINDOW, clean=clean, detector="intensity", path=path, steps=8)
    indicator = torch.zeros(1, 1, *observed.shape[-2:], dtype=torch.float64)
    indicator[..., WINDOW.top : WINDOW.bottom, WINDOW.left : WINDOW.right] = 1
    weight = nn.functional.conv2d(indicator, torch.from_numpy(kernel)[None, None], padding=kernel.shape[0] // 2)[0]
    baseline = {"linear-black": torch.zeros_like(observed), "linear-clean": clean}.get(
        path, blur(observed, torch.tensor([1.2], dtype=torch.float64), 9)[0]
    )
    expected = ((observed - baseline) * weight).numpy()
    # A progressive path is integrated by increments, which add up to I − I' exactly where the gradient is constant.
    assert np.allclose(result.map, expected, atol=1e-12)


@pytest.mark.parametrize("detector", ["error", "residual", "gradient"])
def test_the_map_from_the_clean_picture_sums_to_what_the_degradation_did(detector: str) -> None:
    network, _ = gaussian_denoiser()
    observed, clean = pictures()
    result = srlens.attribute(network, observed, WINDOW, clean=clean, detector=detector, path="linear-clean", steps=200)
    assert result.completeness_gap < 2e-3  # edges of the gradient detector are kinks
    assert result.detector_at_baseline != result.detector_at_image
    assert "linear-clean" in result.conditions
    assert srlens.Method.from_record(result.method.to_record()).to_record() == result.method.to_record()


@pytest.mark.parametrize("method", ["lam", "gradient", "occlusion"])
def test_a_network_of_single_pixels_uses_the_window_alone(method: str) -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, 8, 1), nn.GELU(), nn.Conv2d(8, 3, 1)).double()
    network = srlens.Network.wrap(module, scale=1)
    observed, clean = pictures()
    settings: dict[str, Any] = {"block": 2} if method == "occlusion" else {}
    result = srlens.attribute(network, observed, WINDOW, method, detector="intensity", clean=clean, **settings)
    inside = np.zeros(observed.shape[-2:], dtype=bool)
    inside[WINDOW.top : WINDOW.bottom, WINDOW.left : WINDOW.right] = True
    assert result.absolute[inside].any()
    assert not result.map[:, ~inside].any()


def test_occlusion_by_the_clean_picture() -> None:
    """Of a linear detector a pixel's effect is its own change, times the filtered window."""
    network, _ = gaussian_denoiser()
    observed, clean = (picture[:, 8:28, 12:32] for picture in pictures())
    settings: dict[str, Any] = {"clean": clean, "detector": "intensity"}
    window = srlens.Window(6, 7, 8, 6)
    occluded = srlens.attribute(network, observed, window, "occlusion", block=1, fill="clean", **settings)
    path = srlens.attribute(network, observed, window, path="linear-clean", steps=2, **settings)
    assert np.allclose(occluded.map.sum(axis=0), path.map.sum(axis=0), atol=1e-10)


def test_the_clean_picture_must_be_there_and_of_the_size() -> None:
    network, _ = gaussian_denoiser()
    observed, _ = pictures()
    with pytest.raises(SettingError, match="needs the clean picture"):
        srlens.attribute(network, observed, WINDOW, path="linear-clean")
    enlarging = srlens.Network.wrap(nn.Upsample(scale_factor=2), scale=2)
    with pytest.raises(SettingError, match="networks that keep the size"):
        srlens.attribute(enlarging, observed, WINDOW, path="linear-clean", clean=torch.rand(3, 80, 96))
    with pytest.raises(SettingError, match="can fade"):
        srlens.attribute(network, observed, WINDOW, path="progressive-clean")


def test_the_question_in_words() -> None:
    asked = {
        "lam": srlens.Method("lam").question,
        "clean": srlens.Method("lam", path="linear-clean", detector="error").question,
        "gradient": srlens.Method("gradient", detector="residual").question,
        "occlusion": srlens.Method("occlusion", fill="mean").question,
    }
    assert asked == {
        "lam": "to which input pixels does the window owe its edges and texture, compared with the blurred input?",
        "clean": "to which input pixels does the window owe its error against the clean picture, compared with the "
        "clean picture as input (what the degradation did)?",
        "gradient": "how does the window change, in its change against doing nothing, with each input pixel?",
        "occlusion": "how does the window change, in its edges and texture, where a block of the input becomes that of "
        "an input of its mean colour?",
    }
