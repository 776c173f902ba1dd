"""RNAN: residual non-local attention network.

Y. Zhang, K. Li, K. Li, B. Zhong, Y. Fu, "Residual Non-local Attention Networks for Image Restoration",
ICLR 2019, arXiv 1903.10082.
"""

from torch import Tensor, nn

from srlens.networks.checkpoint import StateDict
from srlens.networks.zoo import layers
from srlens.networks.zoo.family import Family, own_facts
from srlens.networks.zoo.reading import read_sizes


def _residual(width: int) -> layers.Residual:
    return layers.Residual(body=layers.two_convolutions(width))


class _MaskBranch(nn.Module):
    """A mask in (0, 1) by way of half the resolution; a non-local block first where ``inner`` is given."""

    def __init__(self, width: int, inner: int | None) -> None:
        super().__init__()
        first = [] if inner is None else [layers.NonLocalBlock(width, inner, pooled=False, over_readers=True)]
        self.MB_RB1 = nn.Sequential(*first, _residual(width))
        self.MB_Down = nn.Sequential(nn.Conv2d(width, width, 3, stride=2, padding=1))
        self.MB_RB2 = nn.Sequential(_residual(width), _residual(width))
        self.MB_Up = nn.Sequential(nn.ConvTranspose2d(width, width, 6, stride=2, padding=2))
        self.MB_RB3 = nn.Sequential(_residual(width))
        self.MB_1x1conv = nn.Sequential(nn.Conv2d(width, width, 1))

    def forward(self, x: Tensor) -> Tensor:
        fine = self.MB_RB1(x)
        coarse = self.MB_RB2(self.MB_Down(fine))
        mask: Tensor = self.MB_1x1conv(self.MB_RB3(fine + self.MB_Up(coarse)))
        return mask.sigmoid()


class _AttentionModule(nn.Module):
    """Trunk × mask, plus the way around both."""

    def __init__(self, width: int, inner: int | None) -> None:
        super().__init__()
        self.RA_RB1 = nn.Sequential(_residual(width))
        self.RA_TB = nn.Sequential(layers.named(body=nn.Sequential(_residual(width), _residual(width))))
        self.RA_MB = nn.Sequential(_MaskBranch(width, inner))
        self.RA_tail = nn.Sequential(_residual(width), _residual(width))

    def forward(self, x: Tensor) -> Tensor:
        x = self.RA_RB1(x)
        return self.RA_tail(self.RA_TB(x) * self.RA_MB(x) + x)


def _group(width: int, inner: int | None = None) -> nn.Sequential:
    """An attention module and a 3×3 convolution."""
    return layers.named(body=nn.Sequential(_AttentionModule(width, inner), layers.convolution(width, width)))


class RNAN(layers.MeanShiftedNetwork):
    """Takes N×C×h×w in 0–255 (h, w even), gives N×C×sh×sw.

    Args:
        width: maps, 64 in the paper.
        inner: maps inside the non-local blocks, half the width in the paper.
        groups: attention groups in all, 10 in the paper; the first and the last are non-local.
        image: ``scale`` and ``channels``, see :class:`~srlens.networks.zoo.layers.EnlargingNetwork`.
    """

    def __init__(self, *, width: int = 64, inner: int = 32, groups: int = 10, **image: int) -> None:
        super().__init__(width, 255.0, **image)
        self.body_nl_low = nn.Sequential(_group(width, inner))
        self.body = nn.Sequential(*(_group(width) for _ in range(groups - 2)), layers.convolution(width, width))
        self.body_nl_high = nn.Sequential(_group(width, inner))
        self.tail = layers.subpixel_tail(self.scale, width, self.channels)

    def trunk(self, shallow: Tensor) -> Tensor:
        """The groups, and the way around them."""
        return self.body_nl_high(self.body(self.body_nl_low(shallow))) + shallow


def _build(state: StateDict) -> RNAN:
    sizes = read_sizes(
        state, "head.0", scale="tail.0", inner="body_nl_low.0.body.0.RA_MB.0.MB_RB1.0.theta", groups="body.{}.body.1"
    )
    return RNAN(**sizes | {"groups": sizes["groups"] + 2})


FAMILY = Family(**own_facts("RNAN"), build=_build)
