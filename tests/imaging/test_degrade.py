"""LR images out of HR images."""

from pathlib import Path

import pytest
import torch

from srlens.errors import ImageTooSmallError, SettingError
from srlens.imaging.degrade import make_lr, modcrop
from srlens.imaging.files import read_image
from srlens.imaging.resample import bicubic_downscale, pil_downscale


def test_modcrop_cuts_bottom_and_right() -> None:
    image = torch.rand(2, 3, 9, 14)
    assert torch.equal(modcrop(image, 4), image[..., :8, :12])
    assert modcrop(image, 1).shape == image.shape
    with pytest.raises(ImageTooSmallError, match="9×14"):
        modcrop(image, 10)
    with pytest.raises(SettingError, match=r"\(=0\)"):
        modcrop(image, 0)


def test_methods() -> None:
    hr = torch.rand(3, 18, 23)
    assert torch.equal(make_lr(hr, 4), bicubic_downscale(hr[:, :16, :20], 4))
    assert torch.equal(make_lr(hr, 4, "pil"), pil_downscale(hr[:, :16, :20], 4))
    for method in ("matlab", "matlab-uint8", "pil"):
        assert make_lr(hr, 4, method).shape == (3, 4, 5)
    with pytest.raises(SettingError, match="'matlab', 'matlab-uint8', 'pil'"):
        make_lr(hr, 4, "lanczos")  # type: ignore[arg-type]


@pytest.mark.parametrize("scale", [2, 4])
def test_public_lr_images(shared: Path, scale: int) -> None:
    hr = read_image(shared / "images/Set5/HR/woman.png")
    lr = read_image(shared / f"images/Set5/LRx{scale}/womanx{scale}.png")
    assert torch.equal(make_lr(hr, scale, "matlab-uint8"), lr)
