"""Networks of the field, small and with random weights, in float64: a window of each is a window of the whole."""

import pytest
import torch
from spandrel.architectures.ESRGAN import ESRGAN
from spandrel.architectures.HAT import HAT
from spandrel.architectures.RCAN import RCAN
from spandrel.architectures.SPAN import SPAN
from spandrel.architectures.SwinIR import SwinIR

import srlens
from srlens.networks.zoo.bsrn import BSRN
from srlens.networks.zoo.carn import CARN
from srlens.networks.zoo.drln import DRLN
from srlens.networks.zoo.edsr import EDSR
from srlens.networks.zoo.fsrcnn import FSRCNN
from srlens.networks.zoo.imdn import IMDN
from srlens.networks.zoo.msrn import MSRN
from srlens.networks.zoo.pan import PAN
from srlens.networks.zoo.rfdn import RFDN
from srlens.networks.zoo.rlfn import RLFN
from srlens.networks.zoo.rnan import RNAN
from srlens.networks.zoo.san import SAN
from srlens.networks.zoo.smfanet import SMFANet

# Module, scale, smallest share of multiply-adds that a small window in the middle must save, size rule.
NETWORKS = {
    "BSRN": (lambda: BSRN(width=8, distilled=4, attention_width=3, squeezed=2, blocks=2), 4, 0.15, 1),
    "CARN": (lambda: CARN(width=4), 4, 0.6, 1),
    "CARN-M": (lambda: CARN(width=8, recursive=True, efficient=True, groups=4, scales=(3,)), 3, 0.6, 1),
    "DRLN": (lambda: DRLN(width=4, squeezed=2, scale=2), 2, 0.0, 1),
    "EDSR": (lambda: EDSR(width=4, blocks=2), 4, 0.8, 1),
    "FSRCNN": (lambda: FSRCNN(width=6, narrow=3, mappings=2, channels=3), 4, 0.9, 1),
    "FSRCNN x3": (lambda: FSRCNN(width=6, narrow=3, mappings=2, channels=3, scale=3), 3, 0.9, 1),
    "IMDN": (lambda: IMDN(width=8, blocks=2, distilled=2, hidden=2), 4, 0.2, 1),
    "MSRN": (lambda: MSRN(width=4, blocks=2), 4, 0.3, 1),
    "PAN": (lambda: PAN(width=6, tail_width=4, blocks=2), 4, 0.8, 1),
    "PAN x3": (lambda: PAN(width=6, tail_width=4, blocks=2, scale=3), 3, 0.8, 1),
    "RFDN": (lambda: RFDN(width=8, distilled=4, attention_width=3, blocks=2), 4, 0.1, 1),
    "RLFN": (lambda: RLFN(width=6, inner=6, attention_width=3, blocks=2), 4, 0.1, 1),
    "RNAN": (lambda: RNAN(width=4, inner=2, groups=2, scale=2), 2, 0.0, 2),
    "SAN": (lambda: SAN(width=4, squeezed=2, inner=2, inner_squeezed=2, groups=1, blocks=1, scale=2), 2, 0.0, 1),
    "SMFANet": (lambda: SMFANet(width=6, blocks=2, detail_width=12, hidden=8, partial=3), 4, 0.1, 1),
    "RRDBNet": (lambda: ESRGAN(num_filters=4, num_blocks=1, scale=4), 4, 0.3, 1),
    "RRDBNet x2": (lambda: ESRGAN(in_nc=12, num_filters=4, num_blocks=1, scale=4, shuffle_factor=2), 2, 0.05, 2),
    "RCAN": (lambda: RCAN(n_resgroups=1, n_resblocks=2, n_feats=4, reduction=2), 4, 0.5, 1),
    "SPAN": (lambda: SPAN(num_in_ch=3, num_out_ch=3, feature_channels=4), 4, 0.2, 1),
    "SwinIR": (
        lambda: SwinIR(img_size=16, depths=[2], embed_dim=8, num_heads=[2], window_size=8, upsampler="pixelshuffle"),
        1,
        0.0,
        8,
    ),
    "SwinIR nearest": (
        lambda: SwinIR(
            img_size=16, depths=[2], embed_dim=8, num_heads=[2], window_size=4, upscale=4, upsampler="nearest+conv"
        ),
        4,
        0.5,
        4,
    ),
    "HAT": (
        lambda: HAT(
            img_size=16,
            depths=[1],
            embed_dim=8,
            num_heads=[2],
            window_size=8,
            upscale=4,
            upsampler="pixelshuffle",
            compress_ratio=2,
            squeeze_factor=2,
        ),
        4,
        0.2,
        8,
    ),
}


@pytest.mark.filterwarnings("ignore:torch.meshgrid")
@pytest.mark.parametrize("name", NETWORKS)
def test_a_window_of_a_network_is_a_window_of_the_whole(agreed, name):
    build, scale, least, multiple = NETWORKS[name]
    module = build().double().eval().requires_grad_(False)
    lively(module)
    network = srlens.Network.wrap(module, scale=scale, multiple=multiple, minimum=15)
    height, width = 23, 18
    h, w = height * scale, width * scale
    windows = [
        (0, 0, 9, 9),
        (0, w - 9, 9, 9),
        (h - 9, 0, 9, 9),
        (h - 9, w - 9, 9, 9),
        (h // 2 - 3, 0, 5, 7),
        (h // 2 + 1, w // 2 - 1, 8, 8),
        (h // 3, w // 3, 1, 1),
    ]
    plans = agreed(network, (1, 3, height, width), windows)
    assert plans[5].saved >= least


def test_a_network_is_evaluated_in_one_way_each_time():
    """SPAN frees and takes memory while it is recorded, which once looked like writing through overlapping views."""
    torch.manual_seed(0)
    module = NETWORKS["SPAN"][0]().eval()
    lively(module)
    image = torch.rand(3, 24, 24)
    results = [
        srlens.attribute(srlens.Network.wrap(module, scale=4), image, srlens.Window(40, 40, 8, 8), steps=12)
        for _ in range(50)
    ]
    assert len({result.evaluation for result in results}) == 1
    assert results[0].evaluation.startswith("regional (")
    assert len({result.map.tobytes() for result in results}) == 1


def lively(module):
    """Shut gates and zero scales would hide what lies behind them."""
    for tensor in module.state_dict().values():
        if tensor.is_floating_point() and not tensor.any():
            torch.nn.init.uniform_(tensor, 0.1, 0.9)
