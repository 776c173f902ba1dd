"""What a state dict, or an architecture, tells of scale, depth and reach."""

import math
from collections.abc import Mapping

from torch import Tensor

from srlens.networks.receptive_field import ReceptiveField, Stage


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


def shuffle_scale(state_dict: Mapping[str, Tensor], key: str, channels: int) -> int:
    """Read the scale of one pixel shuffle that gives the image: the convolution before it has channels·scale² maps."""
    return math.isqrt(state_dict[key].shape[0] // channels)


def count_blocks(state_dict: Mapping[str, Tensor], template: str, first: int = 0) -> int:
    """Count the consecutive i ≥ ``first`` for which ``template.format(i)`` is a key."""
    count = 0
    while template.format(first + count) in state_dict:
        count += 1
    return count


def subpixel_receptive_field(radius: int, scale: int) -> ReceptiveField:
    """Receptive field of a trunk, an upsampler of sub-pixel convolutions and one 3×3 convolution on the SR grid.

    ``radius`` is the reach of the trunk in LR pixels; the paper counts it as so many 3×3 convolutions.
    """
    stages, grid = [Stage(1, radius)], 1
    steps = upsampler_steps(scale)
    for step in steps:
        stages.append(Stage(grid, 1))
        grid *= step
    stages.append(Stage(grid, 1))
    return ReceptiveField(stages=tuple(stages), paper=1 + 2 * (radius + len(steps) + 1))
