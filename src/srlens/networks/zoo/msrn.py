"""MSRN: multi-scale residual network (Li, Fang, Mei & Zhang, ECCV 2018)."""

import torch
from spandrel import Architecture, ImageModelDescriptor, StateDict
from spandrel.util import KeyCondition
from torch import Tensor, nn

from srlens.networks.receptive_field import ReceptiveField
from srlens.networks.zoo.family import Family
from srlens.networks.zoo.layers import (
    MeanShift,
    Upsampler,
    channel_means,
    count_blocks,
    range_of_shift,
    subpixel_receptive_field,
    upsampler_scale,
)


class MultiScaleBlock(nn.Module):
    """Two rounds of 3×3 and 5×5 convolutions side by side, each round seeing both; N×C×h×w to the same."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv_3_1 = nn.Conv2d(width, width, 3, padding=1)
        self.conv_3_2 = nn.Conv2d(2 * width, 2 * width, 3, padding=1)
        self.conv_5_1 = nn.Conv2d(width, width, 5, padding=2)
        self.conv_5_2 = nn.Conv2d(2 * width, 2 * width, 5, padding=2)
        self.confusion = nn.Conv2d(4 * width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Refine ``x`` (N×C×h×w)."""
        first = torch.relu(torch.cat([self.conv_3_1(x), self.conv_5_1(x)], dim=1))
        second = torch.relu(torch.cat([self.conv_3_2(first), self.conv_5_2(first)], dim=1))
        refined: Tensor = x + self.confusion(second)
        return refined


class MSRN(nn.Module):
    """MSRN: the outputs of all blocks, and of the head, are fused before the enlargement.

    Takes N×C×h×w and gives N×C×sh×sw, in [0, ``value_range``] (the mean shift is made for it).
    """

    def __init__(
        self,
        *,
        scale: int = 4,
        channels: int = 3,
        width: int = 64,
        blocks: int = 8,
        value_range: float = 255.0,
    ) -> None:
        super().__init__()
        self.scale, self.blocks = scale, blocks
        means = channel_means(channels, value_range)
        self.sub_mean = MeanShift([-mean for mean in means])
        self.add_mean = MeanShift(means)
        self.head = nn.Sequential(nn.Conv2d(channels, width, 3, padding=1))
        self.body = nn.Sequential(*(MultiScaleBlock(width) for _ in range(blocks)))
        self.tail = nn.Sequential(
            nn.Conv2d((blocks + 1) * width, width, 1),
            nn.Conv2d(width, width, 3, padding=1),
            Upsampler(scale, width),
            nn.Conv2d(width, channels, 3, padding=1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Enlarge ``x`` (N×C×h×w) to N×C×sh×sw."""
        features = shallow = self.head(self.sub_mean(x))
        collected = []
        for block in self.body:
            features = block(features)
            collected.append(features)
        output: Tensor = self.add_mean(self.tail(torch.cat([*collected, shallow], dim=1)))
        return output


class MSRNArchitecture(Architecture[MSRN]):
    """Recognises and loads MSRN files."""

    def __init__(self) -> None:
        super().__init__(
            id="MSRN",
            detect=KeyCondition.has_all(
                "sub_mean.bias",
                "head.0.weight",
                "body.0.conv_3_1.weight",
                "body.0.conv_5_2.weight",
                "body.0.confusion.weight",
                "tail.2.0.weight",
                "tail.3.weight",
            ),
        )

    def load(self, state_dict: StateDict) -> ImageModelDescriptor[MSRN]:
        """Build the network that ``state_dict`` describes and load it strictly."""
        width, channels = state_dict["head.0.weight"].shape[:2]
        scale = upsampler_scale(state_dict, "tail.2", width)
        blocks = count_blocks(state_dict, "body.{}.confusion.weight")
        return ImageModelDescriptor(
            MSRN(scale=scale, channels=channels, width=width, blocks=blocks),
            state_dict,
            architecture=self,
            purpose="SR",
            tags=[f"{width} maps", f"{blocks} blocks"],
            supports_half=False,  # half precision is coarse on 0–255: 1/8 of a grey level
            supports_bfloat16=True,
            scale=scale,
            input_channels=channels,
            output_channels=channels,
        )


def _receptive_field(module: nn.Module) -> ReceptiveField:
    assert isinstance(module, MSRN)
    # The longest path through a block takes the 5×5 convolution in both rounds: 2 + 2 pixels. Around the
    # blocks stand the head and the convolution of the tail.
    true = subpixel_receptive_field(1 + 4 * module.blocks + 1, module.scale)
    # The published 107×107 (8 blocks, ×4) only comes out if the branches, which stand side by side, are
    # added as if one followed the other: 1 + 2 + 1 + 2 pixels a block.
    as_published = subpixel_receptive_field(1 + 6 * module.blocks + 1, module.scale)
    return ReceptiveField(stages=true.stages, paper=as_published.paper)


def _value_range(module: nn.Module) -> float:
    assert isinstance(module, MSRN)
    assert module.sub_mean.bias is not None
    return range_of_shift(module.sub_mean.bias)


ARCHITECTURE = MSRNArchitecture()
FAMILY = Family(
    id="MSRN",
    name="MSRN",
    kind="convolution",
    paper="Li, Fang, Mei & Zhang, ECCV 2018",
    receptive_field=_receptive_field,
    value_range=_value_range,
    note="Value range read off the mean shift; the paper's receptive field adds parallel branches.",
)
