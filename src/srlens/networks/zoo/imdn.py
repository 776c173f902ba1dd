"""IMDN: information multi-distillation network (Hui et al., ACM Multimedia 2019, arXiv 1909.11856)."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from srlens.networks.zoo.distillation import DistillationNetwork
from srlens.networks.zoo.family import Family, own_facts
from srlens.networks.zoo.layers import ChannelAttention, convolution

#: Slope of every leaky rectifier for negative values.
SLOPE = 0.05


def deviation(x: Tensor) -> Tensor:
    """Take the standard deviation of each channel over the image: N×C×h×w to N×C×1×1.

    The root has infinite slope at 0; an exactly constant channel gets the gradient 0 here, not NaN.
    """
    variance = (x - x.mean(dim=(2, 3), keepdim=True)).square().mean(dim=(2, 3), keepdim=True)
    varies = variance > 0
    return torch.where(varies, torch.where(varies, variance, 1.0).sqrt(), 0.0)


def _contrast(x: Tensor) -> Tensor:
    """Mean plus standard deviation of each channel over the image."""
    return deviation(x) + x.mean(dim=(2, 3), keepdim=True)


class DistillationBlock(nn.Module):
    """Four 3×3 convolutions that set ``distilled`` maps aside and hand on the rest; N×C×h×w to the same.

    Without ``hidden`` there is no attention.
    """

    def __init__(self, width: int, distilled: int, hidden: int | None) -> None:
        super().__init__()
        rest = width - distilled
        self.distilled, self.rest = distilled, rest
        self.c1 = convolution(width, width)
        self.c2 = convolution(rest, width)
        self.c3 = convolution(rest, width)
        self.c4 = convolution(rest, distilled)
        self.c5 = nn.Conv2d(4 * distilled, width, 1)
        self.cca = nn.Identity() if hidden is None else ChannelAttention(4 * distilled, hidden, _contrast)

    def forward(self, x: Tensor) -> Tensor:
        """Refine ``x`` (N×C×h×w)."""
        kept, features = [], x
        for layer in (self.c1, self.c2, self.c3):
            features = functional.leaky_relu(layer(features), SLOPE)
            aside, features = torch.split(features, [self.distilled, self.rest], dim=1)
            kept.append(aside)
        kept.append(self.c4(features))
        return x + self.c5(self.cca(torch.cat(kept, dim=1)))


class IMDN(DistillationNetwork):
    """IMDN as published: blocks ``IMDB1``, ``IMDB2``, …, whose outputs are fused, then one pixel shuffle.

    Takes N×C×h×w in [0, 1] and gives N×C×sh×sw in [0, 1] terms.
    """

    def __init__(self, *, width: int = 64, blocks: int = 6, distilled: int = 16, hidden: int = 4, **image: int) -> None:
        super().__init__(width, blocks, "IMDB", lambda: DistillationBlock(width, distilled, hidden), **image)


FAMILY = Family(**own_facts("IMDN", IMDN))
