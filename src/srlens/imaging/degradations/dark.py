"""Darkness: a gain and a gamma, with noise if that is asked for."""

from torch import Tensor

from srlens.errors import SettingError
from srlens.imaging.degradation import Degradation, white_noise


def _darken(clean: Tensor, _: int, level: float, seed: int, gamma: float, noise: float) -> Tensor:
    if gamma <= 0:
        raise SettingError(f"gamma of darkness must be above 0, got {gamma:g}.")
    picture = level * clean.clamp(0, 1) ** gamma
    return picture + white_noise(clean, noise, seed) if noise else picture


ENTRY = Degradation(
    "dark",
    "less light: gain · picture^gamma; noise: σ in 8-bit grey levels, not clipped",
    _darken,
    task="low-light enhancement",
    level="gain",
    reference_name="dark picture",
    seeded=True,
    usual=0.2,
    most=1,
    settings={"gamma": 1.0, "noise": 0.0},
)
