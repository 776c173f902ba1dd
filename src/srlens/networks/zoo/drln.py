"""DRLN: densely residual Laplacian network.

S. Anwar, N. Barnes, "Densely Residual Laplacian Super-Resolution", IEEE TPAMI 2020, arXiv 1906.12021.
"""

import torch
from torch import Tensor, nn

from srlens.networks.zoo import layers
from srlens.networks.zoo.family import Family, own_facts

#: Blocks in each of the densely connected groups.
_GROUPS = (3, 3, 3, 3, 4, 4)


def _activated(
    inputs: int, outputs: int, size: int, dilation: int = 1, activation: nn.Module | None = None
) -> nn.Sequential:
    """A convolution and an activation."""
    layer = nn.Conv2d(inputs, outputs, size, padding=size // 2 * dilation, dilation=dilation)
    return layers.named(body=nn.Sequential(layer, activation or nn.ReLU()))


class _LaplacianAttention(nn.Module):
    """Scales each map by a weight drawn from the averages of all maps.

    The 3×3 kernels of three dilations see a single pixel, the average: of each, only the middle weight acts.
    """

    def __init__(self, width: int, squeezed: int) -> None:
        super().__init__()
        self.c1 = _activated(width, squeezed, 3, dilation=3)
        self.c2 = _activated(width, squeezed, 3, dilation=5)
        self.c3 = _activated(width, squeezed, 3, dilation=7)
        self.c4 = _activated(3 * squeezed, width, 3, activation=nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        average = x.mean(dim=(2, 3), keepdim=True)
        weight: Tensor = self.c4(torch.cat([self.c1(average), self.c2(average), self.c3(average)], dim=1))
        return x * weight


class _DenseBlock(nn.Module):
    """Three residual blocks of doubling width, each fed all before it; 1×1; Laplacian attention (DRLM)."""

    def __init__(self, width: int, squeezed: int) -> None:
        super().__init__()
        self.r1, self.r2, self.r3 = (layers.Rectified(body=layers.two_convolutions(n * width)) for n in (1, 2, 4))
        self.g = _activated(8 * width, width, 1)
        self.ca = _LaplacianAttention(width, squeezed)

    def forward(self, x: Tensor) -> Tensor:
        for block in (self.r1, self.r2, self.r3):
            x = torch.cat([x, block(x)], dim=1)
        return self.ca(self.g(x))


class DRLN(layers.EnlargingNetwork):
    """Takes N×3×h×w in 0–255, gives N×3×sh×sw.

    Args:
        width: maps, 64 in the paper.
        squeezed: maps inside the attention, a sixteenth of the width in the paper.
        image: ``scale`` and ``channels``, see :class:`~srlens.networks.zoo.layers.EnlargingNetwork`.
    """

    def __init__(self, *, width: int = 64, squeezed: int = 4, **image: int) -> None:
        super().__init__(**image)
        self.sub_mean, self.add_mean = layers.nested_mean_shifts(self.channels, 255.0)
        self.head = layers.convolution(self.channels, width)
        positions = (position for blocks in _GROUPS for position in range(blocks))
        for number, position in enumerate(positions, start=1):
            self.add_module(f"b{number}", _DenseBlock(width, squeezed))
            self.add_module(f"c{number}", _activated((position + 2) * width, width, 3))
        self.upsample = layers.named(up=layers.named(body=layers.Upsampler(self.scale, width, rectified=True)))
        self.tail = layers.convolution(width, self.channels)

    def forward(self, x: Tensor) -> Tensor:
        """Super-resolve N×3×h×w."""
        shallow = self.head(self.sub_mean(x))
        total = fused = shallow
        number = 0
        for blocks in _GROUPS:
            dense, reading = fused, total
            for _ in range(blocks):
                number += 1
                dense = torch.cat([dense, self.get_submodule(f"b{number}")(reading)], dim=1)
                # In the published forward pass block 5 reads what block 4 read: fusion 4 goes nowhere.
                if number != 4:
                    reading = self.get_submodule(f"c{number}")(dense)
            fused = reading
            total = fused + total
        return self.add_mean(self.tail(self.upsample(total + shallow)))


FAMILY = Family(**own_facts("DRLN", DRLN))
