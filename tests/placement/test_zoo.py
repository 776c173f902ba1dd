"""Every family and the shipped networks on another device: whole and by windows, one image at a time and in batches."""

from collections import Counter
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
from spandrel.architectures.DnCNN import DnCNN
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
from srlens.networks.frozen import frozen
from srlens.networks.zoo.aodnet import AODNet
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
from srlens.networks.zoo.prenet import PReNet
from srlens.networks.zoo.registry import families
from srlens.networks.zoo.rfdn import RFDN
from srlens.networks.zoo.rlfn import RLFN
from srlens.networks.zoo.rnan import RNAN
from srlens.networks.zoo.san import SAN
from srlens.networks.zoo.smfanet import SMFANet
from srlens.windowed.memory import Segmented
from srlens.windowed.shared import SharedForward
from srlens.windowed.windowed import Windowed

pytestmark = [
    pytest.mark.filterwarnings("ignore:torch.meshgrid:UserWarning"),
    pytest.mark.filterwarnings("ignore:'saved_variables' is deprecated:DeprecationWarning"),  # Omni-SR
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
    "DAT": (lambda: DAT(img_size=16, embed_dim=32, split_size=[4, 8], depth=[2], num_heads=[2], upscale=2), 2, 8),
    "GRL": (lambda: GRL(img_size=16, embed_dim=8, depths=[2], num_heads_window=[2], num_heads_stripe=[2], upscale=2,
                        upsampler="pixelshuffle"), 2, 8),
    "CRAFT": (lambda: CRAFT(window_size=8, embed_dim=48, depths=[2], num_heads=[6], upscale=2), 2, 8),
    "DCTLSA": (lambda: DCTLSA(nf=10, num_modules=6, num_head=5), 4, 1),
    "Omni-SR": (lambda: OmniSR(num_feat=16, up_scale=2), 2, 8),
    "ATD": (lambda: ATD(img_size=16, embed_dim=8, depths=(2,), num_heads=(2,), window_size=8, category_size=16,
                        num_tokens=8, reducted_dim=4, upscale=2, upsampler="pixelshuffle"), 2, 8),
    "RGT": (lambda: RGT(img_size=16, embed_dim=32, depth=[2], num_heads=[2], upscale=2), 2, 8),
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
    "Real-CUGAN": (UpCunet2x, 2, 2),
    "Swift-SRGAN": (lambda: SwiftSRGAN(num_channels=4, num_blocks=2, upscale_factor=4), 4, 1),
    "PReNet": (lambda: PReNet(width=4, blocks=5), 1, 1),
    "AOD-Net": (AODNet, 1, 1),
    "DnCNN": (lambda: DnCNN(in_nc=3, out_nc=3, nc=8, nb=5, act_mode="BR"), 1, 1),
}  # fmt: skip
NETWORKS = [*FAMILIES, *SHIPPED]
#: Too slow on the pretended device, in need of a wrapping that this file does not make (a map of noise levels), or
#: (IAT) saturated by random weights, so that rounding decides which of its values are clamped.
UNTRIED = {
    *("IAT", "FBCNN", "NAFNet", "FFTformer", "RetinexFormer", "DRUNet", "SCUNet", "Uformer", "KBNet", "MixDehazeNet"),
    "HVI-CIDNet",
}
IMAGE = torch.rand(3, 24, 24, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
DEVICE = "meta"  # see conftest
STEERED = {"SeemoRe"}  # it sends pixels to experts, and so waits for them in every call
FLOAT32 = {"GRL"}  # it makes float32 tensors in every call
# The kernels are the same on both devices; in float32 images may lie in memory another way there.
TOLERANCE = {torch.float64: 1e-12, torch.float32: 1e-4}


def opened(name: str) -> srlens.Network:
    """A network with random weights."""
    torch.manual_seed(1)
    if name in SHIPPED:
        return srlens.load_default(name).to(dtype=torch.float64)
    build, scale, multiple = FAMILIES[name]
    module = build().eval().to(torch.float32 if name in FLOAT32 else torch.float64).requires_grad_(False)
    for tensor in module.state_dict().values():
        if tensor.is_floating_point() and not tensor.any():
            nn.init.uniform_(tensor, 0.1, 0.5)  # shut gates would hide what lies behind them
    return srlens.Network.wrap(module, scale=scale, multiple=multiple, minimum=15, name=name)


def window(network: srlens.Network) -> srlens.Window:
    top, left, height, width = (side * network.scale // 4 for side in (40, 44, 32, 32))
    return srlens.Window(top, left, height, width)


def test_every_family_is_here() -> None:
    assert {*FAMILIES, *UNTRIED, "SmallSR", "SmallDN", "SmallDiffusion"} == set(families())


@pytest.mark.parametrize("name", NETWORKS)
def test_a_window_by_its_plan(elsewhere: Any, name: str) -> None:
    """Recorded, planned and run there, forward and backward, at once and in segments."""
    network = opened(name)
    seen = [_planned(one) for one in (network, network.to(DEVICE))]
    assert [len(one) for one in seen] == [4, 4] or seen[0] == seen[1]  # or why there is no plan
    for here, there in zip(*seen, strict=True):
        assert _distance(there, here) <= TOLERANCE[network.dtype]


def _planned(network: srlens.Network) -> list[Any]:
    windowed = Windowed(network)
    x = IMAGE[None].to(network.device, network.dtype)
    with frozen(network.module):
        plans = windowed.plans(x, [window(network)])
        if isinstance(plans, str):
            return [plans]
        found = []
        for forward in (SharedForward(plans), Segmented(plans[0])):
            leaf = x.clone().requires_grad_()
            (patch,) = forward(leaf.clone())
            patch.square().sum().backward()
            found += [patch.detach().cpu(), leaf.grad.cpu()]
    return found


@pytest.mark.parametrize("name", NETWORKS)
def test_a_batch_of_nodes(elsewhere: Any, name: str) -> None:
    """By the whole network; nothing waits for the device but the check and the copy at its end."""
    network = opened(name)
    far = srlens.Explainer(network.to(DEVICE), IMAGE, steps=4, regional=False)
    far._kept |= {"limit": 4, "compared": True}  # as on a GPU that has room for four
    with frozen(network.module):
        here = srlens.attribute(network, IMAGE, window(network), steps=4, regional=False).map
    there = far.window(window(network))
    assert np.abs(there.map - here).max() <= TOLERANCE[network.dtype] * np.abs(here).max()
    if name in STEERED:
        return
    before = elsewhere.waits.copy()
    far.window(window(network))
    found = elsewhere.waits - before
    before = elsewhere.waits.copy()
    with torch.no_grad():  # what the module itself does: SwinIR moves its mean
        for images in (torch.stack([IMAGE] * 4), torch.stack([IMAGE] * 2)):
            far.network(images.to(far.network.dtype).to(DEVICE))
    own = elsewhere.waits - before - Counter({"_to_copy to the device": 2})
    # Four nodes; the detector at the image and at the baseline: for each of the two a copy there, a check, a copy back.
    assert found - own == {"_to_copy to the device": 2, "_local_scalar_dense": 2, "_to_copy to the CPU": 2}


@pytest.mark.filterwarnings("ignore:Accessing the data pointer of FakeTensor")  # only to notice changed weights
@pytest.mark.parametrize("name", [name for name in NETWORKS if name not in STEERED])
def test_a_forward_pass_on_cuda(name: str) -> None:
    """Of a network that is told that it runs on CUDA: shapes and places alone, by PyTorch's fake tensors."""
    network = opened(name)
    mode = FakeTensorMode(allow_non_fake_inputs=True)  # SwinIR keeps its mean on the CPU, and moves it in every call
    x = on_cuda(torch.empty(2, 3, 24, 24, dtype=network.dtype), mode)
    for part in network.module.modules():
        for kept in (part._parameters, part._buffers):
            kept |= {key: on_cuda(tensor, mode) for key, tensor in kept.items() if tensor is not None}
    assert network.device == x.device == torch.device("cuda:0")
    with mode, torch.no_grad():
        assert network(x).device == x.device
        plans = Windowed(network).plans(x[:1], [window(network)])
        for forward in (SharedForward(plans), Segmented(plans[0])) if isinstance(plans, list) else ():
            (patch,) = forward(x[:1])
            assert patch.device == x.device


def on_cuda(tensor: Tensor, mode: FakeTensorMode) -> FakeTensor:
    return FakeTensor(mode, torch.empty_like(tensor, device="meta"), torch.device("cuda:0"))


def _distance(one: Any, other: Any) -> float:
    return float((one - other).norm() / other.norm()) if isinstance(one, Tensor) else float(one != other)
