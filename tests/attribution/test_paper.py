"""The paper preset against a plain re-statement of Gu & Dong (2021), written from the formulas alone."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import srlens
from srlens.measures.concentration import shifted_diffusion_index


def paper_kernel(sigma: float) -> np.ndarray:
    """9×9 sampled Gaussian exp(−(x² + y²) / 2(σ + 1e-5)²), normalised."""
    kernel = np.zeros((9, 9))
    for y in range(9):
        for x in range(9):
            kernel[y, x] = math.exp(-((x - 4) ** 2 + (y - 4) ** 2) / (2 * (sigma + 1e-5) ** 2))
    return kernel / kernel.sum()


def paper_filter(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Correlation with reflection that does not repeat the edge pixel (reflect-101)."""
    padded = np.pad(image, ((0, 0), (4, 4), (4, 4)), mode="reflect")
    out = np.zeros_like(image)
    for y in range(9):
        for x in range(9):
            out += kernel[y, x] * padded[:, y : y + image.shape[1], x : x + image.shape[2]]
    return out


def paper_detector(sr: Tensor, top: int, left: int, side: int) -> Tensor:
    """Magnitude of forward differences on the whole SR image, (H−1)×(W−1), summed over window and channels."""
    dy = sr[:, :-1, :-1] - sr[:, 1:, :-1]
    dx = sr[:, :-1, :-1] - sr[:, :-1, 1:]
    magnitude = torch.sqrt(dy**2 + dx**2)
    return magnitude[:, top : top + side, left : left + side].sum()


def paper_map(module: nn.Module, image: np.ndarray, top: int, left: int, side: int) -> tuple[np.ndarray, float, float]:
    steps, sigma = 50, 1.2
    kernels = [paper_kernel(sigma - sigma * k / steps) for k in range(steps + 1)]
    total = np.zeros_like(image)
    values = []
    for k in range(1, steps + 1):
        x = torch.from_numpy(paper_filter(image, kernels[k])).requires_grad_(True)
        value = paper_detector(module(x[None])[0], top, left, side)
        value.backward()
        total += x.grad.numpy() * paper_filter(image, kernels[k] - kernels[k - 1])
        values.append(value.item())
    baseline = torch.from_numpy(paper_filter(image, kernels[0]))
    return total, values[-1], paper_detector(module(baseline[None])[0], top, left, side).item()


def paper_diffusion_index(signed: np.ndarray) -> float:
    """(1 − Gini)·100 of the max-normalised absolute map with 1e-7 on every pixel, by the double sum."""
    g = np.abs(signed.sum(axis=0)).ravel()
    g = g / g.max() + 1e-7
    gini = np.abs(g[:, None] - g[None, :]).sum() / (2 * g.size**2 * g.mean())
    return (1 - gini) * 100


@pytest.mark.parametrize("activation", [nn.ReLU, nn.GELU])
@pytest.mark.parametrize(("top", "left"), [(9, 4), (0, 0), (24, 28)], ids=["inside", "first corner", "last corner"])
def test_paper_preset_is_the_papers_algorithm(make_network, activation, top: int, left: int) -> None:
    network = make_network(activation)
    image = torch.rand(3, 16, 18, dtype=torch.float64)
    expected, at_image, at_baseline = paper_map(network.module, image.numpy(), top, left, 8)
    result = srlens.attribute(network, image, srlens.Window.square(top, left, 8), preset="paper")
    assert np.abs(result.map - expected).max() <= 1e-10 * np.abs(expected).max()
    assert result.detector_at_image == pytest.approx(at_image, rel=1e-10)
    assert result.detector_at_baseline == pytest.approx(at_baseline, rel=1e-10)
    assert result.diffusion_index == pytest.approx(paper_diffusion_index(expected), rel=1e-10)
    assert result.evaluations == 50
    assert result.method.shifted_index


def test_shift_of_the_paper_preset_is_the_papers_alone(make_network, image) -> None:
    window = srlens.Window.square(9, 4, 8)
    paper = srlens.attribute(make_network(), image, window, preset="paper")
    assert paper.diffusion_index == shifted_diffusion_index(paper.map)
    default = srlens.attribute(make_network(), image, window)
    assert not default.method.shifted_index
    assert default.diffusion_index == srlens.diffusion_index(default.map)


def test_settings_beside_the_preset_take_precedence_and_are_told(make_network, image) -> None:
    window = srlens.Window.square(9, 4, 8)
    result = srlens.attribute(
        make_network(),
        image,
        window,
        preset="paper",
        steps=7,
        path=srlens.ProgressiveBlur(1.0, 7),
        detector="intensity",
    )
    assert result.evaluations == 7
    assert result.method.preset_text == "paper, but steps and detector and path"
    assert result.method.shifted_index
    plain = srlens.attribute(make_network(), image, window, preset="paper")
    assert plain.method.preset_text == "paper"
    assert "paper preset" in plain.conditions
    assert "50 steps" in plain.conditions
