"""Whether what a network makes looks like what it was given: a check of architecture, value range and scale.

A trained super-resolution network gives an image that, made small again, is the image that it was given. With the
weights of another architecture that has the same keys, in another range or at another scale it does not: of published
files the right ones reach 43–59 dB, wrong ones −56 … 9, and one 42 with values far outside [0, 1].
"""

import math
import warnings
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional

from srlens.errors import UnlikeInputWarning
from srlens.networks.frozen import frozen
from srlens.networks.network import Network

#: Side of the test chart, in LR pixels.
SIDE = 32

#: LR pixels at each side that are not judged: padding shows there.
BORDER = 6

# In dB; GAN-trained files lie between the first two. Files for 0–255 in [0, 1] reach 34, but 60 in their own range.
_LEAST, _SURE, _CLEARLY = 20.0, 40.0, 15.0
_OUTSIDE = 0.3  # how far values may lie outside [0, 1]; the chart has [0.1, 0.9]
_RANGES = (1.0, 255.0)


def chart(channels: int) -> Tensor:
    """Slow waves and one slanted edge in grey, 1×C×SIDE×SIDE in [0.1, 0.9]."""
    y, x = torch.meshgrid(torch.linspace(-1, 1, SIDE), torch.linspace(-1, 1, SIDE), indexing="ij")
    waves = 0.15 * torch.sin(6 * x + 4 * y) + 0.1 * torch.sin(11 * x * y + 2)
    edge = 0.3 * (0.8 * x + 0.6 * y > 0.1)
    return (0.35 + waves + edge).expand(1, channels, SIDE, SIDE)


def distance_brought_down(enlarge: Callable[[Tensor], Tensor], given: Tensor) -> tuple[float, float]:
    """Root mean square difference of a chart and its enlargement brought down; and how far that leaves [0, 1]."""
    with torch.no_grad():
        enlarged = enlarge(given).double()
    small = functional.interpolate(enlarged, size=(SIDE, SIDE), mode="bicubic", antialias=True, align_corners=False)
    difference = (small - given)[..., BORDER:-BORDER, BORDER:-BORDER]
    inside = BORDER * enlarged.shape[-1] // SIDE
    judged = enlarged[..., inside:-inside, inside:-inside]
    return float(difference.square().mean().sqrt()), float(torch.maximum(-judged, judged - 1).max())


def warn_where_unlike(network: Network) -> None:
    """Run a network for pictures once on a chart, and in the other value range where that hardly comes back.

    Warns:
        UnlikeInputWarning: what it makes is not the chart, or another range fits far better; says which.
    """
    if network.scale == 1 or network.colour == "any":
        return
    decibel, excess = _decibel_and_excess(network)
    like = decibel >= _LEAST and excess <= _OUTSIDE
    if like and decibel >= _SURE:
        return
    better = None
    for other in _RANGES:
        if other != network.value_range:
            there, outside = _decibel_and_excess(replace(network, value_range=other))
            if outside <= _OUTSIDE and there >= max(_LEAST, decibel + _CLEARLY if like else _LEAST):
                better = f"With value_range={other:g} it does, with {there:.0f} dB: use that."
    if like and better is None:
        return
    nothing = "No other range helps: see where the file comes from, and give its own module to srlens.Network.wrap."
    warnings.warn(
        f"What {network.name} makes of a test chart, brought down again, is {decibel:.0f} dB from it (right files: "
        f"{_SURE:.0f} and more), and values leave [0, 1] by {max(excess, 0):.2g} (at most {_OUTSIDE:g}): probably "
        f"another architecture than {network.family}, or range than {network.value_range:g}. {better or nothing}",
        UnlikeInputWarning,
        stacklevel=4,
    )


def _decibel_and_excess(network: Network) -> tuple[float, float]:
    given = chart(network.channels).to(network.device, network.dtype)
    with frozen(network.module):
        distance, excess = distance_brought_down(network, given)
    return (-20 * math.log10(max(distance, 1e-9)), excess) if math.isfinite(distance) else (-math.inf, math.inf)
