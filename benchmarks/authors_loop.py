"""A baseline, not srlens: the loop of the authors' demo, restated from its description.

Fifty steps uniform in σ, right Riemann rule, one image a pass, the detector on the whole SR image before it is
cropped, weight gradients computed although nobody reads them, increments as differences of kernels.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as nnf


def _kernels(sigma: float, steps: int, side: int) -> Tensor:
    """Sampled Gaussians for σ, σ − σ/steps, …, 0: (steps + 1)×side×side."""
    axis = torch.arange(side, dtype=torch.float64) - side // 2
    squared = axis[:, None] ** 2 + axis[None, :] ** 2
    sigmas = torch.linspace(sigma, 0, steps + 1, dtype=torch.float64) + 1e-5
    kernels = torch.exp(-squared / (2 * sigmas[:, None, None] ** 2))
    return kernels / kernels.sum(dim=(1, 2), keepdim=True)


def _filtered(image: Tensor, kernel: Tensor) -> Tensor:
    radius = kernel.shape[-1] // 2
    padded = nnf.pad(image[:, None], (radius,) * 4, mode="reflect")
    return nnf.conv2d(padded, kernel[None, None])[:, 0]


def authors_map(
    module: nn.Module, image: Tensor, window: tuple[int, int, int], *, value_range: float, steps: int = 50
) -> Tensor:
    """The signed map, C×h×w float64, of the window (top, left, size); ``image`` is C×h×w in [0, 1] on any device."""
    top, left, size = window
    device = image.device
    image = image.double().cpu()
    kernels = _kernels(1.2, steps, 9)
    total = torch.zeros_like(image)
    for k in range(steps):
        x = _filtered(image, kernels[k + 1]).float()[None].to(device).requires_grad_(True)
        sr = module(x * value_range) / value_range
        dy = sr[:, :, :-1, :-1] - sr[:, :, 1:, :-1]
        dx = sr[:, :, :-1, :-1] - sr[:, :, :-1, 1:]
        magnitude = torch.sqrt(dy**2 + dx**2)
        module.zero_grad()
        magnitude[:, :, top : top + size, left : left + size].sum().backward()
        assert x.grad is not None
        gradient = torch.nan_to_num(x.grad[0].double().cpu())  # the demo's silence about NaN
        total += gradient * _filtered(image, kernels[k + 1] - kernels[k])
    return total
