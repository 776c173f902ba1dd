"""RFDN: residual feature distillation network.

J. Liu, J. Tang, G. Wu, "Residual Feature Distillation Network for Lightweight Image Super-Resolution",
ECCV Workshops 2020, arXiv 2009.11551.
"""

from torch import nn

from srlens.networks.checkpoint import StateDict
from srlens.networks.receptive_field import ReceptiveField
from srlens.networks.zoo.distillation import DistillationNetwork, ResidualDistillationBlock
from srlens.networks.zoo.esa import ESA, MINIMUM_SIDE, esa_receptive_field, plain_convolution
from srlens.networks.zoo.family import Family, holds
from srlens.networks.zoo.layers import convolution
from srlens.networks.zoo.reading import count_blocks, shuffle_scale


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


def _build(state: StateDict) -> RFDN:
    width, channels = state["fea_conv.weight"].shape[:2]
    return RFDN(
        width=width,
        distilled=state["B1.c1_d.weight"].shape[0],
        attention_width=state["B1.esa.conv1.weight"].shape[0],
        blocks=count_blocks(state, "B{}.c1_d.weight", first=1),
        scale=shuffle_scale(state, "upsampler.0.weight", channels),
        channels=channels,
    )


def _receptive_field(module: RFDN) -> ReceptiveField:
    return esa_receptive_field(module.blocks, local_layers=4, coarse_layers=3)


FAMILY = Family(
    name="RFDN",
    kind="global pooling",
    paper="J. Liu, J. Tang, G. Wu, ECCV Workshops 2020, arXiv 2009.11551",
    detect=holds(
        "fea_conv.weight",
        "B1.c1_d.weight",
        "B1.c1_r.weight",
        "B1.esa.conv_max.weight",
        "c.0.weight",
        "LR_conv.weight",
        "upsampler.0.weight",
    ),
    build=_build,
    receptive_field=_receptive_field,
    value_range=255.0,  # no file tells; the authors train on 0–255
    minimum=MINIMUM_SIDE,
    table_1="global (as counted)",
    note=(
        "Works on 0–255. Gu & Dong count its attention as global pooling; it is a strided one of finite "
        "reach, wider than most LR images."
    ),
)
