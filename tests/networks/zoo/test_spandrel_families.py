"""What the table says about spandrel's architectures, held against small modules of each."""

import pytest
import torch
from spandrel import MAIN_REGISTRY
from spandrel.architectures.Compact import Compact
from spandrel.architectures.DITN import DITN
from spandrel.architectures.DRCT import DRCT
from spandrel.architectures.ESRGAN import ESRGAN
from spandrel.architectures.HAT import HAT
from spandrel.architectures.MoSR import MoSR
from spandrel.architectures.PLKSR import PLKSR, RealPLKSR
from spandrel.architectures.RCAN import RCAN
from spandrel.architectures.SAFMN import SAFMN
from spandrel.architectures.SeemoRe import SeemoRe
from spandrel.architectures.SPAN import SPAN
from spandrel.architectures.SwiftSRGAN import SwiftSRGAN
from spandrel.architectures.Swin2SR import Swin2SR
from spandrel.architectures.SwinIR import SwinIR

from srlens.networks.zoo.spandrel_families import spandrel_families
from srlens.networks.zoo.window_reach import Window, trunk_stage

# SwinIR and its kin call torch.meshgrid the old way.
pytestmark = pytest.mark.filterwarnings("ignore:torch.meshgrid:UserWarning")

BY_ID = {family.spandrel_id: family for family in spandrel_families()}
SWIN = {"img_size": 16, "embed_dim": 8, "num_heads": [2, 2], "window_size": 4, "mlp_ratio": 1.0}


def test_every_entry_is_an_architecture_of_spandrel():
    known = {support.architecture.id for support in MAIN_REGISTRY}
    assert known >= set(BY_ID)
    assert len(BY_ID) == len(spandrel_families())


@pytest.mark.parametrize(
    ("blocks", "scale", "fold", "paper", "true"),
    [(23, 4, None, 703, 697.5), (6, 4, None, 193, 187.5), (2, 2, None, 71, 68), (1, 4, 2, 43, 74)],
)
def test_rrdbnet(blocks, scale, fold, paper, true):
    module = ESRGAN(num_filters=4, num_blocks=blocks, scale=scale, shuffle_factor=fold, in_nc=3 * (fold or 1) ** 2)
    field = BY_ID["ESRGAN"].receptive_field_of(module)
    assert (field.paper, field.true) == (paper, true)


def _span(**options):
    return SPAN(num_in_ch=3, num_out_ch=3, feature_channels=4, **options)


def _swin(window=4, **options):
    settings = {**SWIN, "depths": [2, 3], "window_size": window, "upscale": 2, "upsampler": "pixelshuffle"}
    return SwinIR(**{**settings, **options})


CASES = [
    ("ESRGAN", lambda: ESRGAN(num_filters=4, num_blocks=1, scale=4), 4),
    ("ESRGAN", lambda: ESRGAN(in_nc=12, num_filters=4, num_blocks=1, scale=4, shuffle_factor=2), 2),
    ("ESRGAN", lambda: ESRGAN(num_filters=4, num_blocks=1, scale=3), 3),
    ("Compact", lambda: Compact(num_feat=4, num_conv=3, upscale=2), 2),
    ("SPAN", lambda: _span(upscale=2), 2),
    ("PLKSR", lambda: PLKSR(dim=8, n_blocks=2, kernel_size=13, upscaling_factor=2, ccm_type="DCCM"), 2),
    ("PLKSR", lambda: PLKSR(dim=8, n_blocks=2, upscaling_factor=2, lk_type="SparsePLK", use_ea=False), 2),
    ("PLKSR", lambda: RealPLKSR(dim=8, n_blocks=2, upscaling_factor=2, layer_norm=True), 2),
    ("MoSR", lambda: MoSR(dim=8, n_block=2, upscale=2), 2),
    ("SwiftSRGAN", lambda: SwiftSRGAN(num_channels=4, num_blocks=2, upscale_factor=4), 4),
    ("SAFMN", lambda: SAFMN(dim=8, n_blocks=2, upscaling_factor=2), 2),
    ("DITN", lambda: DITN(dim=8, ITL_blocks=1, SAL_blocks=1, upscale=2), 2),
    ("SwinIR", _swin, 2),
    ("SwinIR", lambda: _swin(upscale=4, upsampler="nearest+conv", resi_connection="3conv"), 4),
    ("SwinIR", lambda: _swin(window=6, img_size=18, upsampler="pixelshuffledirect"), 2),
    ("Swin2SR", lambda: Swin2SR(**SWIN, depths=[2, 2], upscale=2, upsampler="pixelshuffle"), 2),
    ("DRCT", lambda: DRCT(**SWIN, depths=[6, 6], upscale=2, upsampler="pixelshuffle", gc=4), 2),
]


@pytest.mark.parametrize(("family", "build", "scale"), CASES, ids=[case[0] for case in CASES])
def test_gradients_stay_within_the_footprint_and_nearly_fill_it(family, build, scale):
    module = build().train(family == "PLKSR").double()
    field = BY_ID[family].receptive_field_of(module)
    for parameter in module.parameters():
        if not parameter.any():
            torch.nn.init.uniform_(parameter, 0.1, 1)  # no path may be shut by its initial value
    size = 144
    x = torch.rand(1, 3, 24, size, dtype=torch.float64)
    widest = 0
    for start in (scale * 70, scale * 71 + 1, scale * 75 - 1, 0):
        leaf = x.clone().requires_grad_()
        output = module(leaf.clone())[..., scale * 12, start : start + 1]
        (gradient,) = torch.autograd.grad(output.sum(), leaf)
        strength = gradient.abs().amax(dim=(0, 1, 2))
        # A masked attention weight is e⁻¹⁰⁰, which float64 can still tell from zero.
        touched = (strength > 1e-30 * strength.max()).nonzero().flatten()
        first, last = field.footprint(start, start + 1, scale, size)
        assert first <= touched[0]
        assert touched[-1] < last
        widest = max(widest, int(touched[-1] - touched[0]) + 1)
    assert last < size, "choose a larger image"
    # Maxima hide what they were not; a folded grid reaches in steps of two.
    assert (0.6 if family == "SAFMN" else 0.75) * field.true - 1 <= widest <= field.true + 2


@pytest.mark.parametrize(
    ("family", "build"),
    [
        ("RCAN", lambda: RCAN(scale=2, n_resgroups=1, n_resblocks=1, n_feats=8, reduction=4)),
        ("PLKSR", lambda: RealPLKSR(dim=8, n_blocks=1, upscaling_factor=2)),
        ("SeemoRe", lambda: SeemoRe(scale=2, num_experts=2, num_layers=1, embedding_dim=8)),
        (
            "HAT",
            lambda: HAT(
                **(SWIN | {"num_heads": (2,)}),
                depths=(2,),
                upscale=2,
                upsampler="pixelshuffle",
                compress_ratio=2,
                squeeze_factor=4,
            ),
        ),
    ],
)
def test_global_ones_see_both_ends(family, build):
    module = build().train(family == "PLKSR").double()
    assert BY_ID[family].receptive_field_of(module).is_global
    x = torch.rand(1, 3, 16, 96, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(module(x.clone())[..., 8, 96].sum(), x)
    assert (gradient.abs().amax(dim=(0, 1, 2)) > 0).all()


def test_windows_shifted_by_half_grow_by_half_a_window_each():
    pair = [Window(8), Window(8, 4)]
    stage = trunk_stage(pair)
    # From one pixel: a window of 8 in the last layer, half a window more to each side in the first.
    assert stage.radius == 8
    assert stage.radius + stage.drift == 7 + 4
    assert trunk_stage(pair * 3).radius == 8 * 3
    assert trunk_stage([1, 1, 3]).radius == 5
    assert trunk_stage([1, 1, 3]).drift == 0
