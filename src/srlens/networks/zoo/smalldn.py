"""SmallDN, the architecture of the shipped denoisers: one small trunk, with or without a way to see far.

Both remove white Gaussian noise whose level they are not told, and share every convolution; only ``denoise-nonlocal``
has attention inside its residual blocks. As for the super-resolution networks: whatever a map shows more of there came
through the attention.
"""

from collections.abc import Callable
from fractions import Fraction

from torch import Tensor, nn

from srlens.networks.checkpoint import StateDict
from srlens.networks.receptive_field import GLOBAL, ReceptiveField, Stage
from srlens.networks.zoo.family import Family, Kind, own_facts
from srlens.networks.zoo.layers import convolution
from srlens.networks.zoo.reading import convolutional, count_blocks
from srlens.networks.zoo.smallsr import NonLocalAttention, residual_block

#: Each square of so many pixels a side becomes one pixel of more channels, as in FFDNet (Zhang et al., 2018): a quarter
#: of the cost, twice the reach.
FOLD = 2

WIDTH = 32
BLOCKS = 5


class SmallDN(nn.Module):
    """A denoiser for RGB: the noisy picture minus a learnt estimate of its noise (DnCNN; Zhang et al., 2017).

    Takes N×3×h×w, about [0, 1], with h, w even and ≥ 8; gives the same size, about [0, 1], not clamped. Nothing works
    in place; on the CPU the result is deterministic.

    ``attention`` is called with the number of each block, from 0, and returns the module that stands between the
    block's two convolutions.
    """

    scale, channels = 1, 3

    def __init__(self, attention: Callable[[int], nn.Module], width: int = WIDTH, blocks: int = BLOCKS) -> None:
        super().__init__()
        self.fold = nn.PixelUnshuffle(FOLD)
        self.entry = convolution(3 * FOLD**2, width)
        self.body = nn.Sequential(*(residual_block(width, attention(i)) for i in range(blocks)))
        self.noise = convolution(width, 3 * FOLD**2)
        self.unfold = nn.PixelShuffle(FOLD)

    def forward(self, x: Tensor) -> Tensor:
        """Denoise ``x`` (N×3×h×w)."""
        shallow = self.entry(self.fold(x))
        return x - self.unfold(self.noise(shallow + self.body(shallow)))


def _build(state: StateDict) -> SmallDN:
    def attention(block: int) -> nn.Module:
        if (query := state.get(f"body.{block}.attention.query.weight")) is not None:
            return NonLocalAttention(query.shape[1], embedding=query.shape[0])
        return nn.Identity()

    return SmallDN(attention, state["entry.weight"].shape[0], count_blocks(state, "body.{}.expand.weight"))


def _kind(module: SmallDN) -> Kind:
    attentive = any(isinstance(part, NonLocalAttention) for part in module.modules())
    return "non-local" if attentive else "convolution"


def _receptive_field(module: SmallDN) -> ReceptiveField:
    if _kind(module) != "convolution":
        return GLOBAL
    return convolutional(Stage(Fraction(1, FOLD), 2 + 2 * len(module.body)))  # 3×3 convolutions, on the folded grid


FAMILY = Family(**own_facts("SmallDN"), kind=_kind, build=_build, receptive_field=_receptive_field)
