"""``compare``, ``field-of-view`` and ``--crop`` as a user meets them."""

import json
import subprocess
import sys
from pathlib import Path

import polars
import pytest

from srlens.imaging.files import write_image
from srlens.imaging.samples import sample_image


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
def test_compare_writes_everything(picture: Path, tmp_path: Path) -> None:
    where = ["--hr", "--window", "40,48,16", "--steps", "3", "--sort", "di", "--out", "here"]
    sweep = ["--sweep", "window", "--values", "8", "16", "--format", "png", "svg"]
    run = srlens("compare", "plain", "channel", picture, *where, *sweep, cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    written = {file.name for file in (tmp_path / "here").iterdir()}
    place = "t40_l48_16x16_steps-3"
    assert written == {
        *(f"hr_comparison{kind}_{place}.{ending}" for kind in ("", "_interest") for ending in ("png", "svg")),
        *(f"hr_srlens-{name}-x4_{place}.safetensors" for name in ("plain", "channel")),
        *(f"comparison.{ending}" for ending in ("csv", "parquet", "tex")),
        *(f"sweep_window.{ending}" for ending in ("png", "svg", "csv", "parquet")),
        "result.json",
    }
    frame = polars.read_parquet(tmp_path / "here/comparison.parquet")
    assert frame["diffusion_index"].is_sorted(descending=True)
    swept = polars.read_csv(tmp_path / "here/sweep_window.csv")
    both = swept.filter(polars.col("value") == 16).sort("rank")
    assert both["diffusion_index"].to_list() == pytest.approx(frame["diffusion_index"].to_list())
    said = " ".join(run.stdout.split())
    assert "With window from 8 to 16, the order of the" in said
    assert f"{frame['diffusion_index'][0]:.2f}" in said


@pytest.mark.slow
def test_a_crop_is_the_part_of_the_picture(picture: Path, tmp_path: Path) -> None:
    where = ["--hr", "--crop", "16,32,96,80", "--window", "40,30,16", "--steps", "2", "--out", "here"]
    run = srlens("explain", "plain", picture, *where, cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    record = json.loads((tmp_path / "here/result.json").read_text())
    assert record["part_of_image"] == {"top": 16, "left": 32, "height": 96, "width": 80}
    assert record["networks"][0]["lr_size"] == [24, 20]


@pytest.mark.slow
def test_field_of_view(tmp_path: Path) -> None:
    options = ["--side", "32", "--places", "2", "--steps", "3", "--out", "here"]
    run = srlens("field-of-view", "plain", "channel", *options, cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    frame = polars.read_csv(tmp_path / "here/field-of-view.csv")
    assert frame["network"].to_list() == ["srlens-plain-x4", "srlens-channel-x4"]
    assert frame["receptive_field_global"].to_list() == [False, True]
    assert frame["support_pixels"].to_list() == [21 * 21, 32 * 32]
    assert "21×21" in run.stdout
    assert "whole" in run.stdout
    for ending in ("png", "pdf"):
        assert (tmp_path / f"here/field-of-view.{ending}").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["compare", "plain"], "at least one network"),
        (["compare", "plain", "PICTURE", "--values", "1", "2"], "add --sweep"),
        (["compare", "plain", "PICTURE", "--hr", "--crop", "1,2,3"], "TOP,LEFT,HEIGHT,WIDTH"),
        (["explain", "plain", "PICTURE", "--hr", "--crop", "2,0,64,64"], "nearest is 0,0,64,64"),
        (["explain", "plain", "PICTURE", "--hr", "--crop", "96,0,64,64"], "reaches outside"),
        (["field-of-view"], "at least one network"),
        (["field-of-view", "plain", "--side", "500"], "Lower the side"),
    ],
)
def test_mistakes_end_in_one_sentence(arguments: list[str], words: str, picture: Path, tmp_path: Path) -> None:
    run = srlens(*(picture if argument == "PICTURE" else argument for argument in arguments), cwd=tmp_path)
    assert run.returncode == 2
    assert "Traceback" not in run.stderr
    assert words in " ".join(run.stderr.split())


@pytest.mark.slow
def test_methods_are_compared_by_one_network(picture: Path, tmp_path: Path) -> None:
    where = ["--hr", "--window", "40,48,16", "--out", "here", "--format", "png"]
    methods = ["--methods", "lam,gradient,causal-effect", "--draws", "3", "--detector", "psnr", "--tolerance", "0.2"]
    run = srlens("compare", "plain", picture, *where, *methods, cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    stem = "hr_srlens-plain-x4_t40_l48_16x16"
    own = ("lam_tolerance-0.2", "gradient", "causal-effect_draws-3")
    assert {file.name for file in (tmp_path / "here").iterdir()} == {
        *(f"{stem}_methods.{ending}" for ending in ("png", "csv", "parquet")),
        *(f"{stem}_{name}_detector-psnr.safetensors" for name in own),
        "result.json",
    }
    frame = polars.read_parquet(tmp_path / f"here/{stem}_methods.parquet")
    assert frame["method"].to_list() == ["lam", "gradient", "causal-effect"]
    assert set(frame["detector"]) == {"psnr"}
    refused = srlens("compare", "plain", "channel", picture, *where, *methods, cwd=tmp_path)
    assert refused.returncode == 2
    assert "takes one network and the image" in " ".join(refused.stderr.split())
