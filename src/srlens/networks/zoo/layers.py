"""Layers and state-dict readings that several network families share."""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from srlens.errors import SettingError
from srlens.networks.receptive_field import ReceptiveField, Stage

DIV2K_MEAN = (0.4488, 0.4371, 0.4040)
"""Average R, G, B of the DIV2K training images, in [0, 1]. For new modules: a checkpoint brings its own."""


class MeanShift(nn.Conv2d):
    """Adds a constant per channel, as the 1×1 convolution that published files hold; never trained.

    Takes and gives N×C×h×w. State-dict keys: ``weight`` (C×C×1×1, the identity) and ``bias`` (C).
    """

    def __init__(self, shift: Sequence[float]) -> None:
        channels = len(shift)
        super().__init__(channels, channels, 1)
        self.requires_grad_(False)
        nn.init.dirac_(self.weight)
        if self.bias is not None:
            self.bias.copy_(torch.tensor(shift))


def channel_means(channels: int, value_range: float = 1.0) -> tuple[float, ...]:
    """Scale the DIV2K mean to ``value_range``; for other than three channels, repeat the average of all."""
    means = DIV2K_MEAN if channels == 3 else (sum(DIV2K_MEAN) / 3,) * channels
    return tuple(value_range * mean for mean in means)


def range_of_shift(bias: Tensor) -> float:
    """Tell the value range (1.0 or 255.0) that a mean shift was made for: means lie near 0.4 of the range."""
    return 255.0 if float(bias.abs().max()) > 2.0 else 1.0


class Upsampler(nn.Sequential):
    """Sub-pixel convolution as in EDSR: N×C×h×w to N×C×sh×sw.

    A power of two is climbed in steps of two (3×3 convolutions at keys ``0``, ``2``, ``4``, each before a
    pixel shuffle); three is one step (key ``0``).
    """

    def __init__(self, scale: int, width: int, bias: bool = True) -> None:
        layers: list[nn.Module] = []
        for step in upsampler_steps(scale):
            layers += [nn.Conv2d(width, width * step**2, 3, padding=1, bias=bias), nn.PixelShuffle(step)]
        super().__init__(*layers)


def upsampler_steps(scale: int) -> tuple[int, ...]:
    """Factor a scale as an upsampler does: twos for a power of two, ``(3,)`` for three, empty for one."""
    if scale == 3:
        return (3,)
    if scale < 1 or scale & (scale - 1):
        raise ValueError(f"scale must be 3 or a power of two, not {scale}")
    return (2,) * (scale.bit_length() - 1)


def upsampler_scale(state_dict: Mapping[str, Tensor], prefix: str, width: int, stride: int = 2) -> int:
    """Read the scale of sub-pixel convolutions at keys ``prefix.0``, ``prefix.stride``, … of a state dict.

    ``width`` is the number of maps between them; the kernels alone do not tell it where they are grouped.
    """
    scale, index = 1, 0
    while (weight := state_dict.get(f"{prefix}.{index}.weight")) is not None:
        scale *= math.isqrt(weight.shape[0] // width)
        index += stride
    return scale


def count_blocks(state_dict: Mapping[str, Tensor], template: str, first: int = 0) -> int:
    """Count the consecutive i ≥ ``first`` for which ``template.format(i)`` is a key."""
    count = 0
    while template.format(first + count) in state_dict:
        count += 1
    return count


def subpixel_receptive_field(radius: int, scale: int) -> ReceptiveField:
    """Receptive field of a trunk, an :class:`Upsampler` and one 3×3 convolution on the SR grid behind it.

    ``radius`` is the reach of the trunk in LR pixels; the paper counts it as so many 3×3 convolutions.
    """
    stages, grid = [Stage(1, radius)], 1
    steps = upsampler_steps(scale)
    for step in steps:
        stages.append(Stage(grid, 1))
        grid *= step
    stages.append(Stage(grid, 1))
    return ReceptiveField(stages=tuple(stages), paper=1 + 2 * (radius + len(steps) + 1))


def checked_scale(scale: int, scales: Sequence[int]) -> int:
    """Return ``scale``, or raise :class:`~srlens.errors.SettingError` where a network does not hold it."""
    if scale not in scales:
        raise SettingError(f"This network holds the scales {', '.join(map(str, scales))}, not {scale}.")
    return scale
