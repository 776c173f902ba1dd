"""BSRN: blueprint separable residual network, first in the complexity track of NTIRE 2022 efficient SR.

Z. Li et al., "Blueprint Separable Residual Network for Efficient Image Super-Resolution",
CVPR Workshops 2022, arXiv 2205.05996.
"""

import math

import torch
from spandrel import Architecture, ImageModelDescriptor, SizeRequirements, StateDict
from spandrel.util import KeyCondition
from torch import Tensor, nn

from srlens.networks.receptive_field import GLOBAL
from srlens.networks.zoo.esa import ESA, MINIMUM_SIDE
from srlens.networks.zoo.family import Family
from srlens.networks.zoo.layers import count_blocks

_COPIES = 4


class BSConvU(nn.Module):
    """Blueprint separable convolution: 1×1 without bias (``pw``), then 3×3 in each map by itself (``dw``)."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1, padding: int = 1) -> None:
        super().__init__()
        self.pw = nn.Conv2d(inputs, outputs, 1, bias=False)
        self.dw = nn.Conv2d(outputs, outputs, 3, stride=stride, padding=padding, groups=outputs)

    def forward(self, x: Tensor) -> Tensor:
        """N×inputs×h×w to N×outputs×h×w (without padding or with a stride: smaller)."""
        out: Tensor = self.dw(self.pw(x))
        return out


class CCALayer(nn.Module):
    """Contrast-aware channel attention: scales each map by a weight drawn from all means and deviations."""

    def __init__(self, width: int, squeezed: int) -> None:
        super().__init__()
        self.conv_du = nn.Sequential(
            nn.Conv2d(width, squeezed, 1), nn.ReLU(), nn.Conv2d(squeezed, width, 1), nn.Sigmoid()
        )

    def forward(self, x: Tensor) -> Tensor:
        """N×C×h×w in and out; every output pixel depends on every input pixel."""
        # torch.std has gradient 0 where a map is exactly flat; a square root would give NaN there.
        contrast = x.std(dim=(2, 3), correction=0, keepdim=True) + x.mean(dim=(2, 3), keepdim=True)
        weight: Tensor = self.conv_du(contrast)
        return x * weight


class _DistillationBlock(nn.Module):
    """RFDN's block in separable convolutions, with ESA, channel attention and a skip (ESDB)."""

    def __init__(self, width: int, distilled: int, attention_width: int, squeezed: int) -> None:
        super().__init__()
        self.c1_d = nn.Conv2d(width, distilled, 1)
        self.c1_r = BSConvU(width, width)
        self.c2_d = nn.Conv2d(width, distilled, 1)
        self.c2_r = BSConvU(width, width)
        self.c3_d = nn.Conv2d(width, distilled, 1)
        self.c3_r = BSConvU(width, width)
        self.c4 = BSConvU(width, distilled)
        self.act = nn.GELU()
        self.c5 = nn.Conv2d(4 * distilled, width, 1)
        self.esa = ESA(width, attention_width, BSConvU, nn.GELU())
        self.cca = CCALayer(width, squeezed)

    def forward(self, x: Tensor) -> Tensor:
        summaries, y = [], x
        for distil, refine in ((self.c1_d, self.c1_r), (self.c2_d, self.c2_r), (self.c3_d, self.c3_r)):
            summaries.append(self.act(distil(y)))
            y = self.act(refine(y) + y)
        summaries.append(self.act(self.c4(y)))
        out: Tensor = self.cca(self.esa(self.c5(torch.cat(summaries, dim=1))))
        return out + x


class _PixelShuffleDirect(nn.Module):
    """One 3×3 convolution and one pixel shuffle; exists for the published key names."""

    def __init__(self, scale: int, width: int, channels: int) -> None:
        super().__init__()
        self.upsampleOneStep = nn.Sequential(
            nn.Conv2d(width, channels * scale**2, 3, padding=1), nn.PixelShuffle(scale)
        )

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.upsampleOneStep(x)
        return out


class BSRN(nn.Module):
    """Takes N×C×h×w in 0–1 (h, w ≥ 15), gives N×C×sh×sw.

    Args:
        width: maps; 64 in the paper, 48 in BSRN-S.
        distilled: maps of a summary.
        attention_width: maps inside the spatial attention.
        squeezed: maps inside the channel attention.
        blocks: 8 in the paper, 5 in BSRN-S.
        scale: SR pixels per LR pixel.
        channels: C.
    """

    def __init__(
        self,
        *,
        width: int = 64,
        distilled: int = 32,
        attention_width: int = 16,
        squeezed: int = 4,
        blocks: int = 8,
        scale: int = 4,
        channels: int = 3,
    ) -> None:
        super().__init__()
        self.blocks = blocks
        self.fea_conv = BSConvU(_COPIES * channels, width)
        for i in range(1, blocks + 1):
            self.add_module(f"B{i}", _DistillationBlock(width, distilled, attention_width, squeezed))
        self.c1 = nn.Conv2d(width * blocks, width, 1)
        self.act = nn.GELU()
        self.c2 = BSConvU(width, width)
        self.upsampler = _PixelShuffleDirect(scale, width, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Super-resolve N×C×h×w."""
        # The first layer is fed four copies of the image: its kernels are shaped that way.
        shallow = x = self.fea_conv(torch.cat([x] * _COPIES, dim=1))
        outputs = []
        for i in range(1, self.blocks + 1):
            x = self.get_submodule(f"B{i}")(x)
            outputs.append(x)
        fused = self.c2(self.act(self.c1(torch.cat(outputs, dim=1))))
        sr: Tensor = self.upsampler(fused + shallow)
        return sr


class BSRNArchitecture(Architecture[BSRN]):
    """Recognises and opens the authors' files."""

    def __init__(self) -> None:
        super().__init__(
            id="BSRN",
            detect=KeyCondition.has_all(
                "fea_conv.pw.weight",
                "B1.c1_r.pw.weight",
                "B1.esa.conv_max.pw.weight",
                "B1.cca.conv_du.0.weight",
                "upsampler.upsampleOneStep.0.weight",
            ),
        )

    def load(self, state_dict: StateDict) -> ImageModelDescriptor[BSRN]:
        """Build the module that a state dict describes and fill it."""
        width, inputs = state_dict["fea_conv.pw.weight"].shape[:2]
        channels = inputs // _COPIES
        blocks = count_blocks(state_dict, "B{}.c1_d.weight", first=1)
        scale = math.isqrt(state_dict["upsampler.upsampleOneStep.0.weight"].shape[0] // channels)
        model = BSRN(
            width=width,
            distilled=state_dict["B1.c1_d.weight"].shape[0],
            attention_width=state_dict["B1.esa.conv1.weight"].shape[0],
            squeezed=state_dict["B1.cca.conv_du.0.weight"].shape[0],
            blocks=blocks,
            scale=scale,
            channels=channels,
        )
        return ImageModelDescriptor(
            model,
            state_dict,
            architecture=self,
            purpose="SR",
            tags=[f"{width}nf", f"{blocks}nb"],
            supports_half=True,
            supports_bfloat16=True,
            scale=scale,
            input_channels=channels,
            output_channels=channels,
            size_requirements=SizeRequirements(minimum=MINIMUM_SIDE),
        )


ARCHITECTURE = BSRNArchitecture()
FAMILY = Family(
    id="BSRN",
    name="BSRN",
    kind="global pooling",
    paper="Z. Li et al., CVPR Workshops 2022, arXiv 2205.05996",
    receptive_field=lambda _: GLOBAL,  # channel attention pools the whole map
    note="Works on 0–1. Files made with blueprint separable convolutions (BSConvU) and direct pixel shuffle.",
)
