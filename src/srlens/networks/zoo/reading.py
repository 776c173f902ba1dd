"""What a state dict, or an architecture, tells of scale, depth and reach."""

import math
import re
from collections.abc import Mapping
from fractions import Fraction
from itertools import count

from torch import Tensor

from srlens.networks.receptive_field import ReceptiveField, Stage


def upsampler_steps(scale: int) -> tuple[int, ...]:
    """Factor a scale as an upsampler does: twos for a power of two, ``(3,)`` for three, empty for one."""
    if scale == 3:
        return (3,)
    if scale < 1 or scale & (scale - 1):
        raise ValueError(f"scale must be 3 or a power of two, not {scale}")
    return (2,) * (scale.bit_length() - 1)


def upsampler_scale(state_dict: Mapping[str, Tensor], prefix: str, width: int) -> int:
    """Read the scale of an upsampler: the product over its sub-pixel convolutions, ``prefix.0``, ``prefix.2``, ….

    ``width`` is the number of maps between them; the kernels alone do not tell it where they are grouped.
    """
    key = re.compile(rf"{re.escape(prefix)}\.\d+\.weight")
    return math.prod(math.isqrt(state_dict[k].shape[0] // width) for k in state_dict if key.fullmatch(k))


def count_blocks(state_dict: Mapping[str, Tensor], template: str) -> int:
    """Count the consecutive i, from 0 or from 1, for which ``template.format(i)`` is a key."""
    first = 0 if template.format(0) in state_dict else 1
    return next(i for i in count() if template.format(first + i) not in state_dict)


def read_sizes(
    state_dict: Mapping[str, Tensor], entry: str, *, scale: str = "", copies: int = 1, **layers: str
) -> dict[str, int]:
    """Read the arguments of a network off the shapes of its convolutions.

    Args:
        state_dict: of the network.
        entry: the first layer: its inputs are the ``channels``, its outputs the ``width``.
        scale: the convolution before the only pixel shuffle, or else an upsampler, which give the ``scale``; it is
            not read where this is empty.
        copies: how many copies of the image the first layer is fed.
        **layers: for every other argument the layer that has so many outputs; or, with ``{}`` for a number, a layer
            of each of so many blocks.

    Raises:
        KeyError: there is no such layer.
    """
    width, inputs = state_dict[f"{entry}.weight"].shape[:2]
    sizes = {"width": width, "channels": inputs // copies}
    if (last := state_dict.get(f"{scale}.weight")) is not None:
        sizes["scale"] = math.isqrt(last.shape[0] // sizes["channels"])
    elif scale:
        sizes["scale"] = upsampler_scale(state_dict, scale, width)
    for name, layer in layers.items():
        key = f"{layer}.weight"
        sizes[name] = count_blocks(state_dict, key) if "{}" in layer else state_dict[key].shape[0]
    return sizes


def upsampler_stages(scale: int, grid: Fraction | int = 1, *, behind: bool = False) -> list[Stage]:
    """One 3×3 convolution for each step of an upsampler that begins on ``grid``.

    It stands before each enlargement, as sub-pixel convolutions do, or ``behind`` it.
    """
    stages = []
    for step in upsampler_steps(scale):
        before, grid = grid, grid * step
        stages.append(Stage(grid if behind else before, 1))
    return stages


def convolutional(*stages: Stage) -> ReceptiveField:
    """Give a chain of convolutions in both conventions."""
    return ReceptiveField(stages=stages, paper=1 + 2 * sum(stage.radius for stage in stages))


def subpixel_receptive_field(radius: int, scale: int) -> ReceptiveField:
    """Receptive field of a trunk, an upsampler of sub-pixel convolutions and one 3×3 convolution on the SR grid.

    ``radius`` is the reach of the trunk in LR pixels; the paper counts it as so many 3×3 convolutions.
    """
    return convolutional(Stage(1, radius), *upsampler_stages(scale), Stage(scale, 1))
