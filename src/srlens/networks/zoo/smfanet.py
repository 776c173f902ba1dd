"""SMFANet: self-modulation feature aggregation network.

M. Zheng et al., "SMFANet: A Lightweight Self-Modulation Feature Aggregation Network for Efficient Image
Super-Resolution", ECCV 2024.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from srlens.networks.zoo.family import Family, own_facts
from srlens.networks.zoo.layers import EnlargingNetwork, convolution, named, shuffled

_POOLING = 8


def _local_detail(width: int, hidden: int) -> nn.Sequential:
    """Local detail estimation: depthwise 3×3, 1×1, GELU, 1×1."""
    first = nn.Sequential(convolution(width, hidden, groups=width), nn.Conv2d(hidden, hidden, 1))
    return named(conv_0=first, act=nn.GELU(), conv_1=nn.Conv2d(hidden, width, 1))


class _SelfModulation(nn.Module):
    """Half of the maps modulated by their coarse maxima and global variance, plus local detail (SMFA)."""

    def __init__(self, width: int, detail_width: int) -> None:
        super().__init__()
        self.linear_0 = nn.Conv2d(width, 2 * width, 1)
        self.linear_1 = nn.Conv2d(width, width, 1)
        self.linear_2 = nn.Conv2d(width, width, 1)
        self.lde = _local_detail(width, detail_width)
        self.dw_conv = convolution(width, width, groups=width)
        self.act = nn.GELU()
        self.alpha = nn.Parameter(torch.ones(1, width, 1, 1))
        self.belt = nn.Parameter(torch.zeros(1, width, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[-2:]
        local, wide = self.linear_0(x).chunk(2, dim=1)
        coarse = functional.adaptive_max_pool2d(wide, (height // _POOLING, width // _POOLING))
        spread = wide.var(dim=(2, 3), keepdim=True)
        modulation = self.act(self.linear_1(self.dw_conv(coarse) * self.alpha + spread * self.belt))
        modulation = functional.interpolate(modulation, size=(height, width), mode="nearest")
        return self.linear_2(wide * modulation + self.lde(local))


class _PartialFeedForward(nn.Module):
    """1×1 to more maps, a 3×3 convolution on the first few of them only, 1×1 back (PCFN)."""

    def __init__(self, width: int, hidden: int, partial: int) -> None:
        super().__init__()
        self.partial = partial
        self.conv_0 = nn.Conv2d(width, hidden, 1)
        self.conv_1 = convolution(partial, partial)
        self.act = nn.GELU()
        self.conv_2 = nn.Conv2d(hidden, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.act(self.conv_0(x))
        # Joined anew in evaluation too, where the authors overwrite in place and lose the gradient.
        mixed = self.act(self.conv_1(x[:, : self.partial]))
        return self.conv_2(torch.cat([mixed, x[:, self.partial :]], dim=1))


class _ModulationBlock(nn.Module):
    """Self-modulation and feed-forward, each after normalising the feature vector of every pixel (FMB)."""

    def __init__(self, width: int, detail_width: int, hidden: int, partial: int) -> None:
        super().__init__()
        self.smfa = _SelfModulation(width, detail_width)
        self.pcfn = _PartialFeedForward(width, hidden, partial)

    def forward(self, x: Tensor) -> Tensor:
        x = self.smfa(functional.normalize(x)) + x
        return self.pcfn(functional.normalize(x)) + x


class SMFANet(EnlargingNetwork):
    """Takes N×C×h×w in 0–1 (h, w ≥ 8), gives N×C×sh×sw.

    Args:
        width: maps; 36, in SMFANet+ 48.
        blocks: 8, in SMFANet+ 16.
        detail_width: maps inside the local detail estimation, twice the width in the paper.
        hidden: maps inside the feed-forward part.
        partial: how many of those a 3×3 convolution touches.
        image: ``scale`` and ``channels``, see :class:`~srlens.networks.zoo.layers.EnlargingNetwork`.
    """

    def __init__(
        self,
        *,
        width: int = 36,
        blocks: int = 8,
        detail_width: int = 72,
        hidden: int = 72,
        partial: int = 18,
        **image: int,
    ) -> None:
        super().__init__(**image)
        self.to_feat = convolution(self.channels, width)
        self.feats = nn.Sequential(*(_ModulationBlock(width, detail_width, hidden, partial) for _ in range(blocks)))
        self.to_img = shuffled(width, self.scale, self.channels)

    def forward(self, x: Tensor) -> Tensor:
        """Super-resolve N×C×h×w."""
        x = self.to_feat(x)
        return self.to_img(self.feats(x) + x)


FAMILY = Family(**own_facts("SMFANet", SMFANet))
