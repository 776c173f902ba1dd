"""Plug-and-play deblurring: a loaded denoiser as the prior of a known blur, by half-quadratic splitting.

K. Zhang et al., "Plug-and-Play Image Restoration with Deep Denoiser Prior", IEEE TPAMI 2022, arXiv 2008.13751 (DPIR).
"""
# ruff: noqa: ARG002 - it draws nothing, and is handed noise as every sampler

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from srlens.errors import SettingError
from srlens.imaging.check import check_noise, whole
from srlens.networks.network import Network
from srlens.networks.receptive_field import GLOBAL
from srlens.networks.sampled import SampledModule
from srlens.networks.sampler import Condition, Noise, Sampler

_TRADE_OFF = 0.23  # λ of DPIR


def plug_and_play(
    denoiser: Network,
    kernel: ArrayLike,
    *,
    iterations: int = 8,
    noise: float = 2.55,
    first: float = 49.0,
    name: str | None = None,
) -> Network:
    """Make a network that undoes the circular blur of a kernel (``blur:…,border=circular``).

    Each iteration inverts the blur in the Fourier domain, held near the picture of the iteration before (eq. 6 and 7
    of the paper, λ = 0.23), then denoises at a level that falls geometrically from ``first`` to ``noise``. A denoiser
    with a noise-level map is told that level, a blind one finds it, one for a fixed level keeps its own.

    Args:
        denoiser: of scale 1. It is used as it stands, never copied.
        kernel: h×w of odd sides, values of at least 0; brought to sum 1.
        iterations: at least 1.
        noise: of the blurred picture, σ in 8-bit grey levels, above 0.
        first: of the first iteration, likewise, at least ``noise``.
        name: for captions.

    Raises:
        SettingError: a value out of range, or a network that is no denoiser.
    """
    weights = np.asarray(kernel, dtype=np.float64)
    odd = weights.ndim == 2 and all(side % 2 for side in weights.shape)
    if not odd or not np.isfinite(weights).all() or weights.min() < 0 or weights.sum() <= 0:
        raise SettingError(
            f"kernel must be h×w of odd sides with finite values of at least 0, some above; got shape {weights.shape}."
        )
    if denoiser.scale != 1:
        raise SettingError(f"{denoiser.name} has scale {denoiser.scale}; a denoiser keeps the size, scale 1.")
    if not 0 < check_noise(noise) <= check_noise(first):
        raise SettingError(f"noise (={noise}) must be above 0, and first (={first}) at least as large.")
    count = whole("iterations", iterations)
    module = PlugAndPlay(denoiser, torch.from_numpy(weights / weights.sum()), count, noise, first)
    return Network(
        module=SampledModule(module.to(denoiser.device)),
        scale=1,
        channels=denoiser.channels,
        name=name if name is not None else f"plug-and-play {denoiser.name}",
        family="plug-and-play",
        kind=denoiser.kind,
        colour=denoiser.colour,
        receptive_field=GLOBAL,  # the inverse of the blur
        source=denoiser.source,
    )


class PlugAndPlay(Sampler):
    """Half-quadratic splitting around a denoiser: N×C×h×w in [0, 1] to the same, differentiable.

    Args:
        denoiser: see :func:`plug_and_play`.
        kernel: h×w, sums to 1.
        iterations: how many.
        noise: σ in 8-bit grey levels, of the picture and of the last iteration.
        first: likewise of the first.
    """

    random = False
    kernel: Tensor
    levels: Tensor

    def __init__(self, denoiser: Network, kernel: Tensor, iterations: int, noise: float, first: float) -> None:
        super().__init__()
        self.denoiser = denoiser.module  # so that its weights are this module's too
        self.steps, self.noise = iterations, noise
        self._denoisers = denoiser
        self.register_buffer("kernel", kernel.to(denoiser.dtype))
        self.register_buffer("levels", torch.from_numpy(np.geomspace(first, noise, iterations)))

    def condition(self, image: Tensor, noise: Noise) -> Condition:
        """The picture, the transform of the kernel, and what of it the picture's transform is seen through."""
        transfer = self._transfer(image)
        return image, transfer, transfer.conj() * torch.fft.rfft2(image)

    def begin(self, condition: Condition, noise: Noise) -> Tensor:
        """The picture as it is."""
        return condition[0]

    def step(self, latent: Tensor, index: int, condition: Condition, noise: Noise) -> Tensor:
        """One iteration: the blur inverted near the picture of the iteration before, then denoised."""
        _, transfer, seen = condition
        level = self.levels[index].item()
        hold = _TRADE_OFF * (self.noise / level) ** 2
        inverted = (seen + hold * torch.fft.rfft2(latent)) / (transfer.abs().square() + hold)
        return self._denoised(torch.fft.irfft2(inverted, s=latent.shape[-2:]), level)

    def end(self, latent: Tensor, condition: Condition) -> Tensor:
        """The picture of the last iteration."""
        return latent

    def _denoised(self, picture: Tensor, level: float) -> Tensor:
        # The module of today: a copy of this one, on another device or in another type, has its own.
        current = replace(self._denoisers, module=self.denoiser)
        return (replace(current, noise_level=level) if current.noise_map else current)(picture)

    def _transfer(self, x: Tensor) -> Tensor:
        """The Fourier transform of the kernel on the picture's grid, its middle at the origin."""
        height, width = x.shape[-2:]
        rows, columns = self.kernel.shape
        if rows > height or columns > width:
            raise SettingError(f"The kernel of {rows}×{columns} is larger than the picture of {height}×{width} pixels.")
        padded = nn.functional.pad(self.kernel, (0, width - columns, 0, height - rows)).to(x)
        transfer: Tensor = torch.fft.rfft2(padded.roll((-(rows // 2), -(columns // 2)), (0, 1)))
        return transfer
