"""RFDN: residual feature distillation network.

J. Liu, J. Tang, G. Wu, "Residual Feature Distillation Network for Lightweight Image Super-Resolution",
ECCV Workshops 2020, arXiv 2009.11551.
"""

import math

import torch
from spandrel import Architecture, ImageModelDescriptor, SizeRequirements, StateDict
from spandrel.util import KeyCondition
from torch import Tensor, nn

from srlens.networks.receptive_field import ReceptiveField, Stage
from srlens.networks.zoo.esa import ESA, MINIMUM_SIDE, esa_stage, plain_convolution
from srlens.networks.zoo.family import Family
from srlens.networks.zoo.layers import count_blocks

_COARSE_LAYERS = 3
_LOCAL_LAYERS = 4


class _DistillationBlock(nn.Module):
    """Three residual 3×3 layers, each leaving a thin 1×1 summary behind; summaries fused, then ESA (RFDB)."""

    def __init__(self, width: int, distilled: int, attention_width: int) -> None:
        super().__init__()
        self.c1_d = nn.Conv2d(width, distilled, 1)
        self.c1_r = nn.Conv2d(width, width, 3, padding=1)
        self.c2_d = nn.Conv2d(width, distilled, 1)
        self.c2_r = nn.Conv2d(width, width, 3, padding=1)
        self.c3_d = nn.Conv2d(width, distilled, 1)
        self.c3_r = nn.Conv2d(width, width, 3, padding=1)
        self.c4 = nn.Conv2d(width, distilled, 3, padding=1)
        self.c5 = nn.Conv2d(4 * distilled, width, 1)
        self.act = nn.LeakyReLU(0.05)
        self.esa = ESA(width, attention_width, plain_convolution, nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        summaries = []
        for distil, refine in ((self.c1_d, self.c1_r), (self.c2_d, self.c2_r), (self.c3_d, self.c3_r)):
            summaries.append(self.act(distil(x)))
            x = self.act(refine(x) + x)
        summaries.append(self.act(self.c4(x)))
        out: Tensor = self.esa(self.c5(torch.cat(summaries, dim=1)))
        return out


class RFDN(nn.Module):
    """Takes N×C×h×w in 0–255 (h, w ≥ 15), gives N×C×sh×sw.

    Args:
        width: maps; 50 in the AIM 2020 challenge version (433 K parameters), 52 and 48 elsewhere.
        distilled: maps of a summary, half the width in the paper.
        attention_width: maps inside the attention, a quarter of the width in the paper.
        blocks: distillation blocks, 4 in the challenge version.
        scale: SR pixels per LR pixel.
        channels: C.
    """

    def __init__(
        self,
        *,
        width: int = 50,
        distilled: int = 25,
        attention_width: int = 12,
        blocks: int = 4,
        scale: int = 4,
        channels: int = 3,
    ) -> None:
        super().__init__()
        self.blocks = blocks
        self.fea_conv = nn.Conv2d(channels, width, 3, padding=1)
        for i in range(1, blocks + 1):
            self.add_module(f"B{i}", _DistillationBlock(width, distilled, attention_width))
        self.c = nn.Sequential(nn.Conv2d(width * blocks, width, 1), nn.LeakyReLU(0.05))
        self.LR_conv = nn.Conv2d(width, width, 3, padding=1)
        self.upsampler = nn.Sequential(nn.Conv2d(width, channels * scale**2, 3, padding=1), nn.PixelShuffle(scale))

    def forward(self, x: Tensor) -> Tensor:
        """Super-resolve N×C×h×w."""
        shallow = x = self.fea_conv(x)
        outputs = []
        for i in range(1, self.blocks + 1):
            x = self.get_submodule(f"B{i}")(x)
            outputs.append(x)
        fused = self.LR_conv(self.c(torch.cat(outputs, dim=1)))
        sr: Tensor = self.upsampler(fused + shallow)
        return sr


class RFDNArchitecture(Architecture[RFDN]):
    """Recognises and opens the authors' files."""

    def __init__(self) -> None:
        super().__init__(
            id="RFDN",
            detect=KeyCondition.has_all(
                "fea_conv.weight",
                "B1.c1_d.weight",
                "B1.c1_r.weight",
                "B1.esa.conv_max.weight",
                "c.0.weight",
                "LR_conv.weight",
                "upsampler.0.weight",
            ),
        )

    def load(self, state_dict: StateDict) -> ImageModelDescriptor[RFDN]:
        """Build the module that a state dict describes and fill it."""
        width, channels = state_dict["fea_conv.weight"].shape[:2]
        blocks = count_blocks(state_dict, "B{}.c1_d.weight", first=1)
        scale = math.isqrt(state_dict["upsampler.0.weight"].shape[0] // channels)
        model = RFDN(
            width=width,
            distilled=state_dict["B1.c1_d.weight"].shape[0],
            attention_width=state_dict["B1.esa.conv1.weight"].shape[0],
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


def _receptive_field(module: nn.Module) -> ReceptiveField:
    if not isinstance(module, RFDN):
        raise TypeError(f"expected RFDN, got {type(module).__name__}")
    block = (Stage(1, _LOCAL_LAYERS), esa_stage(_COARSE_LAYERS))
    return ReceptiveField(stages=(Stage(1, 1), *block * module.blocks, Stage(1, 2)), paper=None)


ARCHITECTURE = RFDNArchitecture()
FAMILY = Family(
    id="RFDN",
    name="RFDN",
    kind="global pooling",
    paper="J. Liu, J. Tang, G. Wu, ECCV Workshops 2020, arXiv 2009.11551",
    receptive_field=_receptive_field,
    value_range=lambda _: 255.0,  # no file tells; the authors train on 0–255
    note=(
        "Works on 0–255. Gu & Dong count its attention as global pooling; it is a strided one of finite "
        "reach, wider than most LR images."
    ),
)
