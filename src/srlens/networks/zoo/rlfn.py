"""RLFN: residual local feature network, winner of the runtime track of NTIRE 2022 efficient super-resolution.

F. Kong et al., "Residual Local Feature Network for Efficient Super-Resolution", CVPR Workshops 2022,
arXiv 2205.07514.
"""

import math

from spandrel import Architecture, ImageModelDescriptor, SizeRequirements, StateDict
from spandrel.util import KeyCondition
from torch import Tensor, nn

from srlens.networks.receptive_field import ReceptiveField, Stage
from srlens.networks.zoo.esa import ESA, MINIMUM_SIDE, esa_stage, plain_convolution
from srlens.networks.zoo.family import Family
from srlens.networks.zoo.layers import count_blocks

_COARSE_LAYERS = 1
_LOCAL_LAYERS = 3


class _LocalFeatureBlock(nn.Module):
    """Three 3×3 layers with a skip, fused by 1×1, then the slim ESA (RLFB)."""

    def __init__(self, width: int, inner: int, attention_width: int) -> None:
        super().__init__()
        self.c1_r = nn.Conv2d(width, inner, 3, padding=1)
        self.c2_r = nn.Conv2d(inner, inner, 3, padding=1)
        self.c3_r = nn.Conv2d(inner, width, 3, padding=1)
        self.c5 = nn.Conv2d(width, width, 1)
        self.act = nn.LeakyReLU(0.05)
        self.esa = ESA(width, attention_width, plain_convolution, nn.ReLU(), single=True)

    def forward(self, x: Tensor) -> Tensor:
        y = x
        for layer in (self.c1_r, self.c2_r, self.c3_r):
            y = self.act(layer(y))
        out: Tensor = self.esa(self.c5(y + x))
        return out


class RLFN(nn.Module):
    """Takes N×C×h×w in 0–255 (h, w ≥ 15), gives N×C×sh×sw.

    Args:
        width: maps; 52 in the paper, 48 in RLFN-S, 46 in the challenge version.
        inner: maps between the layers of a block; the width, but 48 in the challenge version.
        attention_width: maps inside the attention.
        blocks: 6, but 4 in the challenge version.
        scale: SR pixels per LR pixel.
        channels: C.
    """

    def __init__(
        self,
        *,
        width: int = 52,
        inner: int = 52,
        attention_width: int = 16,
        blocks: int = 6,
        scale: int = 4,
        channels: int = 3,
    ) -> None:
        super().__init__()
        self.blocks = blocks
        self.conv_1 = nn.Conv2d(channels, width, 3, padding=1)
        for i in range(1, blocks + 1):
            self.add_module(f"block_{i}", _LocalFeatureBlock(width, inner, attention_width))
        self.conv_2 = nn.Conv2d(width, width, 3, padding=1)
        self.upsampler = nn.Sequential(nn.Conv2d(width, channels * scale**2, 3, padding=1), nn.PixelShuffle(scale))

    def forward(self, x: Tensor) -> Tensor:
        """Super-resolve N×C×h×w."""
        shallow = x = self.conv_1(x)
        for i in range(1, self.blocks + 1):
            x = self.get_submodule(f"block_{i}")(x)
        sr: Tensor = self.upsampler(self.conv_2(x) + shallow)
        return sr


class RLFNArchitecture(Architecture[RLFN]):
    """Recognises and opens the authors' files."""

    def __init__(self) -> None:
        super().__init__(
            id="RLFN",
            detect=KeyCondition.has_all(
                "conv_1.weight",
                "block_1.c1_r.weight",
                "block_1.c5.weight",
                "block_1.esa.conv3.weight",
                "conv_2.weight",
                "upsampler.0.weight",
            ),
        )

    def load(self, state_dict: StateDict) -> ImageModelDescriptor[RLFN]:
        """Build the module that a state dict describes and fill it."""
        width, channels = state_dict["conv_1.weight"].shape[:2]
        blocks = count_blocks(state_dict, "block_{}.c1_r.weight", first=1)
        scale = math.isqrt(state_dict["upsampler.0.weight"].shape[0] // channels)
        model = RLFN(
            width=width,
            inner=state_dict["block_1.c1_r.weight"].shape[0],
            attention_width=state_dict["block_1.esa.conv1.weight"].shape[0],
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
    if not isinstance(module, RLFN):
        raise TypeError(f"expected RLFN, got {type(module).__name__}")
    block = (Stage(1, _LOCAL_LAYERS), esa_stage(_COARSE_LAYERS))
    return ReceptiveField(stages=(Stage(1, 1), *block * module.blocks, Stage(1, 2)), paper=None)


ARCHITECTURE = RLFNArchitecture()
FAMILY = Family(
    id="RLFN",
    name="RLFN",
    kind="global pooling",
    paper="F. Kong et al., CVPR Workshops 2022, arXiv 2205.07514",
    receptive_field=_receptive_field,
    value_range=lambda _: 255.0,  # no file tells; the authors train on 0–255
    note="Works on 0–255. Its strided attention, grouped with RFDN's as global pooling, has a finite reach.",
)
