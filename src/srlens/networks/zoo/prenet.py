"""PReNet: progressive recurrent network for deraining.

D. Ren, W. Zuo, Q. Hu, P. Zhu, D. Meng, "Progressive Image Deraining Networks: A Better and Simpler Baseline",
CVPR 2019, arXiv 1901.09221.
"""

import torch
from torch import Tensor, nn

from srlens.networks.checkpoint import StateDict
from srlens.networks.receptive_field import ReceptiveField, Stage
from srlens.networks.zoo.family import Family, own_facts
from srlens.networks.zoo.layers import convolution
from srlens.networks.zoo.reading import convolutional, count_blocks

#: Residual blocks that one stage runs through, and stages; no state dict tells the latter.
BLOCKS, STAGES = 5, 6


class PReNet(nn.Module):
    """Six stages of one network, each of which is given the rainy picture and the result of the stage before.

    Takes N×C×h×w in [0, 1], gives the picture of the last stage, N×C×h×w, not clamped. (The authors' module returns
    a pair of it and the list of all stages.)

    Args:
        width: maps.
        channels: of the picture.
        blocks: residual blocks that hold weights: 5, or 1 that is run through five times (PReNet_r).

    Raises:
        ValueError: another number of blocks.
    """

    scale = 1

    def __init__(self, *, width: int = 32, channels: int = 3, blocks: int = 1) -> None:
        super().__init__()
        if blocks not in (1, BLOCKS):
            raise ValueError(
                f"PReNet has {BLOCKS} residual blocks, or one that it runs through {BLOCKS} times, not {blocks}"
            )
        self.width, self.channels = width, channels
        self.block_names = [f"res_conv{number}" for number in range(1, blocks + 1)] * (BLOCKS // blocks)
        self.conv0 = nn.Sequential(convolution(2 * channels, width), nn.ReLU())
        for name in self.block_names[:blocks]:
            self.add_module(
                name, nn.Sequential(convolution(width, width), nn.ReLU(), convolution(width, width), nn.ReLU())
            )
        for gate in "ifgo":
            activation = nn.Tanh() if gate == "g" else nn.Sigmoid()
            self.add_module(f"conv_{gate}", nn.Sequential(convolution(2 * width, width), activation))
        self.conv = nn.Sequential(convolution(width, channels))

    def forward(self, x: Tensor) -> Tensor:
        """Derain N×C×h×w."""
        picture = x
        state = hidden = x.new_zeros(x.shape[0], self.width, *x.shape[-2:])
        for _ in range(STAGES):
            features = torch.cat([self.conv0(torch.cat([x, picture], dim=1)), hidden], dim=1)
            take, keep, new, show = (self.get_submodule(f"conv_{gate}")(features) for gate in "ifgo")
            state = keep * state + take * new
            y = hidden = show * torch.tanh(state)
            for name in self.block_names:
                y = torch.relu(self.get_submodule(name)(y) + y)
            picture = x + self.conv(y)
        return picture


def _build(state: StateDict) -> PReNet:
    width, inputs = state["conv0.0.weight"].shape[:2]
    return PReNet(width=width, channels=inputs // 2, blocks=count_blocks(state, "res_conv{}.0.weight"))


def _receptive_field(_: PReNet) -> ReceptiveField:
    # Of each stage the first and the last convolution, the gates, and two convolutions a block.
    return convolutional(Stage(1, STAGES * (2 * BLOCKS + 3)))


FAMILY = Family(**own_facts("PReNet"), build=_build, receptive_field=_receptive_field)
