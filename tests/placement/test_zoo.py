"""Every family and the shipped networks on another device: whole and by windows, one image at a time and in batches."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from spandrel.architectures.ATD import ATD
from spandrel.architectures.Compact import Compact
from spandrel.architectures.CRAFT import CRAFT
from spandrel.architectures.DAT import DAT
from spandrel.architectures.DCTLSA import DCTLSA
from spandrel.architectures.DITN import DITN
from spandrel.architectures.DRCT import DRCT
from spandrel.architectures.ESRGAN import ESRGAN
from spandrel.architectures.FDAT import FDAT
from spandrel.architectures.GRL import GRL
from spandrel.architectures.HAT import HAT
from spandrel.architectures.IPT import IPT
from spandrel.architectures.MoESR import MoESR
from spandrel.architectures.MoSR import MoSR
from spandrel.architectures.OmniSR import OmniSR
from spandrel.architectures.PLKSR import PLKSR
from spandrel.architectures.RCAN import RCAN
from spandrel.architectures.RealCUGAN import UpCunet2x
from spandrel.architectures.RGT import RGT
from spandrel.architectures.SAFMN import SAFMN
from spandrel.architectures.SeemoRe import SeemoRe
from spandrel.architectures.SPAN import SPAN
from spandrel.architectures.SwiftSRGAN import SwiftSRGAN
from spandrel.architectures.Swin2SR import Swin2SR
from spandrel.architectures.SwinIR import SwinIR
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode

import srlens
from srlens.networks.catalog import SHIPPED
from srlens.networks.zoo.bsrn import BSRN
from srlens.networks.zoo.carn import CARN
from srlens.networks.zoo.drln import DRLN
from srlens.networks.zoo.edsr import EDSR
from srlens.networks.zoo.fsrcnn import FSRCNN
from srlens.networks.zoo.imdn import IMDN
from srlens.networks.zoo.imdn_kair import SimplifiedIMDN
from srlens.networks.zoo.msrn import MSRN
from srlens.networks.zoo.msrresnet import MSRResNet
from srlens.networks.zoo.pan import PAN
from srlens.networks.zoo.registry import families
from srlens.networks.zoo.rfdn import RFDN
from srlens.networks.zoo.rlfn import RLFN
from srlens.networks.zoo.rnan import RNAN
from srlens.networks.zoo.san import SAN
from srlens.networks.zoo.smfanet import SMFANet
from srlens.windowed.shared import SharedForward, whole_forward
from srlens.windowed.windowed import Windowed

pytestmark = [
    pytest.mark.filterwarnings("ignore:torch.meshgrid:UserWarning"),
    pytest.mark.filterwarnings("ignore::srlens.errors.ToleranceWarning"),
]

SWIN = {"img_size": 16, "embed_dim": 8, "num_heads": [2], "depths": [2], "window_size": 8, "upsampler": "pixelshuffle"}

# By family: a small module, scale, size rule.
FAMILIES: dict[str, tuple[Callable[[], nn.Module], int, int]] = {
    "FSRCNN": (lambda: FSRCNN(width=6, narrow=3, mappings=2, channels=3), 4, 1),
    "CARN": (lambda: CARN(width=4), 4, 1),
    "EDSR": (lambda: EDSR(width=4, blocks=2), 4, 1),
    "MSRN": (lambda: MSRN(width=4, blocks=2), 4, 1),
    "IMDN": (lambda: IMDN(width=8, blocks=2, distilled=2, hidden=2), 4, 1),
    "IMDN (KAIR)": (lambda: SimplifiedIMDN(width=8, blocks=2, distilled=2), 4, 1),
    "MSRResNet": (lambda: MSRResNet(width=4, blocks=2), 4, 1),
    "RFDN": (lambda: RFDN(width=8, distilled=4, attention_width=3, blocks=2), 4, 1),
    "RNAN": (lambda: RNAN(width=4, inner=2, groups=2, scale=2), 2, 2),
    "SAN": (lambda: SAN(width=4, squeezed=2, inner=2, inner_squeezed=2, groups=1, blocks=1, scale=2), 2, 1),
    "DRLN": (lambda: DRLN(width=4, squeezed=2, scale=2), 2, 1),
    "PAN": (lambda: PAN(width=6, tail_width=4, blocks=2), 4, 1),
    "RLFN": (lambda: RLFN(width=6, inner=6, attention_width=3, blocks=2), 4, 1),
    "BSRN": (lambda: BSRN(width=8, distilled=4, attention_width=3, squeezed=2, blocks=2), 4, 1),
    "SMFANet": (lambda: SMFANet(width=6, blocks=2, detail_width=12, hidden=8, partial=3), 4, 1),
    "RRDBNet": (lambda: ESRGAN(num_filters=4, num_blocks=1, scale=4), 4, 1),
    "RCAN": (lambda: RCAN(n_resgroups=1, n_resblocks=2, n_feats=4, reduction=2), 4, 1),
    "SRVGGNet": (lambda: Compact(num_feat=4, num_conv=3, upscale=2), 2, 1),
    "SwinIR": (lambda: SwinIR(**SWIN, upscale=2), 2, 8),
    "Swin2SR": (lambda: Swin2SR(**SWIN, upscale=2), 2, 8),
    "HAT": (lambda: HAT(**SWIN, upscale=2, compress_ratio=2, squeeze_factor=2), 2, 8),
    "DAT": (lambda: DAT(img_size=16, embed_dim=8, split_size=[4, 8], depth=[2], num_heads=[2], upscale=2), 2, 8),
    "GRL": (lambda: GRL(img_size=16, embed_dim=8, depths=[2], num_heads_window=[2], num_heads_stripe=[2], upscale=2,
                        upsampler="pixelshuffle"), 2, 8),
    "CRAFT": (lambda: CRAFT(window_size=8, embed_dim=12, depths=[2], num_heads=[6], upscale=2), 2, 8),
    "DCTLSA": (lambda: DCTLSA(nf=10, num_modules=6, num_head=5), 4, 1),
    "Omni-SR": (lambda: OmniSR(num_feat=16, up_scale=2), 2, 8),
    "ATD": (lambda: ATD(img_size=16, embed_dim=8, depths=(2,), num_heads=(2,), window_size=8, category_size=16,
                        num_tokens=8, reducted_dim=4, upscale=2, upsampler="pixelshuffle"), 2, 8),
    "RGT": (lambda: RGT(img_size=16, embed_dim=8, depth=[2], num_heads=[2], upscale=2), 2, 8),
    "DRCT": (lambda: DRCT(**{**SWIN, "depths": [6], "num_heads": [2]}, upscale=2, gc=4), 2, 8),
    "DITN": (lambda: DITN(dim=8, ITL_blocks=1, SAL_blocks=1, upscale=2), 2, 8),
    "IPT": (lambda: IPT(patch_size=24, patch_dim=3, n_feats=4, num_heads=2, num_layers=1, scale=[2]), 2, 1),
    "FDAT": (lambda: FDAT(embed_dim=16, num_groups=1, depth_per_group=2, num_heads=2, mid_dim=8), 4, 8),
    "SAFMN": (lambda: SAFMN(dim=8, n_blocks=2, upscaling_factor=2), 2, 1),
    "SPAN": (lambda: SPAN(num_in_ch=3, num_out_ch=3, feature_channels=4), 4, 1),
    "PLKSR": (lambda: PLKSR(dim=8, n_blocks=2, kernel_size=13, upscaling_factor=2), 2, 1),
    "SeemoRe": (lambda: SeemoRe(scale=2, num_experts=2, num_layers=1, embedding_dim=8), 2, 1),
    "MoSR": (lambda: MoSR(dim=8, n_block=2, upscale=2), 2, 1),
    "MoESR": (lambda: MoESR(scale=2, dim=8, n_blocks=1, n_block=1), 2, 1),
    "Real-CUGAN": (lambda: UpCunet2x(), 2, 2),
    "Swift-SRGAN": (lambda: SwiftSRGAN(num_channels=4, num_blocks=2, upscale_factor=4), 4, 1),
}  # fmt: skip
NETWORKS = [*FAMILIES, *SHIPPED]
IMAGE, WINDOW = torch.rand(3, 24, 24, dtype=torch.float64, generator=torch.Generator().manual_seed(3)), (20, 22, 8, 8)


def opened(name: str) -> srlens.Network:
    """A network in float64: there all memory lies alike on both devices, and kernels are the same."""
    torch.manual_seed(1)
    if name in SHIPPED:
        return srlens.load_default(name).to(dtype=torch.float64)
    build, scale, multiple = FAMILIES[name]
    module = build().eval().double().requires_grad_(False)
    for tensor in module.state_dict().values():
        if tensor.is_floating_point() and not tensor.any():
            nn.init.uniform_(tensor, 0.1, 0.5)  # shut gates would hide what lies behind them
    return srlens.Network.wrap(module, scale=scale, multiple=multiple, minimum=15, name=name)


def window(network: srlens.Network) -> srlens.Window:
    top, left, height, width = (side * network.scale // 4 for side in (40, 44, 32, 32))
    return srlens.Window(top, left, height, width)


def test_every_family_is_here() -> None:
    assert {*FAMILIES, "SmallSR"} == set(families())


@pytest.mark.parametrize("name", NETWORKS)
def test_maps_are_those_of_the_cpu(elsewhere: Any, name: str) -> None:
    network = opened(name)
    far = network.to("meta")
    assert far.device.type == "meta"
    for regional in (False, True):
        options = {"steps": 7, "regional": regional}
        here, there = (srlens.attribute(one, IMAGE, window(one), **options) for one in (network, far))
        assert there.evaluation == here.evaluation
        assert np.abs(there.map - here.map).max() <= 1e-9 * np.abs(here.map).max()


@pytest.mark.parametrize("name", NETWORKS)
def test_a_batch_of_nodes_waits_for_nothing(elsewhere: Any, name: str) -> None:
    network = opened(name).to("meta")
    explainer = srlens.Explainer(network, IMAGE, steps=4, regional=False)
    explainer._kept |= {"limit": 4, "compared": True}
    explainer.window(window(network))
    before = dict(elsewhere.waits)
    explainer.window(window(network))
    waits = {key: count - before.get(key, 0) for key, count in elsewhere.waits.items()}
    print(name, {k:v for k,v in waits.items() if v})
