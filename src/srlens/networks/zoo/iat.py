"""IAT: illumination-adaptive transformer for pictures taken in the dark.

Z. Cui et al., "You Only Need 90K Parameters to Adapt Light: a Light Weight Transformer for Image Enhancement and
Exposure Correction", BMVC 2022, arXiv 2205.14871.
"""

import torch
from torch import Tensor, nn

from srlens.networks.checkpoint import StateDict
from srlens.networks.zoo.family import Family, own_facts
from srlens.networks.zoo.layers import convolution, named
from srlens.networks.zoo.reading import count_blocks

#: Learned queries: one for gamma, nine for the colour matrix.
QUERIES = 10
HEADS = 4
_DARKEST = 1e-8  # a power of 0 has no gradient


class _ColourNormalisation(nn.Module):
    """Mixes the channels of each pixel, then scales and shifts them: N×C×h×w in and out."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.ones(1, 1, width))
        self.beta = nn.Parameter(torch.zeros(1, 1, width))
        self.color = nn.Parameter(torch.eye(width))

    def forward(self, x: Tensor) -> Tensor:
        mixed = nn.functional.conv2d(x, self.color[:, :, None, None])
        return mixed * self.alpha.view(1, -1, 1, 1) + self.beta.view(1, -1, 1, 1)


class _LocalBlock(nn.Module):
    """Depthwise 3×3, depthwise 5×5 between 1×1 layers, and two 1×1 layers, each with a skip: N×C×h×w in and out."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.gamma_1 = nn.Parameter(torch.full((1, width, 1, 1), 1e-4))
        self.gamma_2 = nn.Parameter(torch.full((1, width, 1, 1), 1e-4))
        self.pos_embed = convolution(width, width, groups=width)
        self.norm1 = _ColourNormalisation(width)
        self.conv1 = nn.Conv2d(width, width, 1)
        self.conv2 = nn.Conv2d(width, width, 1)
        self.attn = nn.Conv2d(width, width, 5, padding=2, groups=width)
        self.norm2 = _ColourNormalisation(width)
        self.mlp = named(fc1=nn.Conv2d(width, hidden, 1), act=nn.GELU(), fc2=nn.Conv2d(hidden, width, 1))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.pos_embed(x)
        x = x + self.gamma_1 * self.conv2(self.attn(self.conv1(self.norm1(x))))
        return x + self.gamma_2 * self.mlp(self.norm2(x))


class _LocalBranch(nn.Module):
    """What each value of the picture is multiplied by, and what is added: N×C×h×w to two of the same shape."""

    def __init__(self, channels: int, width: int, hidden: int, blocks: int) -> None:
        super().__init__()
        self.conv1 = convolution(channels, width)
        self.mul_blocks = nn.Sequential(*(_LocalBlock(width, hidden) for _ in range(blocks)))
        self.add_blocks = nn.Sequential(*(_LocalBlock(width, hidden) for _ in range(blocks)))
        self.mul_end = nn.Sequential(convolution(width, channels), nn.ReLU())
        self.add_end = nn.Sequential(convolution(width, channels), nn.Tanh())

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        shallow = nn.functional.leaky_relu(self.conv1(x), 0.2)
        factor = self.mul_end(self.mul_blocks(shallow) + shallow)
        return factor, self.add_end(self.add_blocks(shallow) + shallow)


class _QueryAttention(nn.Module):
    """Answers of N×P×C positions to ten learned queries, N×10×C; memory grows with P."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.q = nn.Parameter(torch.ones(1, QUERIES, width))
        self.k = nn.Linear(width, width, bias=False)
        self.v = nn.Linear(width, width, bias=False)
        self.proj = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = (_by_head(one) for one in (self.q.expand(len(x), -1, -1), self.k(x), self.v(x)))
        match = query @ key.transpose(-2, -1) * query.shape[-1] ** -0.5
        return self.proj((match.softmax(dim=-1) @ value).transpose(1, 2).flatten(2))


def _by_head(x: Tensor) -> Tensor:
    """N×P×C to N×heads×P×(C / heads)."""
    return x.reshape(*x.shape[:2], HEADS, -1).transpose(1, 2)


class _Generator(nn.Module):
    """From features N×C×h×w to one vector a query, N×10×C."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.pos_embed = convolution(width, width, groups=width)
        self.norm1 = nn.LayerNorm(width)
        self.attn = _QueryAttention(width)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = named(fc1=nn.Linear(width, hidden), act=nn.GELU(), fc2=nn.Linear(hidden, width))

    def forward(self, x: Tensor) -> Tensor:
        positions = (x + self.pos_embed(x)).flatten(2).transpose(1, 2)
        answers = self.attn(self.norm1(positions))
        return answers + self.mlp(self.norm2(answers))


class _GlobalBranch(nn.Module):
    """Of a picture N×3×h×w its gamma, N×1×1×1, and its colour matrix, N×3×3."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.gamma_base = nn.Parameter(torch.ones(1))
        self.color_base = nn.Parameter(torch.eye(3))
        layers = (
            nn.Conv2d(3, width // 2, 3, stride=2, padding=1), nn.BatchNorm2d(width // 2), nn.GELU(),
            nn.Conv2d(width // 2, width, 3, stride=2, padding=1), nn.BatchNorm2d(width),
        )  # fmt: skip
        self.conv_large = named(proj=nn.Sequential(*layers))
        self.generator = _Generator(width, hidden)
        self.gamma_linear = nn.Linear(width, 1)
        self.color_linear = nn.Linear(width, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        answers = self.generator(self.conv_large(x))
        gamma = self.gamma_linear(answers[:, :1]) + self.gamma_base
        matrix = self.color_linear(answers[:, 1:]).view(-1, 3, 3) + self.color_base
        return gamma[..., None], matrix


class IAT(nn.Module):
    """The picture of two branches: ``(matrix · (x·factor + addend))^gamma``, clamped before the power.

    Takes N×3×h×w in [0, 1], gives N×3×h×w in (0, 1]. (The authors' module returns factor, addend and picture.)

    Args:
        width: maps of the local branch.
        blocks: in each half of it.
        embedding: maps of the global branch.
        hidden: maps inside the two 1×1 layers of a block; of the global branch ``global_hidden``.
        global_hidden: see there.
    """

    scale, channels = 1, 3

    def __init__(
        self, *, width: int = 16, blocks: int = 3, embedding: int = 64, hidden: int = 64, global_hidden: int = 256
    ) -> None:
        super().__init__()
        self.local_net = _LocalBranch(self.channels, width, hidden, blocks)
        self.global_net = _GlobalBranch(embedding, global_hidden)

    def forward(self, x: Tensor) -> Tensor:
        """Brighten N×3×h×w."""
        factor, addend = self.local_net(x)
        gamma, matrix = self.global_net(x)
        mixed = torch.einsum("nij,njhw->nihw", matrix, x * factor + addend)
        return mixed.clamp(_DARKEST, 1.0) ** gamma


def _build(state: StateDict) -> IAT:
    return IAT(
        width=state["local_net.conv1.weight"].shape[0],
        blocks=count_blocks(state, "local_net.mul_blocks.{}.conv1.weight"),
        hidden=state["local_net.mul_blocks.0.mlp.fc1.weight"].shape[0],
        embedding=state["global_net.generator.attn.k.weight"].shape[0],
        global_hidden=state["global_net.generator.mlp.fc1.weight"].shape[0],
    )


FAMILY = Family(**own_facts("IAT"), build=_build)
