"""PAN: pixel attention network (Zhao et al., ECCV Workshops 2020, arXiv 2010.01073)."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from srlens.networks.checkpoint import StateDict
from srlens.networks.receptive_field import ReceptiveField, Stage
from srlens.networks.zoo.family import Family, own_facts
from srlens.networks.zoo.layers import EnlargingNetwork, ScaleSelectable, convolution, run_blocks
from srlens.networks.zoo.reading import convolutional, read_sizes, upsampler_steps

#: Slope of every leaky rectifier for negative values.
SLOPE = 0.2


def _rectify(x: Tensor) -> Tensor:
    return functional.leaky_relu(x, SLOPE)


class PixelAttention(nn.Module):
    """A gate in (0, 1) per pixel and channel, from that pixel alone; N×C×h×w to the same."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Gate ``x`` (N×C×h×w)."""
        return x * torch.sigmoid(self.conv(x))


class PixelAttentionConvolution(nn.Module):
    """Two 3×3 convolutions with a pixel-wise gate of the input between them; N×C×h×w to the same."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.k2 = nn.Conv2d(width, width, 1)
        self.k3 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.k4 = nn.Conv2d(width, width, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Refine ``x`` (N×C×h×w)."""
        return self.k4(self.k3(x) * torch.sigmoid(self.k2(x)))


class SelfCalibratedBlock(nn.Module):
    """SCPA: a plain branch and a pixel-attention branch of ``group`` maps each; N×C×h×w to the same."""

    def __init__(self, width: int, group: int) -> None:
        super().__init__()
        self.conv1_a = nn.Conv2d(width, group, 1, bias=False)
        self.conv1_b = nn.Conv2d(width, group, 1, bias=False)
        self.k1 = nn.Sequential(nn.Conv2d(group, group, 3, padding=1, bias=False))
        self.PAConv = PixelAttentionConvolution(group)
        self.conv3 = nn.Conv2d(2 * group, width, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Refine ``x`` (N×C×h×w)."""
        plain = self.k1(_rectify(self.conv1_a(x)))
        attended = self.PAConv(_rectify(self.conv1_b(x)))
        return x + self.conv3(_rectify(torch.cat([plain, attended], dim=1)))


class PAN(EnlargingNetwork, ScaleSelectable):
    """PAN: a trunk of SCPA blocks, nearest-neighbour enlargement with pixel attention, bilinear shortcut.

    Takes N×C×h×w in [0, 1] and gives N×C×sh×sw in [0, 1] terms. Scale 4 is two enlargements by two; scales
    2 and 3 are one, with weights of the same shapes: ``scales`` are those that the weights can be run at,
    (4,) or (2, 3), one of which was trained; ``scale`` is the one in use, to be changed by
    :meth:`select_scale`.
    """

    def __init__(
        self, *, width: int = 40, tail_width: int = 24, blocks: int = 16, group: int | None = None, **image: int
    ) -> None:
        super().__init__(**image)
        self.scales = (4,) if self.scale == 4 else (2, 3)
        self.select_scale(self.scale)
        self.blocks = blocks
        self.conv_first = convolution(self.channels, width)
        self.SCPA_trunk = nn.Sequential(*(SelfCalibratedBlock(width, group or width // 2) for _ in range(blocks)))
        self.trunk_conv = convolution(width, width)
        for number in range(1, len(upsampler_steps(self.scale)) + 1):
            self.add_module(f"upconv{number}", convolution(width if number == 1 else tail_width, tail_width))
            self.add_module(f"att{number}", PixelAttention(tail_width))
            self.add_module(f"HRconv{number}", convolution(tail_width, tail_width))
        self.conv_last = convolution(tail_width, self.channels)

    def forward(self, x: Tensor) -> Tensor:
        """Enlarge ``x`` (N×C×h×w) to N×C×sh×sw."""
        shallow = self.conv_first(x)
        features = shallow + self.trunk_conv(self.SCPA_trunk(shallow))
        for number, step in enumerate(upsampler_steps(self.scale), start=1):
            enlarged = functional.interpolate(features, scale_factor=step, mode="nearest")
            attended = run_blocks(self, [f"upconv{number}", f"att{number}"], enlarged)[-1]
            features = _rectify(self.get_submodule(f"HRconv{number}")(_rectify(attended)))
        shortcut = functional.interpolate(x, scale_factor=self.scale, mode="bilinear", align_corners=False)
        return self.conv_last(features) + shortcut


def _build(state: StateDict) -> PAN:
    blocks, group = "SCPA_trunk.{}.conv3", "SCPA_trunk.0.conv1_a"
    sizes = read_sizes(state, "conv_first", tail_width="upconv1", blocks=blocks, group=group)
    return PAN(**sizes, scale=4 if "upconv2.weight" in state else 2)


def _receptive_field(module: PAN) -> ReceptiveField:
    # First convolution; two in a block, through k3 and k4; the one that closes the trunk. Pixel attention
    # reaches nowhere, and the bilinear shortcut (one LR pixel) lies well inside. The two convolutions behind
    # an enlargement stand on the enlarged grid, as does the last one.
    stages, grid = [Stage(1, 1 + 2 * module.blocks + 1)], 1
    for step in upsampler_steps(module.scale):
        grid *= step
        stages.append(Stage(grid, 2))
    return convolutional(*stages, Stage(grid, 1))


FAMILY = Family(**own_facts("PAN"), build=_build, receptive_field=_receptive_field, probe_scale=True)
