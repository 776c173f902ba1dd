"""Whether what a network makes looks like what it was given: a check of architecture and value range.

A trained super-resolution network gives an image that, made small again, is the image that it was given. With the
weights of another architecture that has the same keys, or in another range, it does not: of published files the right
ones reach 48–65 dB on the photograph below, and others, where they were trained for looks, 25 and more.
"""

import math
import warnings
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional

from srlens.errors import UnlikeInputWarning
from srlens.imaging.resample import bicubic_downscale
from srlens.imaging.samples import sample_image
from srlens.networks.frozen import frozen
from srlens.networks.listing import family_facts
from srlens.networks.network import Network

#: Side of the picture, in LR pixels.
SIDE = 32

#: LR pixels at each side that are not judged: padding shows there.
BORDER = 6

# In dB: what any file must reach, and one that is surely right; by how much another range must be better.
_LEAST, _SURE, _CLEARLY = 20.0, 45.0, 15.0
_OUTSIDE = 0.3  # how far values may leave [0, 1]; they are those of a photograph, which has 0 and 1


def distance_brought_down(enlarge: Callable[[Tensor], Tensor], given: Tensor) -> tuple[float, float]:
    """Root mean square of an N×C×h×w picture minus its enlargement brought down; how far that leaves [0, 1]."""
    with torch.no_grad():
        enlarged = enlarge(given).double()
    small = functional.interpolate(enlarged, size=given.shape[-2:], mode="bicubic", antialias=True, align_corners=False)
    difference = (small - given)[..., BORDER:-BORDER, BORDER:-BORDER]
    inside = BORDER * enlarged.shape[-1] // given.shape[-1]
    judged = enlarged[..., inside:-inside, inside:-inside]
    return float(difference.square().mean().sqrt()), float(torch.maximum(-judged, judged - 1).max())


def warn_where_unlike(network: Network) -> None:
    """Run a network once on a photograph, 32×32, and in the other value range where that hardly comes back.

    Not judged are networks that keep the size, take other channels, or no picture so small.

    Warns:
        UnlikeInputWarning: what it makes is not the picture, or another range fits far better; says which.
    """
    if network.scale == 1 or network.colour == "any" or network.padding.minimum > SIDE:
        return
    decibel, excess = _decibel_and_excess(network)
    variants = family_facts("own").get(network.family or "", {}).get("variants", False)
    like = decibel >= (_SURE if variants else _LEAST) and excess <= _OUTSIDE
    if like and decibel >= _SURE:
        return
    advice = "No other range helps: see where the file comes from, and give its own module to srlens.Network.wrap."
    better = False
    for other in (1.0, 255.0):
        if other != network.value_range:
            there, outside = _decibel_and_excess(replace(network, value_range=other))
            if outside <= _OUTSIDE and there >= max(_LEAST, decibel + _CLEARLY):
                better, advice = True, f"With value_range={other:g} it does, with {there:.0f} dB: use that."
    if like and not better:
        return
    warnings.warn(
        f"What {network.name} makes of a photograph, brought down again, is {decibel:.0f} dB from it (right files: "
        f"{_SURE:.0f} and more), and values leave [0, 1] by {max(excess, 0):.2g} (at most {_OUTSIDE:g}): probably "
        f"another architecture than {network.family}, or range than {network.value_range:g}. {advice}",
        UnlikeInputWarning,
        stacklevel=4,
    )


def _decibel_and_excess(network: Network) -> tuple[float, float]:
    photograph = bicubic_downscale(sample_image("pagoda"), 4)[:, 16 : 16 + SIDE, 16 : 16 + SIDE]
    given = network.prepare(photograph)[None].to(network.device, network.dtype)
    with frozen(network.module):
        distance, excess = distance_brought_down(network, given)
    return (-20 * math.log10(max(distance, 1e-9)), excess) if math.isfinite(distance) else (-math.inf, math.inf)
