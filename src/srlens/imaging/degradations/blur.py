"""Blur, by a Gaussian or by a given kernel, with noise if that is asked for."""

from collections.abc import Mapping
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srlens.errors import SettingError
from srlens.imaging.degradation import Degradation, white_noise
from srlens.imaging.plane import read_plane

#: What lies beyond the picture: SciPy's name by ours. Reflection does not repeat the edge pixel.
BORDERS: Mapping[str, Literal["mirror", "wrap"]] = {"reflect": "mirror", "circular": "wrap"}

#: Gaussians are cut off at so many σ.
_REACH = 4.0


def gaussian_kernel(sigma: float) -> NDArray[np.float64]:
    """Sampled Gaussian that sums to 1, (2r+1)×(2r+1) with r = ⌊4σ + 0.5⌋; σ in pixels."""
    radius = int(_REACH * sigma + 0.5)
    line = np.exp(-0.5 * (np.arange(-radius, radius + 1) / max(sigma, 1e-12)) ** 2)
    kernel: NDArray[np.float64] = np.outer(line, line) / line.sum() ** 2
    return kernel


def read_kernel(path: str) -> NDArray[np.float64]:
    """A kernel from a ``.npy`` file or a grey picture, brought to sum 1.

    Raises:
        SettingError: it has an even side, a value below 0, or sums to 0.
        ImageError: it cannot be read.
    """
    kernel = read_plane(path)
    if any(side % 2 == 0 for side in kernel.shape) or kernel.min() < 0 or kernel.sum() <= 0:
        raise SettingError(
            f"The kernel {path} must have odd sides and values of at least 0, some above; cut or pad it."
        )
    kernel /= kernel.sum()
    return kernel


def blurred(clean: Tensor, kernel: NDArray[np.float64], border: str = "reflect") -> Tensor:
    """C×H×W convolved with a kernel, channel by channel, in float64.

    Raises:
        SettingError: no such border.
    """
    from scipy.ndimage import convolve

    if border not in BORDERS:
        raise SettingError(f"The border of a blur must be one of {', '.join(BORDERS)}, got {border!r}.")
    planes = [convolve(plane, kernel, mode=BORDERS[border]) for plane in clean.double().cpu().numpy()]
    return torch.from_numpy(np.stack(planes)).to(clean)


def _blur(clean: Tensor, _: int, level: float, seed: int, kernel: str, border: str, noise: float) -> Tensor:
    if kernel and level:
        raise SettingError(f"A blur is by σ (={level:g}) or by a kernel (={kernel}), not by both.")
    picture = blurred(clean, read_kernel(kernel) if kernel else gaussian_kernel(level), border)
    return picture + white_noise(clean, noise, seed) if noise else picture


ENTRY = Degradation(
    "blur",
    "Gaussian blur, or that of a kernel (kernel=FILE); border reflect or circular; noise: σ in 8-bit grey levels",
    _blur,
    task="deblurring",
    level="σ in pixels",
    reference_name="blurred picture",
    seeded=True,
    usual=1.6,
    settings={"kernel": "", "border": "reflect", "noise": 0.0},
    instead="kernel",
)
