"""RLFN: residual local feature network, winner of the runtime track of NTIRE 2022 efficient super-resolution.

F. Kong et al., "Residual Local Feature Network for Efficient Super-Resolution", CVPR Workshops 2022,
arXiv 2205.07514.
"""

from torch import Tensor, nn

from srlens.networks.zoo.esa import ESA, esa_receptive_field, plain_convolution
from srlens.networks.zoo.family import Family, own_facts
from srlens.networks.zoo.layers import EnlargingNetwork, convolution, run_blocks, shuffled


class _LocalFeatureBlock(nn.Module):
    """Three 3×3 layers with a skip, fused by 1×1, then the slim ESA (RLFB)."""

    def __init__(self, width: int, inner: int, attention_width: int) -> None:
        super().__init__()
        self.c1_r = convolution(width, inner)
        self.c2_r = convolution(inner, inner)
        self.c3_r = convolution(inner, width)
        self.c5 = nn.Conv2d(width, width, 1)
        self.act = nn.LeakyReLU(0.05)
        self.esa = ESA(width, attention_width, plain_convolution, nn.ReLU(), single=True)

    def forward(self, x: Tensor) -> Tensor:
        y = x
        for layer in (self.c1_r, self.c2_r, self.c3_r):
            y = self.act(layer(y))
        return self.esa(self.c5(y + x))


class RLFN(EnlargingNetwork):
    """Takes N×C×h×w in 0–255 (h, w ≥ 15), gives N×C×sh×sw.

    Args:
        width: maps; 52 in the paper, 48 in RLFN-S, 46 in the challenge version.
        inner: maps between the layers of a block; the width, but 48 in the challenge version.
        attention_width: maps inside the attention.
        blocks: 6, but 4 in the challenge version.
        image: ``scale`` and ``channels``, see :class:`~srlens.networks.zoo.layers.EnlargingNetwork`.
    """

    def __init__(
        self, *, width: int = 52, inner: int = 52, attention_width: int = 16, blocks: int = 6, **image: int
    ) -> None:
        super().__init__(**image)
        self.blocks = blocks
        self.block_names = [f"block_{number}" for number in range(1, blocks + 1)]
        self.conv_1 = convolution(self.channels, width)
        for name in self.block_names:
            self.add_module(name, _LocalFeatureBlock(width, inner, attention_width))
        self.conv_2 = convolution(width, width)
        self.upsampler = shuffled(width, self.scale, self.channels)

    def forward(self, x: Tensor) -> Tensor:
        """Super-resolve N×C×h×w."""
        shallow = self.conv_1(x)
        deep = run_blocks(self, self.block_names, shallow)[-1]
        return self.upsampler(self.conv_2(deep) + shallow)


FAMILY = Family(**own_facts("RLFN", RLFN), receptive_field=lambda m: esa_receptive_field(m.blocks, local=3, coarse=1))
