"""IMDN: information multi-distillation network (Hui et al., ACM Multimedia 2019, arXiv 1909.11856)."""

import math

import torch
from spandrel import Architecture, ImageModelDescriptor, StateDict
from spandrel.util import KeyCondition
from torch import Tensor, nn
from torch.nn import functional

from srlens.networks.receptive_field import GLOBAL, ReceptiveField
from srlens.networks.zoo.family import Family
from srlens.networks.zoo.layers import count_blocks

SLOPE = 0.05
"""Slope of every leaky rectifier for negative values."""


def deviation(x: Tensor) -> Tensor:
    """Take the standard deviation of each channel over the image: N×C×h×w to N×C×1×1.

    The root has infinite slope at 0; an exactly constant channel gets the gradient 0 here, not NaN.
    """
    variance = (x - x.mean(dim=(2, 3), keepdim=True)).square().mean(dim=(2, 3), keepdim=True)
    varies = variance > 0
    return torch.where(varies, torch.where(varies, variance, 1.0).sqrt(), 0.0)


class ContrastAttention(nn.Module):
    """A gate in (0, 1) per channel, from its mean plus its standard deviation over the whole image."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.conv_du = nn.Sequential(
            nn.Conv2d(channels, hidden, 1), nn.ReLU(), nn.Conv2d(hidden, channels, 1), nn.Sigmoid()
        )

    def forward(self, x: Tensor) -> Tensor:
        """Gate ``x`` (N×C×h×w)."""
        gated: Tensor = x * self.conv_du(deviation(x) + x.mean(dim=(2, 3), keepdim=True))
        return gated


class DistillationBlock(nn.Module):
    """Four 3×3 convolutions that set ``distilled`` maps aside and hand on the rest; N×C×h×w to the same."""

    def __init__(self, width: int, distilled: int, hidden: int) -> None:
        super().__init__()
        rest = width - distilled
        self.distilled, self.rest = distilled, rest
        self.c1 = nn.Conv2d(width, width, 3, padding=1)
        self.c2 = nn.Conv2d(rest, width, 3, padding=1)
        self.c3 = nn.Conv2d(rest, width, 3, padding=1)
        self.c4 = nn.Conv2d(rest, distilled, 3, padding=1)
        self.c5 = nn.Conv2d(4 * distilled, width, 1)
        self.cca = ContrastAttention(4 * distilled, hidden)

    def forward(self, x: Tensor) -> Tensor:
        """Refine ``x`` (N×C×h×w)."""
        kept, features = [], x
        for convolution in (self.c1, self.c2, self.c3):
            features = functional.leaky_relu(convolution(features), SLOPE)
            aside, features = torch.split(features, [self.distilled, self.rest], dim=1)
            kept.append(aside)
        kept.append(self.c4(features))
        refined: Tensor = x + self.c5(self.cca(torch.cat(kept, dim=1)))
        return refined


class IMDN(nn.Module):
    """IMDN as published: blocks ``IMDB1``, ``IMDB2``, …, whose outputs are fused, then one pixel shuffle.

    Takes N×C×h×w in [0, 1] and gives N×C×sh×sw in [0, 1] terms.
    """

    def __init__(
        self,
        *,
        scale: int = 4,
        channels: int = 3,
        width: int = 64,
        blocks: int = 6,
        distilled: int = 16,
        hidden: int = 4,
    ) -> None:
        super().__init__()
        self.scale = scale
        self.fea_conv = nn.Conv2d(channels, width, 3, padding=1)
        self.block_names = [f"IMDB{i}" for i in range(1, blocks + 1)]
        for name in self.block_names:
            self.add_module(name, DistillationBlock(width, distilled, hidden))
        self.c = nn.Sequential(nn.Conv2d(blocks * width, width, 1), nn.LeakyReLU(SLOPE))
        self.LR_conv = nn.Conv2d(width, width, 3, padding=1)
        self.upsampler = nn.Sequential(nn.Conv2d(width, channels * scale**2, 3, padding=1), nn.PixelShuffle(scale))

    def forward(self, x: Tensor) -> Tensor:
        """Enlarge ``x`` (N×C×h×w) to N×C×sh×sw."""
        features = shallow = self.fea_conv(x)
        collected = []
        for name in self.block_names:
            features = getattr(self, name)(features)
            collected.append(features)
        fused = self.LR_conv(self.c(torch.cat(collected, dim=1))) + shallow
        output: Tensor = self.upsampler(fused)
        return output


class IMDNArchitecture(Architecture[IMDN]):
    """Recognises and loads IMDN files (not the strided IMDN-AS and IMDN-RTE, nor IMDN-RTC)."""

    def __init__(self) -> None:
        super().__init__(
            id="IMDN",
            detect=KeyCondition.has_all(
                "fea_conv.weight",
                "IMDB1.c4.weight",
                "IMDB1.c5.weight",
                "IMDB1.cca.conv_du.0.weight",
                "c.0.weight",
                "LR_conv.weight",
                "upsampler.0.weight",
            ),
        )

    def load(self, state_dict: StateDict) -> ImageModelDescriptor[IMDN]:
        """Build the network that ``state_dict`` describes and load it strictly."""
        width, channels = state_dict["fea_conv.weight"].shape[:2]
        blocks = count_blocks(state_dict, "IMDB{}.c1.weight", first=1)
        # One shuffle gives the image: as many output channels as input channels, so the rest is scale².
        scale = math.isqrt(state_dict["upsampler.0.weight"].shape[0] // channels)
        module = IMDN(
            scale=scale,
            channels=channels,
            width=width,
            blocks=blocks,
            distilled=state_dict["IMDB1.c4.weight"].shape[0],
            hidden=state_dict["IMDB1.cca.conv_du.0.weight"].shape[0],
        )
        return ImageModelDescriptor(
            module,
            state_dict,
            architecture=self,
            purpose="SR",
            tags=[f"{width} maps", f"{blocks} blocks"],
            supports_half=True,
            supports_bfloat16=True,
            scale=scale,
            input_channels=channels,
            output_channels=channels,
        )


def _receptive_field(module: nn.Module) -> ReceptiveField:
    assert isinstance(module, IMDN)
    return GLOBAL  # the contrast attention reads every pixel


ARCHITECTURE = IMDNArchitecture()
FAMILY = Family(
    id="IMDN",
    name="IMDN",
    kind="global pooling",
    paper="Hui, Gao, Yang & Wang, ACM Multimedia 2019, arXiv 1909.11856",
    receptive_field=_receptive_field,
    note="Contrast-aware channel attention, over the whole image, in every block.",
)
