"""SAN: second-order attention network.

T. Dai, J. Cai, Y. Zhang, S.-T. Xia, L. Zhang, "Second-order Attention Network for Single Image
Super-Resolution", CVPR 2019. The square root of the covariance: P. Li, J. Xie, Q. Wang, Z. Gao, "Towards
Faster Training of Global Covariance Pooling Networks by Iterative Matrix Square Root Normalization",
CVPR 2018, arXiv 1712.01034.
"""

import torch
from torch import Tensor, nn

from srlens.networks.zoo import layers
from srlens.networks.zoo.family import Family, own_facts

_ITERATIONS = 5
#: Covariance is taken over at most this many pixels of each axis, around the centre.
_POOLED_SIDE = 1000


def covariance(x: Tensor) -> Tensor:
    """Covariance of the maps over all pixels (divided by their number): N×C×h×w to N×C×C."""
    centred = x.flatten(2) - x.flatten(2).mean(dim=2, keepdim=True)
    return centred @ centred.transpose(1, 2) / centred.shape[2]


def matrix_square_root(matrix: Tensor, iterations: int = _ITERATIONS) -> Tensor:
    """Approximate the square root of N×C×C positive matrices: scale to trace 1, then Newton–Schulz steps.

    Few steps are part of the network: it was trained with this approximation, not with the exact root.
    """
    trace = matrix.diagonal(dim1=1, dim2=2).sum(dim=1)[:, None, None]
    three = 3.0 * torch.eye(matrix.shape[-1], dtype=matrix.dtype, device=matrix.device)
    y = matrix / trace
    step = 0.5 * (three - y)
    y, z = y @ step, step
    for _ in range(iterations - 2):
        step = 0.5 * (three - z @ y)
        y, z = y @ step, step @ z
    return 0.5 * (y @ (three - z @ y)) * trace.sqrt()


def _second_order(x: Tensor) -> Tensor:
    """One number per map, of the square root of the maps' covariance: N×C×h×w to N×C×1×1."""
    height, width = x.shape[-2:]
    top, left = max(0, height - _POOLED_SIDE) // 2, max(0, width - _POOLED_SIDE) // 2
    pooled = x[:, :, top : top + _POOLED_SIDE, left : left + _POOLED_SIDE]
    return matrix_square_root(covariance(pooled)).mean(dim=1)[:, :, None, None]


class _RegionNonLocal(nn.Module):
    """A non-local block applied to each quarter of the map by itself (RL-NL)."""

    def __init__(self, width: int, inner: int, squeezed: int) -> None:
        super().__init__()
        # Never used by the published forward pass; its weights are in the files.
        self.soca = layers.ChannelAttention(width, squeezed, _second_order)
        self.non_local = layers.NonLocalBlock(width, inner, pooled=True, over_readers=False)

    def forward(self, x: Tensor) -> Tensor:
        middle, centre = x.shape[-2] // 2, x.shape[-1] // 2
        rows = [map(self.non_local, row.tensor_split((centre,), dim=3)) for row in x.tensor_split((middle,), dim=2)]
        return torch.cat([torch.cat(list(row), dim=3) for row in rows], dim=2)


class _AttentionGroup(nn.Module):
    """Residual blocks, second-order attention, 3×3, plus the input (LSRAG)."""

    def __init__(self, width: int, squeezed: int, blocks: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.zeros(1))  # in the files, never used by the published forward pass
        residuals = (layers.Residual(conv_first=layers.two_convolutions(width)) for _ in range(blocks))
        self.rcab = nn.Sequential(*residuals)
        self.soca = layers.ChannelAttention(width, squeezed, _second_order)
        self.conv_last = layers.convolution(width, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv_last(self.soca(self.rcab(x))) + x


class SAN(layers.MeanShiftedNetwork):
    """Takes N×C×h×w in 0–255 (h, w ≥ 4), gives N×C×sh×sw.

    Args:
        width: maps, 64 in the paper.
        squeezed: maps inside the channel attention of a group.
        inner: maps inside the non-local block.
        inner_squeezed: maps inside the (unused) channel attention beside it.
        groups: attention groups, 20 in the paper.
        blocks: residual blocks of a group, 10 in the paper.
        image: ``scale`` and ``channels``, see :class:`~srlens.networks.zoo.layers.EnlargingNetwork`.
    """

    def __init__(
        self,
        *,
        width: int = 64,
        squeezed: int = 4,
        inner: int = 8,
        inner_squeezed: int = 8,
        groups: int = 20,
        blocks: int = 10,
        **image: int,
    ) -> None:
        super().__init__(width, 255.0, **image)
        self.gamma = nn.Parameter(torch.zeros(1))
        self.RG = nn.ModuleList(_AttentionGroup(width, squeezed, blocks) for _ in range(groups))
        self.conv_last = layers.convolution(width, width)  # in the files, never used by the forward pass
        self.non_local = _RegionNonLocal(width, inner, inner_squeezed)
        self.tail = layers.subpixel_tail(self.scale, width, self.channels)

    def trunk(self, shallow: Tensor) -> Tensor:
        """The groups between two non-local blocks, and the way around them."""
        source = y = self.non_local(shallow)
        for group in self.RG:
            y = group(y) + self.gamma * source
        return self.non_local(y) + shallow


FAMILY = Family(**own_facts("SAN", SAN))
