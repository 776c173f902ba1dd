"""SAN: second-order attention network.

T. Dai, J. Cai, Y. Zhang, S.-T. Xia, L. Zhang, "Second-order Attention Network for Single Image
Super-Resolution", CVPR 2019. The square root of the covariance: P. Li, J. Xie, Q. Wang, Z. Gao, "Towards
Faster Training of Global Covariance Pooling Networks by Iterative Matrix Square Root Normalization",
CVPR 2018, arXiv 1712.01034.
"""

import torch
from spandrel import Architecture, ImageModelDescriptor, SizeRequirements, StateDict
from spandrel.util import KeyCondition
from torch import Tensor, nn

from srlens.networks.receptive_field import GLOBAL
from srlens.networks.zoo.family import Family
from srlens.networks.zoo.layers import MeanShift, Upsampler, channel_means, count_blocks, upsampler_scale

_ITERATIONS = 5
_POOLED_SIDE = 1000
"""Covariance is taken over at most this many pixels of each axis, around the centre."""


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


class _SecondOrderAttention(nn.Module):
    """Scales each map by a weight drawn from the square root of the maps' covariance (SOCA)."""

    def __init__(self, width: int, squeezed: int) -> None:
        super().__init__()
        self.conv_du = nn.Sequential(
            nn.Conv2d(width, squeezed, 1), nn.ReLU(), nn.Conv2d(squeezed, width, 1), nn.Sigmoid()
        )

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[-2:]
        top, left = max(0, height - _POOLED_SIDE) // 2, max(0, width - _POOLED_SIDE) // 2
        pooled = x[:, :, top : top + _POOLED_SIDE, left : left + _POOLED_SIDE]
        root = matrix_square_root(covariance(pooled))
        weight: Tensor = self.conv_du(root.mean(dim=1)[:, :, None, None])
        return x * weight


class _NonLocalBlock(nn.Module):
    """Adds to every pixel a sum over the map pooled by two, weighted by the match of 1×1 embeddings."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.g = nn.Sequential(nn.Conv2d(width, inner, 1), nn.MaxPool2d(2))
        self.W = nn.Conv2d(inner, width, 1)
        self.theta = nn.Conv2d(width, inner, 1)
        self.phi = nn.Sequential(nn.Conv2d(width, inner, 1), nn.MaxPool2d(2))

    def forward(self, x: Tensor) -> Tensor:
        readers = self.theta(x).flatten(2).transpose(1, 2)
        weights = (readers @ self.phi(x).flatten(2)).softmax(dim=-1)
        gathered = weights @ self.g(x).flatten(2).transpose(1, 2)
        out: Tensor = self.W(gathered.transpose(1, 2).unflatten(2, x.shape[-2:])) + x
        return out


class _RegionNonLocal(nn.Module):
    """A non-local block applied to each quarter of the map by itself (RL-NL)."""

    def __init__(self, width: int, inner: int, squeezed: int) -> None:
        super().__init__()
        # Never used by the published forward pass; its weights are in the files.
        self.soca = _SecondOrderAttention(width, squeezed)
        self.non_local = _NonLocalBlock(width, inner)

    def forward(self, x: Tensor) -> Tensor:
        middle, centre = x.shape[-2] // 2, x.shape[-1] // 2
        rows = [
            torch.cat([self.non_local(row[..., :centre]), self.non_local(row[..., centre:])], dim=3)
            for row in (x[:, :, :middle], x[:, :, middle:])
        ]
        return torch.cat(rows, dim=2)


class _ResidualBlock(nn.Module):
    """3×3, ReLU, 3×3, plus the input."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv_first = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, width, 3, padding=1)
        )

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.conv_first(x) + x
        return out


class _AttentionGroup(nn.Module):
    """Residual blocks, second-order attention, 3×3, plus the input (LSRAG)."""

    def __init__(self, width: int, squeezed: int, blocks: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.zeros(1))  # in the files, never used by the published forward pass
        self.rcab = nn.ModuleList(_ResidualBlock(width) for _ in range(blocks))
        self.soca = _SecondOrderAttention(width, squeezed)
        self.conv_last = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        y = x
        for block in self.rcab:
            y = block(y)
        out: Tensor = self.conv_last(self.soca(y)) + x
        return out


class SAN(nn.Module):
    """Takes N×C×h×w in 0–255 (h, w ≥ 4), gives N×C×sh×sw.

    Args:
        width: maps, 64 in the paper.
        squeezed: maps inside the channel attention of a group.
        inner: maps inside the non-local block.
        inner_squeezed: maps inside the (unused) channel attention beside it.
        groups: attention groups, 20 in the paper.
        blocks: residual blocks of a group, 10 in the paper.
        scale: 2, 3, 4 or 8.
        channels: C.
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
        scale: int = 4,
        channels: int = 3,
    ) -> None:
        super().__init__()
        means = channel_means(channels, 255.0)
        self.sub_mean = MeanShift([-mean for mean in means])
        self.add_mean = MeanShift(means)
        self.head = nn.Sequential(nn.Conv2d(channels, width, 3, padding=1))
        self.gamma = nn.Parameter(torch.zeros(1))
        self.RG = nn.ModuleList(_AttentionGroup(width, squeezed, blocks) for _ in range(groups))
        self.conv_last = nn.Conv2d(width, width, 3, padding=1)  # in the files, never used by the forward pass
        self.non_local = _RegionNonLocal(width, inner, inner_squeezed)
        self.tail = nn.Sequential(Upsampler(scale, width), nn.Conv2d(width, channels, 3, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        """Super-resolve N×C×h×w."""
        shallow = self.head(self.sub_mean(x))
        source = y = self.non_local(shallow)
        for group in self.RG:
            y = group(y) + self.gamma * source
        sr: Tensor = self.add_mean(self.tail(self.non_local(y) + shallow))
        return sr


class SANArchitecture(Architecture[SAN]):
    """Recognises and opens the authors' files."""

    def __init__(self) -> None:
        super().__init__(
            id="SAN",
            detect=KeyCondition.has_all(
                "gamma",
                "head.0.weight",
                "RG.0.gamma",
                "RG.0.rcab.0.conv_first.0.weight",
                "RG.0.soca.conv_du.0.weight",
                "non_local.non_local.theta.weight",
                "tail.0.0.weight",
                "tail.1.weight",
            ),
        )

    def load(self, state_dict: StateDict) -> ImageModelDescriptor[SAN]:
        """Build the module that a state dict describes and fill it."""
        width, channels = state_dict["head.0.weight"].shape[:2]
        groups = count_blocks(state_dict, "RG.{}.conv_last.weight")
        blocks = count_blocks(state_dict, "RG.0.rcab.{}.conv_first.0.weight")
        scale = upsampler_scale(state_dict, "tail.0", width)
        model = SAN(
            width=width,
            squeezed=state_dict["RG.0.soca.conv_du.0.weight"].shape[0],
            inner=state_dict["non_local.non_local.theta.weight"].shape[0],
            inner_squeezed=state_dict["non_local.soca.conv_du.0.weight"].shape[0],
            groups=groups,
            blocks=blocks,
            scale=scale,
            channels=channels,
        )
        return ImageModelDescriptor(
            model,
            state_dict,
            architecture=self,
            purpose="SR",
            tags=[f"{width}nf", f"{groups}ng", f"{blocks}nb"],
            supports_half=False,
            supports_bfloat16=False,
            scale=scale,
            input_channels=channels,
            output_channels=channels,
            # Each quarter of the map is pooled by two.
            size_requirements=SizeRequirements(minimum=4),
        )


ARCHITECTURE = SANArchitecture()
FAMILY = Family(
    id="SAN",
    name="SAN",
    kind="non-local",
    paper="T. Dai, J. Cai, Y. Zhang, S.-T. Xia, L. Zhang, CVPR 2019",
    receptive_field=lambda _: GLOBAL,  # covariance pooling and non-local blocks
    value_range=lambda _: 255.0,  # whatever mean shift the file brings
    note="Works on 0–255; the mean shift comes with the file. Non-local within each quarter of the image.",
)
