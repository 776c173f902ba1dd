"""A degradation: salt and pepper. A share of the pixels, the level in percent, is black or white."""

import torch
from torch import Tensor

import srlens


def salt_and_pepper(clean: Tensor, _: int, level: float, seed: int) -> Tensor:
    """C×H×W in [0, 1] to the same, seeded."""
    random = torch.rand(clean.shape[-2:], generator=torch.Generator().manual_seed(seed))
    share = level / 100
    return torch.where(random < share / 2, 0.0, torch.where(random > 1 - share / 2, 1.0, clean))


srlens.add_degradation(
    srlens.Degradation(
        "salt-and-pepper", "pixels that are black or white", salt_and_pepper, level="percent", seeded=True
    )
)
