"""BSRN: blueprint separable residual network, first in the complexity track of NTIRE 2022 efficient SR.

Z. Li et al., "Blueprint Separable Residual Network for Efficient Image Super-Resolution",
CVPR Workshops 2022, arXiv 2205.05996.
"""

import torch
from torch import Tensor, nn

from srlens.networks.zoo.distillation import ResidualDistillationBlock
from srlens.networks.zoo.esa import ESA
from srlens.networks.zoo.family import Family, own_facts
from srlens.networks.zoo.layers import ChannelAttention, EnlargingNetwork, named, run_blocks, shuffled

_COPIES = 4


class BSConvU(nn.Module):
    """Blueprint separable convolution: 1×1 without bias (``pw``), then 3×3 in each map by itself (``dw``)."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1, padding: int = 1) -> None:
        super().__init__()
        self.pw = nn.Conv2d(inputs, outputs, 1, bias=False)
        self.dw = nn.Conv2d(outputs, outputs, 3, stride=stride, padding=padding, groups=outputs)

    def forward(self, x: Tensor) -> Tensor:
        """N×inputs×h×w to N×outputs×h×w (without padding or with a stride: smaller)."""
        return self.dw(self.pw(x))


def contrast(x: Tensor) -> Tensor:
    """Mean plus standard deviation of each map over the image: N×C×h×w to N×C×1×1."""
    # torch.std has gradient 0 where a map is exactly flat; a square root would give NaN there.
    return x.std(dim=(2, 3), correction=0, keepdim=True) + x.mean(dim=(2, 3), keepdim=True)


class _DistillationBlock(ResidualDistillationBlock):
    """RFDN's block in separable convolutions, with channel attention and a skip besides (ESDB)."""

    def __init__(self, width: int, distilled: int, attention_width: int, squeezed: int) -> None:
        super().__init__(width, distilled, BSConvU, nn.GELU(), ESA(width, attention_width, BSConvU, nn.GELU()))
        self.cca = ChannelAttention(width, squeezed, contrast)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.cca(super().forward(x))
        return out + x


class BSRN(EnlargingNetwork):
    """Takes N×C×h×w in 0–1 (h, w ≥ 15), gives N×C×sh×sw.

    Args:
        width: maps; 64 in the paper, 48 in BSRN-S.
        distilled: maps of a summary.
        attention_width: maps inside the spatial attention.
        squeezed: maps inside the channel attention.
        blocks: 8 in the paper, 5 in BSRN-S.
        image: ``scale`` and ``channels``, see :class:`~srlens.networks.zoo.layers.EnlargingNetwork`.
    """

    def __init__(
        self,
        *,
        width: int = 64,
        distilled: int = 32,
        attention_width: int = 16,
        squeezed: int = 4,
        blocks: int = 8,
        **image: int,
    ) -> None:
        super().__init__(**image)
        self.block_names = [f"B{number}" for number in range(1, blocks + 1)]
        self.fea_conv = BSConvU(_COPIES * self.channels, width)
        for name in self.block_names:
            self.add_module(name, _DistillationBlock(width, distilled, attention_width, squeezed))
        self.c1 = nn.Conv2d(width * blocks, width, 1)
        self.act = nn.GELU()
        self.c2 = BSConvU(width, width)
        self.upsampler = named(upsampleOneStep=shuffled(width, self.scale, self.channels))

    def forward(self, x: Tensor) -> Tensor:
        """Super-resolve N×C×h×w."""
        # The first layer is fed four copies of the image: its kernels are shaped that way.
        shallow = self.fea_conv(torch.cat([x] * _COPIES, dim=1))
        outputs = run_blocks(self, self.block_names, shallow)
        fused = self.c2(self.act(self.c1(torch.cat(outputs, dim=1))))
        return self.upsampler(fused + shallow)


FAMILY = Family(**own_facts("BSRN", BSRN))
