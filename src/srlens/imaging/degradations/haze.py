"""Haze, by the scattering model of Koschmieder: ``J·t + A·(1 − t)``, ``t = exp(−β·depth)``."""

import math

import torch
from torch import Tensor

from srlens.errors import ImageError
from srlens.imaging.degradation import Degradation
from srlens.imaging.plane import read_plane


def _haze(clean: Tensor, _: int, level: float, seed: int, airlight: float, depth: str) -> Tensor:  # noqa: ARG001
    if not depth:
        transmission = torch.tensor(math.exp(-level), dtype=torch.float64)
    else:
        transmission = torch.exp(-level * torch.from_numpy(read_plane(depth)))
        if transmission.shape != clean.shape[-2:]:
            sizes = f"{tuple(transmission.shape)}, the picture {tuple(clean.shape[-2:])}"
            raise ImageError(f"The map of depth {depth} is {sizes}.")
    transmission = transmission.to(clean)
    return clean * transmission + airlight * (1 - transmission)


ENTRY = Degradation(
    "haze",
    "light scattered on its way: airlight A in [0, 1]; depth 1 everywhere, or that of depth=FILE",
    _haze,
    task="dehazing",
    level="β, per unit of depth",
    reference_name="hazy picture",
    usual=1,
    settings={"airlight": 0.8, "depth": ""},
)
