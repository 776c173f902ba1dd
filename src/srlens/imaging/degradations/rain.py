"""Rain: a layer of streaks, added and clipped, as in Rain100 (W. Yang et al., CVPR 2017)."""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srlens.errors import ImageError, SettingError
from srlens.imaging.degradation import Degradation
from srlens.imaging.plane import read_plane


def streaks(height: int, width: int, density: float, seed: int, *, length: float, angle: float) -> Tensor:
    """A layer of rain, height×width in [0, 1]: lines of one length and direction at random places.

    Args:
        height: of the picture.
        width: likewise.
        density: streaks per thousand pixels.
        seed: of places and brightness (0.5–1 of the brightest).
        length: of a streak, in pixels.
        angle: from the vertical, in degrees.
    """
    from scipy.ndimage import convolve

    if length < 1:
        raise SettingError(f"A streak of rain must be at least 1 pixel long, got length={length:g}.")
    random = torch.Generator().manual_seed(seed)
    count = round(density * height * width / 1000)
    places = torch.randint(height * width, (count,), generator=random)
    drops = torch.zeros(height * width, dtype=torch.float64)
    drops[places] = 0.5 + 0.5 * torch.rand(count, generator=random, dtype=torch.float64)
    drawn = convolve(drops.reshape(height, width).numpy(), _line(length, angle), mode="wrap")
    return torch.from_numpy(np.clip(drawn, 0, 1))


def _line(length: float, angle: float) -> NDArray[np.float64]:
    """A line through the middle of a square, one pixel wide with soft edges, 1 where it is full."""
    radius = math.ceil(length / 2)
    down, across = np.mgrid[-radius : radius + 1, -radius : radius + 1].astype(float)
    slant = math.radians(angle)
    along = down * math.cos(slant) + across * math.sin(slant)
    aside = across * math.cos(slant) - down * math.sin(slant)
    beyond = np.maximum(np.abs(along) - (length - 1) / 2, 0)
    line: NDArray[np.float64] = np.clip(1 - np.hypot(aside, beyond), 0, 1)
    return line


def _rain(
    clean: Tensor, _: int, level: float, seed: int, length: float, angle: float, brightness: float, layer: str
) -> Tensor:
    height, width = clean.shape[-2:]
    if not layer:
        fallen = streaks(height, width, level, seed, length=length, angle=angle)
    else:
        fallen = torch.from_numpy(read_plane(layer))
        if fallen.shape != clean.shape[-2:]:
            raise ImageError(
                f"The layer of rain {layer} is {tuple(fallen.shape)}, the picture {tuple(clean.shape[-2:])}."
            )
    return (clean + (brightness * fallen).to(clean)).clamp(0, 1)


ENTRY = Degradation(
    "rain",
    "streaks of rain added, clipped to [0, 1]: length in pixels, angle from the vertical in degrees; or layer=FILE",
    _rain,
    task="deraining",
    level="streaks per thousand pixels",
    reference_name="rainy picture",
    seeded=True,
    usual=4,
    settings={"length": 21.0, "angle": 10.0, "brightness": 0.6, "layer": ""},
    instead="layer",
)
