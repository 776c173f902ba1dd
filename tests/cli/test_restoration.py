"""The command line with networks that keep the size."""

import json
import warnings
from pathlib import Path

import pytest
import torch
from spandrel.architectures.DnCNN import DnCNN
from spandrel.architectures.DRUNet import DRUNet

import srlens
from srlens.cli.main import app
from srlens.errors import SettingError
from srlens.imaging.samples import sample_image


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A denoiser that takes off little, one that is told the level, a small picture."""
    torch.manual_seed(0)
    for name, channels in (("colour", 3), ("grey", 1)):
        module = DnCNN(in_nc=channels, out_nc=channels, nc=4, nb=8, act_mode="R")
        module.model[-1].weight.data *= 1e-2
        module.model[-1].bias.data.zero_()
        torch.save(module.state_dict(), tmp_path / f"{name}.pth")
    torch.save(DRUNet(in_nc=4, out_nc=3, nc=[4, 4, 4, 4], nb=2).state_dict(), tmp_path / "told.pth")
    clean = sample_image("pagoda")[:, 120:168, 120:168]
    srlens.write_image(tmp_path / "clean.png", clean)
    srlens.write_image(tmp_path / "observed.png", srlens.degrade(clean, "jpeg:10"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", srlens.SrlensWarning)
        with pytest.raises(SystemExit) as end:
            app([*words, "--device", "cpu"])
    assert not end.value.code


QUICK = ("--window", "16,16,8", "--steps", "1", "--format", "png", "-o", "out")


def test_noise_is_made_seeded_and_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("explain", "colour.pth", "clean.png", "--degradation", "noise:25", "--clean", "--seed", "3", *QUICK)
    run(*words)
    shown = capsys.readouterr().out
    record = json.loads((folder / "out/result.json").read_text())
    assert (record["degradation"], record["degradation_seed"]) == ("noise:25", 3)
    assert record["reference"]["name"] == "noisy picture"
    for part in ("noisy picture", "input 48×48", "PSNR: RGB", "Question: to which input pixels"):
        assert part in " ".join(shown.split())
    for part in ("bicubic", "LR", "SR", "inf"):
        assert part not in shown


def test_the_question_of_a_path_from_the_clean_picture(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("explain", "colour.pth", "observed.png", "--clean-file", "clean.png", "--path", "linear-clean", *QUICK)
    run(*words)
    assert "compared with the clean picture as input" in " ".join(capsys.readouterr().out.split())
    record = json.loads((folder / "out/result.json").read_text())
    assert record["reference"]["name"] == "observed picture"
    assert record["degradation"] == "given"


def test_the_level_of_noise(folder: Path) -> None:
    words = ("explain", "told.pth", "clean.png", "--degradation", "noise:30", "--clean", *QUICK)
    levels = []
    for more in ((), ("--noise-level", "12")):
        run(*words, *more)
        levels.append(json.loads((folder / "out/result.json").read_text())["networks"][0]["facts"]["noise_level"])
        (folder / "out/result.json").unlink()
    assert levels == [30, 12]
    with pytest.raises(SettingError, match="colour takes no level of noise"):
        app(["explain", "colour.pth", "clean.png", "--noise-level", "12", *QUICK])


def test_a_grey_denoiser_is_given_noise_on_grey(folder: Path) -> None:
    run("explain", "grey.pth", "clean.png", "--degradation", "noise:25", "--clean", *QUICK)
    record = json.loads((folder / "out/result.json").read_text())
    # Of grey in full range; the luma of noisy RGB would be 3.5 dB better.
    assert record["reference"]["psnr_image"] == pytest.approx(20.3, abs=0.5)


def test_without_a_degradation_it_is_asked_for(folder: Path) -> None:
    with pytest.raises(SettingError, match=r"noise:25, jpeg:10, blur:1.6, rain:4, haze:1, dark:0.2"):
        app(["explain", "colour.pth", "clean.png", "--clean", *QUICK])


def test_mining_for_denoisers(folder: Path) -> None:
    made = ("--scale", "1", "--degradation", "jpeg:10", "--lr-size", "32", "--count", "1", "-o", "windows.toml")
    run("mine", "clean.png", *made)
    listed = srlens.read_window_list(folder / "windows.toml")
    assert (listed.scale, listed.degradation, len(listed.windows)) == (1, "jpeg:10", 1)
    assert (listed.seed, listed.grey) == (None, False)
    noisy = (
        "--degradation",
        "noise:25",
        "--seed",
        "7",
        "--grey",
        "--lr-size",
        "32",
        "--count",
        "1",
        "-o",
        "noisy.toml",
    )
    run("mine", "clean.png", "--scale", "1", *noisy)
    listed = srlens.read_window_list(folder / "noisy.toml")
    assert (listed.seed, listed.grey) == (7, True)
    with pytest.raises(SettingError, match="grey is for networks of scale 1"):
        app(["mine", "clean.png", "--grey"])
