"""Facts about the architectures that spandrel itself opens.

All of them take and give 0–1, whatever range the network was trained in: spandrel's modules scale inside.
"""

from torch import nn

from srlens.networks.receptive_field import GLOBAL, UNKNOWN, ReceptiveField
from srlens.networks.zoo import spandrel_reach as reach
from srlens.networks.zoo.family import Family


def _global(module: nn.Module) -> ReceptiveField:  # noqa: ARG001 - true of every configuration
    return GLOBAL


def _unknown(module: nn.Module) -> ReceptiveField:  # noqa: ARG001 - true of every configuration
    return UNKNOWN


def _global_where_pooled(module: nn.Module) -> ReceptiveField:
    """Global where some layer averages the whole map, else not derived."""
    return GLOBAL if any(isinstance(layer, nn.AdaptiveAvgPool2d) for layer in module.modules()) else UNKNOWN


def _ipt_range(module: nn.Module) -> float:
    return float(reach.arguments(module)["rgb_range"])


SPANDREL_FAMILIES: tuple[Family, ...] = (
    Family(
        id="ESRGAN",
        name="RRDBNet",
        kind="convolution",
        paper="X. Wang et al. (ESRGAN), ECCV Workshops 2018, arXiv 1809.00219",
        receptive_field=reach.esrgan,
        note="Files named ESRGAN or Real-ESRGAN; the ×1 and ×2 ones fold pixels into channels first.",
    ),
    Family(
        id="RCAN",
        name="RCAN",
        kind="global pooling",
        paper="Y. Zhang et al., ECCV 2018, arXiv 1807.02758",
        receptive_field=_global,
        note="spandrel's module takes 0–1 and multiplies by 255 itself; it does so in place.",
    ),
    Family(
        id="Compact",
        name="SRVGGNet",
        kind="convolution",
        paper="X. Wang et al. (Real-ESRGAN), ICCV Workshops 2021, arXiv 2107.10833",
        receptive_field=reach.compact,
    ),
    Family(
        id="SwinIR",
        name="SwinIR",
        kind="transformer",
        paper="J. Liang et al., ICCV Workshops 2021, arXiv 2108.10257",
        receptive_field=reach.swin,
        note="Window attention: the reach is finite, but wider than most LR images.",
    ),
    Family(
        id="Swin2SR",
        name="Swin2SR",
        kind="transformer",
        paper="M. V. Conde et al., ECCV Workshops 2022, arXiv 2209.11345",
        receptive_field=reach.swin,
        note="Window attention: the reach is finite, but wider than most LR images.",
    ),
    Family(
        id="HAT",
        name="HAT",
        kind="transformer",
        paper="X. Chen et al., CVPR 2023, arXiv 2205.04437",
        receptive_field=_global,
        note="Window attention with channel attention beside it, which averages the whole map.",
    ),
    Family(
        id="DAT",
        name="DAT",
        kind="transformer",
        paper="Z. Chen et al., ICCV 2023, arXiv 2308.03364",
        receptive_field=_global,
    ),
    Family(
        id="GRL",
        name="GRL",
        kind="transformer",
        paper="Y. Li et al., CVPR 2023, arXiv 2303.00748",
        receptive_field=_global_where_pooled,
    ),
    Family(
        id="CRAFT",
        name="CRAFT",
        kind="transformer",
        paper="A. Li et al., ICCV 2023, arXiv 2308.05022",
        receptive_field=_unknown,
    ),
    Family(
        id="DCTLSA",
        name="DCTLSA",
        kind="transformer",
        paper="K. Zeng et al., IEEE TIM 2023, doi 10.1109/TIM.2023.3304672",
        receptive_field=_unknown,
        note="Its shifted windows wrap around the border without a mask: opposite edges see each other.",
    ),
    Family(
        id="OmniSR",
        name="Omni-SR",
        kind="transformer",
        paper="H. Wang et al., CVPR 2023, arXiv 2304.10244",
        receptive_field=_global,
    ),
    Family(
        id="ATD",
        name="ATD",
        kind="transformer",
        paper="L. Zhang et al., CVPR 2024, arXiv 2401.08209",
        receptive_field=_global,
        note="Sorts all pixels into categories; gradients do not see a change of category.",
    ),
    Family(
        id="RGT",
        name="RGT",
        kind="transformer",
        paper="Z. Chen et al., ICLR 2024, arXiv 2303.06373",
        receptive_field=_global,
    ),
    Family(
        id="DRCT",
        name="DRCT",
        kind="transformer",
        paper="C.-C. Hsu et al., CVPR Workshops 2024, arXiv 2404.00722",
        receptive_field=reach.drct,
        note="Window attention: the reach is finite, but wider than most LR images.",
    ),
    Family(
        id="DITN",
        name="DITN",
        kind="transformer",
        paper="Y. Liu et al., ACM Multimedia 2023, arXiv 2308.02794",
        receptive_field=reach.ditn,
    ),
    Family(
        id="IPT",
        name="IPT",
        kind="transformer",
        paper="H. Chen et al., CVPR 2021, arXiv 2012.00364",
        receptive_field=_global,
        value_range=_ipt_range,
        note="The bare module takes patches of one fixed size (48×48) only.",
    ),
    Family(
        id="FDAT",
        name="FDAT",
        kind="transformer",
        paper="no paper; a community architecture",
        receptive_field=_global_where_pooled,
    ),
    Family(
        id="SAFMN",
        name="SAFMN",
        kind="convolution",
        paper="L. Sun et al., ICCV 2023, arXiv 2302.13800",
        receptive_field=reach.safmn,
        note="Pools maxima in cells of up to 8×8 pixels, not over the whole map.",
    ),
    Family(
        id="SPAN",
        name="SPAN",
        kind="convolution",
        paper="C. Wan et al., CVPR Workshops 2024, arXiv 2311.12770",
        receptive_field=reach.span,
    ),
    Family(
        id="PLKSR",
        name="PLKSR",
        kind="convolution",
        paper="D. Lee et al., arXiv 2404.11848",
        receptive_field=reach.plksr,
        note="Large kernels; RealPLKSR files with a group norm see the whole map.",
    ),
    Family(
        id="SeemoRe",
        name="SeemoRe",
        kind="global pooling",
        paper="E. Zamfir et al., ICML 2024, arXiv 2402.03412",
        receptive_field=_global,
        note="A router averages the whole map to choose experts; gradients do not see a change of choice.",
    ),
    Family(
        id="MoSR",
        name="MoSR",
        kind="convolution",
        paper="no paper; a community architecture",
        receptive_field=reach.mosr,
    ),
    Family(
        id="MoESR",
        name="MoESR",
        kind="convolution",
        paper="no paper; a community architecture",
        receptive_field=_unknown,
    ),
    Family(
        id="RealCUGAN",
        name="Real-CUGAN",
        kind="global pooling",
        paper="no paper; published by bilibili",
        receptive_field=_global,
    ),
    Family(
        id="SwiftSRGAN",
        name="Swift-SRGAN",
        kind="convolution",
        paper="K. Sivaram Krishnan, K. S. Krishnan, ICICCSP 2022, arXiv 2111.14320",
        receptive_field=reach.swift_srgan,
    ),
)
"""One entry per super-resolution architecture whose bare module gives one image."""
