"""Which scale a network was trained for, where its state dict does not tell.

The kernels of a transposed convolution, or of convolutions behind a nearest-neighbour enlargement, have the
same shape for every scale. But a trained network gives an image that, made small again, is the image it was
given, and at a wrong scale it does not: measured on published files, the error is then at least 2.6 times as
large (PAN, 2 and 3), or 90 times (FSRCNN).
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from srlens.networks.likeness import SIDE, distance_brought_down
from srlens.networks.zoo.layers import ScaleSelectable

#: Root mean square error, in [0, 1], above which no scale is believed: the weights are not trained ones.
LARGEST_ERROR = 0.02

#: How many times worse the runner-up must be.
SMALLEST_RATIO = 1.5


def most_consistent_scale(module: ScaleSelectable, channels: int, scales: Sequence[int], *, default: int) -> int:
    """Find the scale whose SR image of a test chart, made small again, comes closest to the chart.

    Leaves the module at any of ``scales``; gives ``default`` where none stands out, as with random weights.
    """
    given = _chart(channels).to(next(module.parameters()).dtype)
    errors: dict[int, float] = {}
    for scale in scales:
        module.select_scale(scale)
        errors[scale], _ = distance_brought_down(module, given)
    best, second = sorted(errors, key=errors.__getitem__)[:2]
    stands_out = errors[best] <= LARGEST_ERROR and errors[second] >= SMALLEST_RATIO * errors[best]
    return best if stands_out else default


def _chart(channels: int) -> Tensor:
    """Slow waves and one slanted edge in grey, 1×C×SIDE×SIDE in [0.1, 0.9]."""
    y, x = torch.meshgrid(torch.linspace(-1, 1, SIDE), torch.linspace(-1, 1, SIDE), indexing="ij")
    waves = 0.15 * torch.sin(6 * x + 4 * y) + 0.1 * torch.sin(11 * x * y + 2)
    edge = 0.3 * (0.8 * x + 0.6 * y > 0.1)
    return (0.35 + waves + edge).expand(1, channels, SIDE, SIDE)
