"""Restoration networks that spandrel opens: each with small random weights, loaded from a file, run and explained."""

import importlib
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import srlens
from srlens.networks.zoo.spandrel_families import spandrel_families

BY_ID = {family.spandrel_id: family for family in spandrel_families()}
SWIN = {"img_size": 16, "embed_dim": 8, "num_heads": [2, 2], "depths": [2, 2], "mlp_ratio": 1.0, "upscale": 1}
NARROW = [4, 8, 8, 8]
DEEP = [4, 8, 8, 512]  # FBCNN predicts the quality of JPEG from 512 maps


def built(name: str, **options: Any) -> torch.nn.Module:
    module = getattr(importlib.import_module(f"spandrel.architectures.{name.partition('_')[0]}"), name)(**options)
    for parameter in module.parameters():  # parts that are shut at the start
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.1)
    return module


# name, configuration, channels, (multiple, minimum)
CASES = [
    ("DnCNN", {"in_nc": 1, "out_nc": 1, "nc": 8, "nb": 8, "act_mode": "R"}, 1, (1, 1)),
    ("DnCNN", {"in_nc": 3, "out_nc": 3, "nc": 8, "nb": 5, "act_mode": "BR"}, 3, (1, 1)),
    ("DnCNN", {"in_nc": 4, "out_nc": 3, "nc": 8, "nb": 8, "act_mode": "R", "mode": "FDnCNN"}, 3, (1, 1)),
    ("DRUNet", {"in_nc": 4, "out_nc": 3, "nc": NARROW, "nb": 2}, 3, (8, 1)),
    ("DRUNet", {"in_nc": 2, "out_nc": 1, "nc": NARROW, "nb": 2}, 1, (8, 1)),
    ("FBCNN", {"nc": DEEP, "nb": 2}, 3, (1, 1)),
    ("FBCNN", {"in_nc": 1, "out_nc": 1, "nc": DEEP, "nb": 2}, 1, (1, 1)),
    pytest.param("SCUNet", {"config": [2] * 7, "dim": 64}, 3, (1, 40), marks=pytest.mark.slow),
    ("NAFNet", {"width": 8, "middle_blk_num": 1, "enc_blk_nums": [1, 1], "dec_blk_nums": [1, 1]}, 3, (1, 1)),
    pytest.param("Uformer", {"embed_dim": 16, "depths": [1] * 9, "img_size": 128}, 3, (128, 1), marks=pytest.mark.slow),
    ("FFTformer", {"dim": 8, "num_blocks": [1, 1, 1], "num_refinement_blocks": 1}, 3, (32, 1)),
    pytest.param(
        "MixDehazeNet",
        {"embed_dims": [24, 48, 96, 48, 24], "depths": [1, 1, 1, 1, 1]},
        3,
        (1, 40),
        marks=pytest.mark.slow,
    ),
    ("RetinexFormer", {"n_feat": 16, "stage": 1}, 3, (8, 1)),
    ("KBNet_s", {"width": 8, "middle_blk_num": 1, "enc_blk_nums": [1, 1], "dec_blk_nums": [1, 1]}, 3, (1, 1)),
    ("KBNet_l", {"dim": 24, "num_blocks": [1, 1, 1, 1], "num_refinement_blocks": 1}, 3, (16, 1)),
    ("HVICIDNet", {"channels": [8, 8, 16, 32], "heads": [1, 2, 4, 8]}, 3, (8, 1)),
    ("SwinIR", {**SWIN, "window_size": 8, "img_range": 1.0}, 3, (1, 16)),
    ("SwinIR", {**SWIN, "window_size": 7, "img_size": 14, "in_chans": 1, "img_range": 255.0}, 1, (1, 16)),
]


@pytest.mark.filterwarnings(
    "ignore:torch.meshgrid:UserWarning", "ignore:.saved_variables.:DeprecationWarning"
)  # NAFNet
@pytest.mark.parametrize(("name", "options", "channels", "sizes"), CASES)
def test_it_loads_runs_and_is_explained(name: str, options: Any, channels: int, sizes: Any, tmp_path: Path) -> None:
    file = tmp_path / "network.pth"
    torch.save(built(name, **options).state_dict(), file)
    network = srlens.load_network(file)
    assert (network.family, network.scale, network.channels) == (BY_ID[name.partition("_")[0]].name, 1, channels)
    assert network.purpose == "restoration"
    assert network.colour == ("grey" if channels == 1 else "rgb")
    assert (network.padding.multiple, network.padding.minimum) == sizes
    assert network.value_range == 1.0

    image = torch.rand(3, 41, 43, generator=torch.Generator().manual_seed(0))
    shown = network.prepare(image)
    with torch.no_grad():
        restored = network(shown[None])
    assert restored.shape == (1, channels, 41, 43)
    result = srlens.attribute(network, image, srlens.Window(16, 16, 8, 8), steps=2, path="linear-black", regional=False)
    assert np.isfinite(result.map).all()
    assert result.map.any()


def test_the_level_of_noise_is_one_channel_more(tmp_path: Path) -> None:
    module = built("DRUNet", in_nc=4, out_nc=3, nc=NARROW, nb=2).eval()
    torch.save(module.state_dict(), tmp_path / "drunet.pth")
    network = srlens.load_network(tmp_path / "drunet.pth")
    x = torch.rand(2, 3, 16, 24)

    def expected(level: float) -> torch.Tensor:
        with torch.no_grad():
            return module(torch.cat([x, torch.full((2, 1, 16, 24), level / 255)], dim=1))

    with torch.no_grad():
        assert torch.equal(network(x), expected(15))
        assert torch.equal(network.told(25)(x), expected(25))
        assert torch.equal(network.told(25).told(50)(x), expected(25))
        assert torch.equal(network.told(None)(x), expected(15))
        wrapped = srlens.Network.wrap(module, scale=1, noise_level=40)
        assert torch.equal(wrapped(x), expected(40))
    with pytest.raises(srlens.SettingError, match="noise_level must be σ"):
        srlens.Network.wrap(module, scale=1, noise_level=-1)


def test_a_denoiser_is_told_the_level_of_the_picture(tmp_path: Path) -> None:
    torch.save(built("DRUNet", in_nc=4, out_nc=3, nc=NARROW, nb=2).state_dict(), tmp_path / "drunet.pth")
    network = srlens.load_network(tmp_path / "drunet.pth")
    clean = torch.rand(3, 32, 32)
    window = srlens.Window(8, 8, 8, 8)
    levels = {}
    for degradation in ("noise:30", "dark:0.5,noise=7", "haze:1"):
        subject = srlens.Subject.from_hr(clean, 1, name="x", degradation=degradation)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", srlens.SrlensWarning)
            row = srlens.compare([network], subject, window, steps=2).rows[0]
        levels[degradation] = (row.network.noise_level, row.result.facts["noise_level"])
    assert levels == {"noise:30": (30, 30), "dark:0.5,noise=7": (7, 7), "haze:1": (None, 15)}


def test_mix_dehaze_net_works_on_minus_one_to_one(tmp_path: Path) -> None:
    module = built("MixDehazeNet", embed_dims=[24, 48, 96, 48, 24], depths=[1, 1, 1, 1, 1]).eval()
    torch.save(module.state_dict(), tmp_path / "haze.pth")
    x = torch.rand(1, 3, 48, 48)
    with torch.no_grad():
        expected = module(2 * x - 1) * 0.5 + 0.5
        assert torch.allclose(srlens.load_network(tmp_path / "haze.pth")(x), expected, atol=1e-6)


def test_footprint_of_drunet(support: Any) -> None:
    module = built("DRUNet", in_nc=3, out_nc=3, nc=[2, 2, 2, 2], nb=1)
    field = BY_ID["DRUNet"].receptive_field_of(module)
    first, last = field.footprint(128, 129, 1, 256)
    assert 0 < first < last < 256
    rows, columns = support(module, 128, 129, 256, positive=True)
    assert rows == columns == (first, last)


@pytest.mark.shared
@pytest.mark.parametrize(("file", "channels", "side"), [("dncnn-gray-25", 1, 35), ("dncnn-color-blind", 3, 41)])
def test_the_gradient_of_dncnn_ends_at_its_receptive_field(file: str, channels: int, side: int, shared: Path) -> None:
    """In the paper's words: 35×35 with 17 layers, 41×41 with 20."""
    network = srlens.load_network(shared / f"restoration/weights/{file}.pth", dtype=torch.float64)
    assert network.receptive_field.true == network.receptive_field.paper == side
    assert network.colour == ("grey" if channels == 1 else "rgb")
    size = side + 8
    x = torch.rand(1, channels, size, size, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(network(x)[..., size // 2, size // 2].sum(), x)
    touched = (gradient[0] != 0).any(dim=0)
    for axis in (0, 1):
        places = touched.any(dim=axis).nonzero().flatten()
        assert (int(places[0]), int(places[-1]) + 1) == (size // 2 - side // 2, size // 2 + side // 2 + 1)
