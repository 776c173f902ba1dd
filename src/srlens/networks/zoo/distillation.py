"""What the information distillation networks share: IMDN, RFDN and, in parts, BSRN."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from srlens.networks.zoo.esa import ESA
from srlens.networks.zoo.layers import EnlargingNetwork, convolution, run_blocks, shuffled

#: Makes a 3×3 layer that keeps the size, from its inputs and outputs.
Convolution = Callable[[int, int], nn.Module]


class ResidualDistillationBlock(nn.Module):
    """Three residual 3×3 layers, each leaving a thin 1×1 summary behind; summaries fused, then ESA.

    RFDN's block (RFDB); BSRN's (ESDB) begins with the same, in separable convolutions.

    Args:
        width: maps in and out.
        distilled: maps of a summary.
        convolution: of the 3×3 layers.
        activation: behind every layer.
        esa: the attention at the end.
    """

    def __init__(self, width: int, distilled: int, convolution: Convolution, activation: nn.Module, esa: ESA) -> None:
        super().__init__()
        self.c1_d = nn.Conv2d(width, distilled, 1)
        self.c1_r = convolution(width, width)
        self.c2_d = nn.Conv2d(width, distilled, 1)
        self.c2_r = convolution(width, width)
        self.c3_d = nn.Conv2d(width, distilled, 1)
        self.c3_r = convolution(width, width)
        self.c4 = convolution(width, distilled)
        self.c5 = nn.Conv2d(4 * distilled, width, 1)
        self.act = activation
        self.esa = esa

    def forward(self, x: Tensor) -> Tensor:
        """Refine ``x`` (N×C×h×w)."""
        summaries = []
        for distil, refine in ((self.c1_d, self.c1_r), (self.c2_d, self.c2_r), (self.c3_d, self.c3_r)):
            summaries.append(self.act(distil(x)))
            x = self.act(refine(x) + x)
        summaries.append(self.act(self.c4(x)))
        return self.esa(self.c5(torch.cat(summaries, dim=1)))


class DistillationNetwork(EnlargingNetwork):
    """A head, blocks whose outputs are fused, a way around them, one pixel shuffle: N×C×h×w to N×C×sh×sw.

    Args:
        width: maps.
        blocks: number of blocks.
        prefix: the blocks are called ``prefix1``, ``prefix2``, ….
        block: makes one.
        image: ``scale`` and ``channels``.
    """

    def __init__(self, width: int, blocks: int, prefix: str, block: Callable[[], nn.Module], **image: int) -> None:
        super().__init__(**image)
        self.blocks = blocks
        self.fea_conv = convolution(self.channels, width)
        self.block_names = [f"{prefix}{number}" for number in range(1, blocks + 1)]
        for name in self.block_names:
            self.add_module(name, block())
        self.c = nn.Sequential(nn.Conv2d(width * blocks, width, 1), nn.LeakyReLU(0.05))
        self.LR_conv = convolution(width, width)
        self.upsampler = shuffled(width, self.scale, self.channels)

    def forward(self, x: Tensor) -> Tensor:
        """Super-resolve N×C×h×w."""
        shallow = self.fea_conv(x)
        outputs = run_blocks(self, self.block_names, shallow)
        return self.upsampler(self.LR_conv(self.c(torch.cat(outputs, dim=1))) + shallow)
