"""RFDN: residual feature distillation network.

J. Liu, J. Tang, G. Wu, "Residual Feature Distillation Network for Lightweight Image Super-Resolution",
ECCV Workshops 2020, arXiv 2009.11551.
"""

from torch import nn

from srlens.networks.zoo.distillation import DistillationNetwork, ResidualDistillationBlock
from srlens.networks.zoo.esa import ESA, esa_receptive_field, plain_convolution
from srlens.networks.zoo.family import Family, own_facts
from srlens.networks.zoo.layers import convolution


class RFDN(DistillationNetwork):
    """Takes N×C×h×w in 0–255 (h, w ≥ 15), gives N×C×sh×sw.

    Args:
        width: maps; 50 in the AIM 2020 challenge version (433 K parameters), 52 and 48 elsewhere.
        distilled: maps of a summary, half the width in the paper.
        attention_width: maps inside the attention, a quarter of the width in the paper.
        blocks: distillation blocks, 4 in the challenge version.
        image: ``scale`` and ``channels``, see :class:`~srlens.networks.zoo.layers.EnlargingNetwork`.
    """

    def __init__(
        self, *, width: int = 50, distilled: int = 25, attention_width: int = 12, blocks: int = 4, **image: int
    ) -> None:
        def block() -> nn.Module:
            attention = ESA(width, attention_width, plain_convolution, nn.ReLU())
            return ResidualDistillationBlock(width, distilled, convolution, nn.LeakyReLU(0.05), attention)

        super().__init__(width, blocks, "B", block, **image)


FAMILY = Family(**own_facts("RFDN", RFDN), receptive_field=lambda m: esa_receptive_field(m.blocks, local=4, coarse=3))
