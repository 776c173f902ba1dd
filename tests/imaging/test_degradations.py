"""What each degradation of restoration does to a picture, and how its settings are written."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from srlens.errors import ImageError, NotFiniteError, SettingError
from srlens.imaging.degradations.blur import gaussian_kernel
from srlens.imaging.degrade import DEGRADATIONS, canonical, degrade, for_scale, parse_degradation, reference_name, tasks
from srlens.imaging.samples import sample_image


def photograph() -> torch.Tensor:
    return sample_image("pagoda")[:, 100:164, 100:180]


@given(st.sampled_from([e.written for e in for_scale(1)]), st.integers(0, 3))
@settings(max_examples=20, deadline=None)
def test_one_seed_one_picture_and_nothing_is_written_to(text: str, seed: int) -> None:
    clean = photograph()
    before = clean.clone()
    first, again = degrade(clean, text, seed=seed), degrade(clean, text, seed=seed)
    assert torch.equal(first, again)
    assert torch.equal(clean, before)
    assert first.shape == clean.shape
    assert first.dtype == clean.dtype
    asked = parse_degradation(text)
    differs = not torch.equal(first, degrade(clean, text, seed=seed + 1))
    assert differs <= asked.entry.seeded
    assert canonical(text) == text == str(parse_degradation(canonical(text)))
    assert torch.allclose(degrade(clean.double(), text, seed=seed).float(), first, atol=2e-6)


def test_settings_are_read_and_written_in_one_way() -> None:
    assert canonical("haze:1.0,airlight=0.9") == "haze:1,airlight=0.9"
    assert canonical("haze:1,airlight=0.8") == "haze:1"
    assert canonical("blur:kernel=a.npy,border=circular") == "blur:kernel=a.npy,border=circular"
    asked = parse_degradation("dark:0.3,gamma=2,noise=5")
    assert (asked.level, asked.settings) == (0.3, {"gamma": 2.0, "noise": 5.0})
    for text, words in (
        ("haze:1,fog=2", r"no setting of the degradation 'haze'; it has \(with defaults\) airlight=0.8"),
        ("haze:1,airlight=much", "must be a number, e.g. 0.8, got 'much'"),
        ("haze:airlight=0.5", "needs a level: β"),
        ("jpeg:0", "at least 1, at most 100, e.g. jpeg:10"),
        ("blur", "needs a level: σ in pixels"),
        ("pil:a=1", "no level"),
    ):
        with pytest.raises(SettingError, match=words):
            parse_degradation(text)


def test_names_of_doing_nothing() -> None:
    names = {entry.name: reference_name(1, entry.written) for entry in for_scale(1)}
    assert names == {
        "noise": "noisy picture", "jpeg": "JPEG picture", "blur": "blurred picture", "rain": "rainy picture",
        "haze": "hazy picture", "dark": "dark picture",
    }  # fmt: skip
    assert {entry.name for entry in for_scale(4)} == set(DEGRADATIONS) - set(names)


@pytest.mark.parametrize("channels", [1, 3])
def test_jpeg_is_what_pillow_writes(channels: int) -> None:
    clean = photograph()[:channels]
    pixels = (255 * clean).round().to(torch.uint8).permute(1, 2, 0).squeeze(-1).numpy()
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="JPEG", quality=20)  # Pillow halves the chroma of itself
    expected = np.array(Image.open(file)).reshape(*clean.shape[1:], channels)
    assert np.array_equal((255 * degrade(clean, "jpeg:20")).round().permute(1, 2, 0).numpy(), expected)


def test_jpeg_that_cannot_be() -> None:
    with pytest.raises(ImageError, match="2 channels"):
        degrade(photograph()[:2], "jpeg:20")
    for text in ("jpeg:20,subsampling=none", "jpeg:20.5"):
        with pytest.raises(SettingError, match="whole quality and a subsampling"):
            degrade(photograph(), text)
    full = degrade(photograph(), "jpeg:20,subsampling=4:4:4")
    assert not torch.equal(full, degrade(photograph(), "jpeg:20"))


def test_gaussian_blur_of_a_wave() -> None:
    """Of a wave of period p a Gaussian of σ leaves exp(−2π²σ²/p²), on a circle everywhere."""
    wave = 0.5 + 0.4 * torch.cos(2 * torch.pi * torch.arange(60, dtype=torch.float64) / 12)
    blurred = degrade(wave.expand(1, 8, 60), "blur:1.6,border=circular")
    expected = 0.5 + (wave - 0.5) * np.exp(-2 * np.pi**2 * 1.6**2 / 12**2)
    assert torch.allclose(blurred, expected.expand(1, 8, 60), atol=1e-4)  # the kernel is sampled and cut off
    assert gaussian_kernel(1.6).sum() == pytest.approx(1)
    assert torch.allclose(degrade(photograph(), "blur:0"), photograph(), atol=1e-6)


def test_blur_by_a_kernel(tmp_path: Path) -> None:
    kernel = np.zeros((3, 5))
    kernel[1, 4] = 2.0  # moves the picture to the right by two pixels; brought to sum 1
    np.save(tmp_path / "k.npy", kernel)
    clean = photograph()
    moved = degrade(clean, f"blur:kernel={tmp_path / 'k.npy'},border=circular")
    assert torch.allclose(moved, clean.roll(2, dims=-1), atol=1e-6)
    noisy = degrade(clean, f"blur:kernel={tmp_path / 'k.npy'},border=circular,noise=5")
    assert float((noisy - moved).std()) == pytest.approx(5 / 255, rel=0.05)
    with pytest.raises(SettingError, match="not by both"):
        degrade(clean, f"blur:1,kernel={tmp_path / 'k.npy'}")
    with pytest.raises(SettingError, match="border of a blur must be one of reflect, circular"):
        degrade(clean, "blur:1,border=zero")
    np.save(tmp_path / "even.npy", np.ones((2, 3)))
    with pytest.raises(SettingError, match="odd sides"):
        degrade(clean, f"blur:kernel={tmp_path / 'even.npy'}")


def test_planes_that_cannot_be_read(tmp_path: Path) -> None:
    for name, array, error in (
        ("nan", np.full((3, 3), np.nan), NotFiniteError),
        ("deep", np.ones((2, 3, 3)), ImageError),
    ):
        np.save(tmp_path / f"{name}.npy", array)
        with pytest.raises(error):
            degrade(photograph(), f"haze:1,depth={tmp_path / name}.npy")
    with pytest.raises(ImageError, match="cannot be read as an array"):
        degrade(photograph(), f"rain:layer={tmp_path / 'none.npy'}")
    np.save(tmp_path / "small.npy", np.ones((3, 3)))
    for text in ("haze:1,depth=", "rain:layer="):
        with pytest.raises(ImageError, match=r"\(3, 3\), the picture \(64, 80\)"):
            degrade(photograph(), f"{text}{tmp_path / 'small.npy'}")


def test_rain_falls_at_its_angle(tmp_path: Path) -> None:
    black = torch.zeros(1, 200, 200)
    for angle in (0, 30):
        rain = degrade(black, f"rain:1,angle={angle},length=31", seed=2)[0].double()
        assert 0 < float(rain.mean()) < 0.1
        assert float(rain.max()) <= 1
        spectrum = torch.fft.fft2(rain - rain.mean()).abs().square()
        fy, fx = (f.reshape(s) for f, s in ((torch.fft.fftfreq(200), (-1, 1)), (torch.fft.fftfreq(200), (1, -1))))
        low = (fy.square() + fx.square()).sqrt() < 0.2
        tensor = [float((spectrum * low * a * b).sum()) for a, b in ((fx, fx), (fx, fy), (fy, fy))]
        # Energy lies across the streaks.
        found = 0.5 * np.degrees(np.arctan2(2 * tensor[1], tensor[0] - tensor[2]))
        assert abs(found) == pytest.approx(angle, abs=4)
    twice = [degrade(black, f"rain:{density}", seed=1).mean().item() for density in (0.2, 0.4)]
    assert twice[1] == pytest.approx(2 * twice[0], rel=0.2)
    np.save(tmp_path / "layer.npy", np.eye(200))
    assert torch.equal(degrade(black, f"rain:layer={tmp_path / 'layer.npy'},brightness=1")[0], torch.eye(200))


def test_haze_and_darkness_by_their_formulas(tmp_path: Path) -> None:
    clean = photograph().double()
    t = np.exp(-0.7)
    assert torch.allclose(degrade(clean, "haze:0.7,airlight=0.9"), clean * t + 0.9 * (1 - t), atol=1e-12)
    depth = np.linspace(0, 2, 64 * 80).reshape(64, 80)
    np.save(tmp_path / "depth.npy", depth)
    hazy = degrade(clean, f"haze:0.7,depth={tmp_path / 'depth.npy'}")
    t = torch.from_numpy(np.exp(-0.7 * depth))
    assert torch.allclose(hazy, clean * t + 0.8 * (1 - t), atol=1e-12)
    assert torch.allclose(degrade(clean, "dark:0.2,gamma=1.5"), 0.2 * clean**1.5, atol=1e-12)
    noise = 255 * (degrade(clean, "dark:0.2,noise=4", seed=1) - 0.2 * clean)
    assert float(noise.std()) == pytest.approx(4, rel=0.03)
    with pytest.raises(SettingError, match="above 0"):
        degrade(clean, "dark:0.2,gamma=0")


def test_every_degradation_is_of_one_task() -> None:
    found = tasks()
    assert [entry for entries in found.values() for entry in entries] == list(DEGRADATIONS.values())
    assert [entry.name for entry in found["super-resolution"]] == ["matlab-uint8", "bicubic-float", "pil"]
    assert all(len({entry.scale for entry in entries}) == 1 for entries in found.values())
