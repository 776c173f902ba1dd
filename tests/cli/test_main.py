"""The command line as a user meets it: real processes, exit codes, one-line errors."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from srlens.imaging.files import write_image
from srlens.imaging.samples import sample_image
from srlens.records.archive import load


def srlens(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "srlens", *map(str, arguments)], capture_output=True, text=True, cwd=cwd, check=False
    )


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("picture") / "hr.png"
    write_image(path, sample_image("pagoda")[:, 96:224, 96:224])
    return path


@pytest.mark.slow
def test_explain_writes_what_it_says(picture: Path, tmp_path: Path) -> None:
    run = srlens("explain", "plain", picture, "--hr", "--window", "40,48,16", "--out", "here", cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    record = json.loads((tmp_path / "here/result.json").read_text())
    (network,) = record["networks"]
    assert network["window"] == {"top": 40, "left": 48, "height": 16, "width": 16, "unit": "SR pixels"}
    assert network["map_error"] <= 0.05
    assert network["psnr_window"] > 0
    assert record["reference"]["psnr_image"] > 0
    (maps,) = (tmp_path / "here").glob("*.safetensors")
    stored = load(maps)
    assert stored.map.shape == (3, 32, 32)
    assert stored.diffusion_index == network["diffusion_index"]
    for suffix in (".png", ".pdf"):
        (figure,) = (tmp_path / "here").glob(f"*{suffix}")
        assert figure.stat().st_size > 10_000
    assert f"{network['diffusion_index']:.2f}" in run.stdout


@pytest.mark.parametrize(
    ("arguments", "name", "words"),
    [
        (["--window", "400,0,16"], "WindowError", "reaches outside the SR image of 128×128"),
        (["--window", "1,2"], "WindowError", "TOP,LEFT,SIZE"),
        (["--steps", "0"], "SettingError", "at least 1"),
        (["--sigma", "-1"], "SettingError", "positive"),
        (["--tolerance", "2"], "SettingError", "between 0 and 1"),
        (["--detector", "magic"], "SettingError", "known: gradient"),
        (["--device", "cuda:99"], "SettingError", "here there is"),
    ],
)
def test_mistakes_end_in_one_sentence_and_exit_code_two(
    arguments: list[str], name: str, words: str, picture: Path, tmp_path: Path
) -> None:
    run = srlens("explain", "plain", picture, "--hr", *arguments, cwd=tmp_path)
    assert run.returncode == 2
    assert "Traceback" not in run.stderr
    assert name in run.stderr
    assert words in run.stderr
    assert not (tmp_path / "srlens-out").exists()


def test_files_that_are_not_there(picture: Path, tmp_path: Path) -> None:
    run = srlens("explain", "nothing.pth", picture, cwd=tmp_path)
    assert (run.returncode, "CheckpointError" in run.stderr) == (2, True)
    run = srlens("explain", "plain", "nothing.png", cwd=tmp_path)
    assert (run.returncode, "ImageError" in run.stderr) == (2, True)


@pytest.mark.slow
def test_demo_shows_the_contrast(tmp_path: Path) -> None:
    run = srlens("demo", "--out", "demo", cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    record = json.loads((tmp_path / "demo/result.json").read_text())
    indices = {network["network"]: network["diffusion_index"] for network in record["networks"]}
    plain = indices["srlens-plain-x4"]
    assert plain < indices["srlens-channel-x4"]
    assert plain < indices["srlens-nonlocal-x4"]
    assert list((tmp_path / "demo").glob("*comparison*.png"))


@pytest.mark.slow
def test_demo_of_denoising(tmp_path: Path) -> None:
    run = srlens("demo", "--task", "denoise", "--window", "96,96,16", "--steps", "3", "--out", "demo", cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    record = json.loads((tmp_path / "demo/result.json").read_text())
    assert record["degradation"] == "noise:25"
    assert record["reference"]["name"] == "noisy picture"
    plain, nonlocal_ = record["networks"]
    assert (plain["network"], nonlocal_["network"]) == ("srlens-denoise-plain", "srlens-denoise-nonlocal")
    assert plain["diffusion_index"] < nonlocal_["diffusion_index"]
    assert list((tmp_path / "demo").glob("*comparison*.png"))


def test_help_is_quick_and_names_every_verb(tmp_path: Path) -> None:
    code = (
        "import sys, srlens.cli.main as m\n"
        "try: m.app(['--help'])\n"
        "except SystemExit: pass\n"
        "print([x for x in ('torch', 'matplotlib', 'spandrel') if x in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True)
    for verb in ("compare", "demo", "explain", "networks"):
        assert verb in run.stdout
    assert run.stdout.rstrip().endswith("[]")


@pytest.mark.slow
def test_field_follows_the_preset_as_explain_does(picture: Path, tmp_path: Path) -> None:
    """Its LR was MATLAB's under the paper's preset, where every other verb takes Pillow's."""
    options = ("--hr", "--preset", "paper", "--steps", "1", "--size", "64")
    run = srlens("field", "plain", picture, *options, "--out", "field", cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    (log,) = (tmp_path / "field").glob("*.jsonl")
    assert json.loads(log.read_text().splitlines()[0])["degradation"] == "pil"


@pytest.mark.slow
@pytest.mark.parametrize("verb", ["explain", "compare", "field"])
def test_names_mean_the_same_in_every_verb(verb: str, tmp_path: Path) -> None:
    """Known names come first, with a word about the file of that name; its folder makes it a file."""
    for name in ("pagoda", "plain"):
        (tmp_path / name).write_text("neither a picture nor a network")
    run = srlens(verb, "./plain", "pagoda", cwd=tmp_path)
    assert (run.returncode, "CheckpointError: plain cannot be read" in run.stderr) == (2, True)
    run = srlens(verb, "plain", "./pagoda", cwd=tmp_path)
    assert (run.returncode, "ImageError: pagoda: It is not an image" in run.stderr) == (2, True)
    assert "AmbiguousNameWarning: 'plain' is taken as the name" in run.stderr
