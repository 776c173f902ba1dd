"""LR images out of HR images."""

from pathlib import Path

import pytest
import torch

from srlens.comparison.subject import Subject
from srlens.errors import ImageTooSmallError, SettingError
from srlens.imaging import degrade as degrade_module
from srlens.imaging.degrade import (
    DEGRADATIONS,
    Degradation,
    add_degradation,
    default_degradation,
    degrade,
    make_lr,
    modcrop,
    parse_degradation,
    reference,
    reference_name,
)
from srlens.imaging.files import read_image, write_image
from srlens.imaging.resample import bicubic_downscale, bicubic_upscale, matlab_downscale_uint8, pil_downscale


def test_modcrop_cuts_bottom_and_right() -> None:
    image = torch.rand(2, 3, 9, 14)
    assert torch.equal(modcrop(image, 4), image[..., :8, :12])
    assert modcrop(image, 1).shape == image.shape
    with pytest.raises(ImageTooSmallError, match="9×14"):
        modcrop(image, 10)
    with pytest.raises(SettingError, match="got 0"):
        modcrop(image, 0)


def test_methods() -> None:
    hr = torch.rand(3, 18, 23)
    assert torch.equal(make_lr(hr, 4), matlab_downscale_uint8(hr[:, :16, :20], 4))
    assert torch.equal(make_lr(hr, 4, "bicubic-float"), bicubic_downscale(hr[:, :16, :20], 4))
    assert torch.equal(make_lr(hr, 4, "pil"), pil_downscale(hr[:, :16, :20], 4))
    for method in ("matlab", "bicubic-float", "matlab-uint8", "pil"):
        assert make_lr(hr, 4, method).shape == (3, 4, 5)
    with pytest.raises(SettingError, match="'matlab-uint8', 'bicubic-float', 'pil'"):
        make_lr(hr, 4, "lanczos")


@pytest.mark.parametrize("scale", [2, 4])
def test_public_lr_images(shared: Path, scale: int) -> None:
    hr = read_image(shared / "images/Set5/HR/woman.png")
    lr = read_image(shared / f"images/Set5/LRx{scale}/womanx{scale}.png")
    assert torch.equal(make_lr(hr, scale, "matlab-uint8"), lr)


def test_names_and_levels() -> None:
    assert parse_degradation("bicubic").entry is DEGRADATIONS["matlab-uint8"]
    assert parse_degradation("matlab").entry is DEGRADATIONS["bicubic-float"]
    asked = parse_degradation("noise:12.5")
    assert (asked.entry.name, asked.level, asked.entry.scale, asked.entry.seeded) == ("noise", 12.5, 1, True)
    for text in ("noise", "noise:", "noise:much", "noise:-1", "noise:nan", "noise:inf"):
        with pytest.raises(SettingError, match=r"needs a level: σ in 8-bit grey levels.*noise:25"):
            parse_degradation(text)
    with pytest.raises(SettingError, match="has no level; write 'pil' alone"):
        parse_degradation("pil:3")


def test_noise_is_what_it_says() -> None:
    clean = torch.rand(3, 64, 80)
    observed = degrade(clean, "noise:25", seed=3)
    noise = 255 * (observed - clean)
    assert float(noise.std()) == pytest.approx(25, rel=0.03)
    assert abs(float(noise.mean())) < 0.6
    assert observed.max() > 1  # not clipped
    assert torch.equal(observed, degrade(clean, "noise:25", scale=1, seed=3))
    assert not torch.equal(observed, degrade(clean, "noise:25", seed=4))
    assert torch.equal(degrade(clean, "noise:0"), clean)
    assert degrade(clean.double(), "noise:25", seed=3).dtype == torch.float64


def test_scales_that_do_not_fit_are_refused() -> None:
    clean = torch.rand(3, 16, 16)
    with pytest.raises(SettingError, match="made for scale 1, and this is for a network of scale 4"):
        degrade(clean, "noise:25", scale=4)
    with pytest.raises(SettingError, match=r"shrinks the picture.*network of scale 1.*noise:25, jpeg:10, blur:1.6"):
        degrade(clean, "matlab-uint8", scale=1)
    with pytest.raises(SettingError, match="give the scale"):
        degrade(clean, "pil")
    assert torch.equal(degrade(clean, "bicubic", scale=4), make_lr(clean, 4))


def test_doing_nothing() -> None:
    observed = torch.rand(3, 8, 9)
    assert torch.equal(reference(observed, 4, "pil"), bicubic_upscale(observed, 4))
    assert torch.equal(reference(observed, 2), bicubic_upscale(observed, 2))
    assert reference(observed, 1, "noise:25") is observed
    assert reference(observed, 1) is observed
    names = [reference_name(4), reference_name(1), reference_name(1, "noise:25"), reference_name(2, "matlab-uint8")]
    assert names == ["bicubic", "observed picture", "noisy picture", "bicubic"]


def test_one_rule_for_the_default() -> None:
    assert [default_degradation("default"), default_degradation("paper")] == ["matlab-uint8", "pil"]
    assert default_degradation("paper", "matlab-uint8") == "matlab-uint8"


def test_a_degradation_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(degrade_module, "DEGRADATIONS", dict(DEGRADATIONS))
    dim = Degradation("dim", "less light", lambda clean, scale, level, seed: clean * level, level="gain")
    add_degradation(dim)
    clean = torch.rand(1, 6, 6)
    assert torch.equal(degrade(clean, "dim:0.5"), clean * 0.5)
    before = dict(degrade_module.DEGRADATIONS)
    for bad in (dim, Degradation("bicubic", "", dim.observe), Degradation("a:b", "", dim.observe)):
        with pytest.raises(SettingError, match="cannot be called"):
            add_degradation(Degradation("new", "", dim.observe), bad)
    assert before == degrade_module.DEGRADATIONS


def test_the_lr_is_what_a_file_would_hold_unless_asked_otherwise(tmp_path):
    hr = torch.zeros(3, 64, 64)
    hr[:, :, 20:40] = 1  # bicubic overshoots at edges
    for lr in (make_lr(hr, 4), Subject.from_hr(hr, 4, name="x").lr, degrade(hr, "bicubic", scale=4)):
        write_image(tmp_path / "lr.png", lr)
        assert torch.equal(read_image(tmp_path / "lr.png"), lr)
    unrounded = Subject.from_hr(hr, 4, name="x", degradation="matlab")
    assert unrounded.degradation == "bicubic-float"
    assert float(unrounded.lr.max()) > 1.01
