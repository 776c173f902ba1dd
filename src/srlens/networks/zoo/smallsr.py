"""SmallSR, the architecture of the shipped networks: one small trunk, with or without a way to see far.

All three enlarge by four and share every 3×3 convolution; they differ only in what stands inside the residual
blocks. That makes them a controlled experiment: whatever a local attribution map shows more of in ``channel``
or ``nonlocal`` than in ``plain`` came through the attention.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from srlens.networks.checkpoint import StateDict
from srlens.networks.receptive_field import GLOBAL, ReceptiveField, Stage
from srlens.networks.zoo.family import Family, Kind, own_facts
from srlens.networks.zoo.layers import EnlargingNetwork, Residual, convolution
from srlens.networks.zoo.reading import count_blocks

#: Enlargement of every shipped network.
SCALE = 4

WIDTH = 32
BLOCKS = 4

#: Farthest LR pixel, counted from the LR pixel under an SR pixel, that ×4 bicubic enlargement reads.
BICUBIC_REACH = 2


def standardise(x: Tensor) -> Tensor:
    """Bring the channels of each pixel of ``x`` (N×C×h×w) to mean 0 and, above rounding, variance 1.

    Averages of features are small numbers; what tells pictures apart is their ratio between channels.
    """
    centred = x - x.mean(dim=1, keepdim=True)
    return centred * torch.rsqrt((centred * centred).mean(dim=1, keepdim=True) + 1e-5)


class ChannelAttention(nn.Module):
    """A gate per channel, computed from the average over the whole image.

    Takes and gives N×C×h×w. The gate lies in (0, 2) and is exactly 1 for zero weights in the last layer, so
    that a trained network keeps its output when the gate is added to it.
    """

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(channels, hidden, 1)
        self.excite = nn.Conv2d(hidden, channels, 1)
        nn.init.zeros_(self.excite.weight)
        nn.init.zeros_(self.excite.bias)  # type: ignore[arg-type]  # a bias is there by default

    def forward(self, x: Tensor) -> Tensor:
        """Gate ``x`` (N×C×h×w)."""
        average = standardise(x.mean(dim=(2, 3), keepdim=True))
        gate = torch.sigmoid(self.excite(torch.relu(self.squeeze(average))))
        return x * (2 * gate)


class NonLocalAttention(nn.Module):
    """A gate per pixel and channel, computed from what a pixel finds on a coarse grid over the whole image.

    Takes and gives N×C×h×w for any h, w ≥ 1. Queries are the pixels; keys and values are averages over cells
    of at least ``cell``×``cell`` pixels. Cells grow with the image so that no more than ``grid`` of them lie
    along a side: the score matrix has at most h·w·grid² entries.

    As in RNAN the answer is a mask: an added answer would meet the pixel's own features only in later blocks.
    The gate lies in (0, 2) and is exactly 1 for zero weights in the last layer, so that a trained network
    keeps its output when the gate is added to it.
    """

    def __init__(self, channels: int, embedding: int, cell: int = 4, grid: int = 24) -> None:
        super().__init__()
        self.cell, self.grid = cell, grid
        self.query = nn.Conv2d(channels, embedding, 1)
        self.key = nn.Conv2d(channels, embedding, 1)
        self.value = nn.Conv2d(channels, channels, 1)
        self.project = nn.Conv2d(channels, channels, 1)
        self.inverse_temperature = embedding**-0.5
        nn.init.zeros_(self.project.weight)
        nn.init.zeros_(self.project.bias)  # type: ignore[arg-type]  # a bias is there by default

    def forward(self, x: Tensor) -> Tensor:
        """Gate ``x`` (N×C×h×w)."""
        height, width = x.shape[-2:]
        cells = nn.functional.avg_pool2d(
            x,
            kernel_size=(self.cell_side(height), self.cell_side(width)),
            ceil_mode=True,  # an odd rest makes a smaller cell …
            count_include_pad=False,  # … whose average counts real pixels only
        )
        cells = standardise(cells)
        query = self.query(standardise(x)).flatten(2).transpose(1, 2)  # N × hw × E
        key = self.key(cells).flatten(2)  # N × E × cells
        value = self.value(cells).flatten(2).transpose(1, 2)  # N × cells × C
        weights = torch.softmax(query @ key * self.inverse_temperature, dim=-1)
        answer = (weights @ value).transpose(1, 2).unflatten(2, (height, width))
        gate = torch.sigmoid(self.project(torch.relu(answer)))
        return x * (2 * gate)

    def cell_side(self, side: int) -> int:
        """Side of a cell, in pixels, along a side of ``side`` pixels."""
        return min(side, max(self.cell, -(-side // self.grid)))


def residual_block(width: int, attention: nn.Module) -> Residual:
    """``x + conv(attention(relu(conv(x))))`` on N×C×h×w; ``attention`` may be the identity."""
    # After the rectifier the average of a channel says how much of its feature the image holds;
    # before it, positive and negative responses would cancel.
    expand, reduce = convolution(width, width), convolution(width, width)
    return Residual(expand=expand, rectify=nn.ReLU(), attention=attention, reduce=reduce)


class SmallSR(EnlargingNetwork):
    """A ×4 super-resolution network for RGB: bicubic enlargement plus a learnt residual.

    Takes N×3×h×w in [0, 1] with h, w ≥ 8; gives N×3×4h×4w, about [0, 1], not clamped. All convolutions stand
    on the LR grid and one pixel shuffle ends it. Nothing works in place; on the CPU the result is
    deterministic.

    ``attention`` is called with the number of each block, from 0, and returns the module that stands between
    the block's two convolutions.
    """

    def __init__(self, attention: Callable[[int], nn.Module], width: int = WIDTH, blocks: int = BLOCKS) -> None:
        super().__init__(SCALE)
        self.head = convolution(3, width)
        self.body = nn.Sequential(*(residual_block(width, attention(i)) for i in range(blocks)))
        self.tail = convolution(width, 3 * SCALE**2)
        self.shuffle = nn.PixelShuffle(SCALE)

    def forward(self, x: Tensor) -> Tensor:
        """Enlarge ``x`` (N×3×h×w in [0, 1]) to N×3×4h×4w."""
        shallow = self.head(x)
        residual: Tensor = self.shuffle(self.tail(shallow + self.body(shallow)))
        enlarged = nn.functional.interpolate(x, scale_factor=SCALE, mode="bicubic", align_corners=False)
        return enlarged + residual


def _build(state: StateDict) -> SmallSR:
    def attention(block: int) -> nn.Module:
        prefix = f"body.{block}.attention"
        if (squeeze := state.get(f"{prefix}.squeeze.weight")) is not None:
            return ChannelAttention(squeeze.shape[1], hidden=squeeze.shape[0])
        if (query := state.get(f"{prefix}.query.weight")) is not None:
            return NonLocalAttention(query.shape[1], embedding=query.shape[0])
        return nn.Identity()

    return SmallSR(attention, state["head.weight"].shape[0], count_blocks(state, "body.{}.expand.weight"))


def _kind(module: SmallSR) -> Kind:
    has = {type(part) for part in module.modules()}
    return "non-local" if NonLocalAttention in has else "global pooling" if ChannelAttention in has else "convolution"


def _receptive_field(module: SmallSR) -> ReceptiveField:
    if _kind(module) != "convolution":
        return GLOBAL
    # The convolutions stand one behind another on the LR grid, so that their radii add, and the paper's count and the
    # true side length are one number. Bicubic enlargement runs beside them.
    stack = sum(part.kernel_size[0] // 2 for part in module.modules() if isinstance(part, nn.Conv2d))
    radius = max(stack, BICUBIC_REACH)
    return ReceptiveField((Stage(1, radius),), paper=1 + 2 * radius)


FAMILY = Family(**own_facts("SmallSR"), kind=_kind, build=_build, receptive_field=_receptive_field)
