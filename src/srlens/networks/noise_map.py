"""The level of the noise as one channel more, for denoisers that are told it (DRUNet, FFDNet)."""

import torch
from torch import Tensor

#: σ in 8-bit grey levels that such a network is told where nobody says another.
UNTOLD_NOISE = 15.0


def told_level(level: float | None) -> float:
    """What a network is told of that level; None: nobody said one."""
    return UNTOLD_NOISE if level is None else level


def with_noise_map(x: Tensor, level: float | None, value_range: float) -> Tensor:
    """N×C×h×w of that value range with the level, σ in 8-bit grey levels, as a last channel."""
    noise = x.new_full((x.shape[0], 1, *x.shape[-2:]), told_level(level) / 255 * value_range)
    return torch.cat([x, noise], dim=1)
