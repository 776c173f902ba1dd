"""Grey pictures and networks of one channel."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import srlens
from srlens.errors import SettingError
from srlens.imaging.colour import luma

WINDOW = srlens.Window(8, 10, 6, 6)


def body(channels: int = 3, scale: int = 2) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(channels, 6, 3, padding=1),
        nn.GELU(),
        nn.Conv2d(6, channels * scale**2, 3, padding=1),
        nn.PixelShuffle(scale),
    )


@pytest.mark.parametrize("colour", ["y", "grey"])
def test_a_grey_picture_is_an_rgb_picture_of_three_equal_channels(colour: Any) -> None:
    """Whatever way it comes, alone or beside an RGB network, numbers are the same."""
    one = srlens.Network.wrap(body(1).double(), scale=2, channels=1, colour=colour, name="one")
    three = srlens.Network.wrap(body().double(), scale=2, name="three")
    torch.manual_seed(1)
    hr = torch.rand(1, 40, 48, dtype=torch.float64)
    lr = srlens.make_lr(hr, 2)
    rgb = lr.expand(3, -1, -1)
    assert torch.allclose(one.prepare(lr), one.prepare(rgb), atol=1e-12)
    assert torch.allclose(one.prepare(lr), lr if colour == "grey" else (219 * lr + 16) / 255, atol=1e-6)
    assert torch.allclose(one.upscale(lr), one.upscale(rgb), atol=1e-12)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", srlens.SrlensWarning)
        alone = srlens.compare([one], lr, WINDOW, clean=hr, steps=4).rows[0]
        beside = srlens.compare([one, three], lr, WINDOW, clean=hr, steps=4).rows[0]
        of_rgb = srlens.compare([one], rgb, WINDOW, clean=hr.expand(3, -1, -1), steps=4).rows[0]
    for explained in (beside, of_rgb):
        assert explained.psnr_image == pytest.approx(alone.psnr_image, abs=1e-9)
        assert explained.psnr_window == pytest.approx(alone.psnr_window, abs=1e-9)
        assert np.allclose(explained.result.map, alone.result.map, atol=1e-12)
    assert np.allclose(srlens.attribute(one, lr, WINDOW, steps=4).map, alone.result.map, atol=1e-12)


def test_full_range_grey_is_the_luma_without_its_offset() -> None:
    network = srlens.Network.wrap(nn.Upsample(scale_factor=2), scale=2, channels=1, colour="grey")
    rgb = torch.rand(3, 9, 9)
    weights = torch.tensor([0.299, 0.587, 0.114])[:, None, None]
    assert torch.allclose(network.prepare(rgb), (weights * rgb).sum(dim=0, keepdim=True), atol=1e-4)
    grey = torch.rand(1, 9, 9)
    assert torch.equal(network.prepare(grey), grey)
    repeated = nn.functional.interpolate(grey[None], scale_factor=2)[0].expand(3, -1, -1)
    assert torch.allclose(network.upscale(grey), repeated, atol=0.35)
    assert torch.allclose(luma(network.upscale(grey)), luma(repeated), atol=1e-3)


def test_a_clean_grey_picture_is_read_as_the_network_makes_it() -> None:
    module = nn.Upsample(scale_factor=2)
    hr = torch.rand(1, 20, 24).double()
    lr = hr[:, ::2, ::2]
    clean = nn.functional.interpolate(lr[None], scale_factor=2)[0]
    for colour in ("y", "grey"):
        network = srlens.Network.wrap(module, scale=2, channels=1, colour=colour)
        result = srlens.attribute(network, lr, WINDOW, detector="error", clean=clean, steps=2)
        assert result.detector_at_image == pytest.approx(0, abs=1e-9)


def test_one_channel_files(tmp_path: Path) -> None:
    from spandrel.architectures.Compact.__arch.SRVGG import SRVGGNetCompact

    from srlens.networks.zoo.fsrcnn import FSRCNN

    torch.save(FSRCNN().state_dict(), tmp_path / "fsrcnn.pth")
    torch.save(
        SRVGGNetCompact(num_in_ch=1, num_out_ch=1, num_feat=8, num_conv=2, upscale=2).state_dict(),
        tmp_path / "manga.pth",
    )
    assert srlens.load_network(tmp_path / "fsrcnn.pth").colour == "y"
    assert srlens.load_network(tmp_path / "manga.pth").colour == "grey"
    assert srlens.open_network(tmp_path / "manga.pth", colour="y").colour == "y"
    with pytest.raises(SettingError, match="colour must be"):
        srlens.load_network(tmp_path / "manga.pth", colour="rgb")
