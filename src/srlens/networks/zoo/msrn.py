"""MSRN: multi-scale residual network (Li, Fang, Mei & Zhang, ECCV 2018)."""

import torch
from torch import Tensor, nn

from srlens.networks.receptive_field import ReceptiveField
from srlens.networks.zoo.family import Family, own_facts
from srlens.networks.zoo.layers import MeanShiftedNetwork, Upsampler, convolution, range_of_shift
from srlens.networks.zoo.reading import subpixel_receptive_field


class MultiScaleBlock(nn.Module):
    """Two rounds of 3×3 and 5×5 convolutions side by side, each round seeing both; N×C×h×w to the same."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv_3_1 = convolution(width, width)
        self.conv_3_2 = convolution(2 * width, 2 * width)
        self.conv_5_1 = nn.Conv2d(width, width, 5, padding=2)
        self.conv_5_2 = nn.Conv2d(2 * width, 2 * width, 5, padding=2)
        self.confusion = nn.Conv2d(4 * width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Refine ``x`` (N×C×h×w)."""
        first = torch.relu(torch.cat([self.conv_3_1(x), self.conv_5_1(x)], dim=1))
        second = torch.relu(torch.cat([self.conv_3_2(first), self.conv_5_2(first)], dim=1))
        return x + self.confusion(second)


class MSRN(MeanShiftedNetwork):
    """MSRN: the outputs of all blocks, and of the head, are fused before the enlargement."""

    def __init__(self, *, width: int = 64, blocks: int = 8, value_range: float = 255.0, **image: int) -> None:
        super().__init__(width, value_range, **image)
        self.blocks = blocks
        self.body = nn.Sequential(*(MultiScaleBlock(width) for _ in range(blocks)))
        self.tail = nn.Sequential(
            nn.Conv2d((blocks + 1) * width, width, 1),
            convolution(width, width),
            Upsampler(self.scale, width),
            convolution(width, self.channels),
        )

    def trunk(self, shallow: Tensor) -> Tensor:
        """All blocks' outputs and the head's, side by side."""
        features, collected = shallow, []
        for block in self.body:
            features = block(features)
            collected.append(features)
        return torch.cat([*collected, shallow], dim=1)


def _receptive_field(module: MSRN) -> ReceptiveField:
    # The longest path through a block takes the 5×5 convolution in both rounds: 2 + 2 pixels. Around the
    # blocks stand the head and the convolution of the tail.
    true = subpixel_receptive_field(1 + 4 * module.blocks + 1, module.scale)
    # The published 107×107 (8 blocks, ×4) only comes out if the branches, which stand side by side, are
    # added as if one followed the other: 1 + 2 + 1 + 2 pixels a block.
    as_published = subpixel_receptive_field(1 + 6 * module.blocks + 1, module.scale)
    return ReceptiveField(stages=true.stages, paper=as_published.paper)


FAMILY = Family(**own_facts("MSRN", MSRN), receptive_field=_receptive_field, value_range=range_of_shift)
