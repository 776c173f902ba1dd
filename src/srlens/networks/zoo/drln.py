"""DRLN: densely residual Laplacian network.

S. Anwar, N. Barnes, "Densely Residual Laplacian Super-Resolution", IEEE TPAMI 2020, arXiv 1906.12021.
"""

from collections.abc import Sequence

import torch
from spandrel import Architecture, ImageModelDescriptor, StateDict
from spandrel.util import KeyCondition
from torch import Tensor, nn
from torch.nn import functional

from srlens.networks.receptive_field import GLOBAL
from srlens.networks.zoo.family import Family
from srlens.networks.zoo.layers import MeanShift, channel_means, upsampler_scale, upsampler_steps

_GROUPS = (3, 3, 3, 3, 4, 4)
"""Blocks in each of the densely connected groups."""


class _Shift(nn.Module):
    """A mean shift one level down; exists for the published key names."""

    def __init__(self, shift: Sequence[float]) -> None:
        super().__init__()
        self.shifter = MeanShift(shift)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.shifter(x)
        return out


class _Convolution(nn.Module):
    """A convolution and an activation; exists for the published key names."""

    def __init__(
        self, inputs: int, outputs: int, size: int, dilation: int = 1, activation: nn.Module | None = None
    ) -> None:
        super().__init__()
        convolution = nn.Conv2d(inputs, outputs, size, padding=size // 2 * dilation, dilation=dilation)
        self.body = nn.Sequential(convolution, activation or nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.body(x)
        return out


class _ResidualBlock(nn.Module):
    """3×3, ReLU, 3×3, plus the input, ReLU."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, width, 3, padding=1)
        )

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.body(x) + x)


class _LaplacianAttention(nn.Module):
    """Scales each map by a weight drawn from the averages of all maps.

    The 3×3 kernels of three dilations see a single pixel, the average: of each, only the middle weight acts.
    """

    def __init__(self, width: int, squeezed: int) -> None:
        super().__init__()
        self.c1 = _Convolution(width, squeezed, 3, dilation=3)
        self.c2 = _Convolution(width, squeezed, 3, dilation=5)
        self.c3 = _Convolution(width, squeezed, 3, dilation=7)
        self.c4 = _Convolution(3 * squeezed, width, 3, activation=nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        average = x.mean(dim=(2, 3), keepdim=True)
        weight: Tensor = self.c4(torch.cat([self.c1(average), self.c2(average), self.c3(average)], dim=1))
        return x * weight


class _DenseBlock(nn.Module):
    """Three residual blocks of doubling width, each fed all before it; 1×1; Laplacian attention (DRLM)."""

    def __init__(self, width: int, squeezed: int) -> None:
        super().__init__()
        self.r1 = _ResidualBlock(width)
        self.r2 = _ResidualBlock(2 * width)
        self.r3 = _ResidualBlock(4 * width)
        self.g = _Convolution(8 * width, width, 1)
        self.ca = _LaplacianAttention(width, squeezed)

    def forward(self, x: Tensor) -> Tensor:
        for block in (self.r1, self.r2, self.r3):
            x = torch.cat([x, block(x)], dim=1)
        out: Tensor = self.ca(self.g(x))
        return out


class _Upsampling(nn.Module):
    """Sub-pixel convolutions, each with a ReLU before its pixel shuffle (keys ``up.body.0``, ``3``, …)."""

    def __init__(self, scale: int, width: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for step in upsampler_steps(scale):
            convolution = nn.Conv2d(width, width * step**2, 3, padding=1)
            layers += [convolution, nn.ReLU(), nn.PixelShuffle(step)]
        self.up = nn.ModuleDict({"body": nn.Sequential(*layers)})

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.up["body"](x)
        return out


class DRLN(nn.Module):
    """Takes N×3×h×w in 0–255, gives N×3×sh×sw.

    Args:
        width: maps, 64 in the paper.
        squeezed: maps inside the attention, a sixteenth of the width in the paper.
        scale: 2, 3, 4 or 8.
        channels: colour channels, 3 in the paper.
    """

    def __init__(self, *, width: int = 64, squeezed: int = 4, scale: int = 4, channels: int = 3) -> None:
        super().__init__()
        means = channel_means(channels, 255.0)
        self.sub_mean = _Shift([-mean for mean in means])
        self.add_mean = _Shift(means)
        self.head = nn.Conv2d(channels, width, 3, padding=1)
        number = 0
        for blocks in _GROUPS:
            for position in range(blocks):
                number += 1
                self.add_module(f"b{number}", _DenseBlock(width, squeezed))
                self.add_module(f"c{number}", _Convolution((position + 2) * width, width, 3))
        self.upsample = _Upsampling(scale, width)
        self.tail = nn.Conv2d(width, channels, 3, padding=1)

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
        sr: Tensor = self.add_mean(self.tail(self.upsample(total + shallow)))
        return sr


class DRLNArchitecture(Architecture[DRLN]):
    """Recognises and opens the authors' files."""

    def __init__(self) -> None:
        super().__init__(
            id="DRLN",
            detect=KeyCondition.has_all(
                "sub_mean.shifter.weight",
                "head.weight",
                "b1.r3.body.0.weight",
                "b1.ca.c4.body.0.weight",
                "b20.g.body.0.weight",
                "c20.body.0.weight",
                "upsample.up.body.0.weight",
                "tail.weight",
            ),
        )

    def load(self, state_dict: StateDict) -> ImageModelDescriptor[DRLN]:
        """Build the module that a state dict describes and fill it."""
        width, channels = state_dict["head.weight"].shape[:2]
        scale = upsampler_scale(state_dict, "upsample.up.body", width, stride=3)
        squeezed = state_dict["b1.ca.c1.body.0.weight"].shape[0]
        return ImageModelDescriptor(
            DRLN(width=width, squeezed=squeezed, scale=scale, channels=channels),
            state_dict,
            architecture=self,
            purpose="SR",
            tags=[f"{width}nf"],
            supports_half=False,
            supports_bfloat16=True,
            scale=scale,
            input_channels=channels,
            output_channels=channels,
        )


ARCHITECTURE = DRLNArchitecture()
FAMILY = Family(
    id="DRLN",
    name="DRLN",
    kind="global pooling",
    paper="S. Anwar, N. Barnes, IEEE TPAMI 2020, arXiv 1906.12021",
    receptive_field=lambda _: GLOBAL,  # the attention averages the whole map
    value_range=lambda _: 255.0,  # whatever mean shift the file brings
    note="Works on 0–255; the mean shift comes with the file.",
)
