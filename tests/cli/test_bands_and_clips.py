"""Pictures of many bands and clips as a user of the command line meets them."""

import json
import sys
from pathlib import Path

import numpy as np
import polars
import pytest

import srlens
from srlens.cli.main import app
from srlens.errors import ChannelError, SettingError
from srlens.imaging.samples import sample_image

#: The networks here restore nothing.
pytestmark = pytest.mark.filterwarnings("ignore::srlens.errors.BelowReferenceWarning")

LAB = """
import torch
from torch import nn
import srlens

class Second(nn.Module):
    def forward(self, x):
        return torch.roll(x[:, 1], (-3, 2), dims=(-2, -1))

def clip():
    return srlens.Network.wrap(Second(), scale=1, frames=5, name="second")

def bands():
    layer = nn.Conv2d(4, 4, 1, bias=False)
    nn.init.dirac_(layer.weight)
    layer.weight.data[:, 3] += 0.5
    return srlens.Network.wrap(layer, scale=1, channels=4, name="near-infrared")
"""


@pytest.fixture(autouse=True)
def _lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lab_of_clips.py").write_text(LAB)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "lab_of_clips", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "clip").mkdir()
    for k in range(5):
        srlens.write_image(tmp_path / f"clip/{k}.png", sample_image("pagoda")[:, 40 + k : 104 + k, 60:130])
    np.save(tmp_path / "cube.npy", np.concatenate([sample_image("pagoda"), sample_image("hopper")[:1]])[:, :64, :70])


def run(*words: str) -> None:
    with pytest.raises(SystemExit) as ended:
        app([*words, "--module", "--window", "24,24,16", "--steps", "3", "--format", "png", "--out", "out"])
    assert not ended.value.code


def test_a_clip_from_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("compare", "lab_of_clips:clip", "clip", "--clean", "--degradation", "noise:10")
    record = json.loads((tmp_path / "out/result.json").read_text())
    assert record["networks"][0]["frame_shares"] == [0, 1, 0, 0, 0]
    assert "Shares of frames, second: frame 1 0.0 %, frame 2 100.0 %" in " ".join(capsys.readouterr().out.split())
    (saved,) = (tmp_path / "out").glob("*.safetensors")
    assert srlens.load(saved).map.shape == (5, 3, 64, 70)
    table = polars.read_csv(tmp_path / "out/comparison_parts.csv")
    assert table["part"].to_list() == ["frame"] * 5
    assert table["share"].to_list() == [0, 1, 0, 0, 0]
    assert table["diffusion_index"].null_count() == 4  # a map that is zero has none
    assert list((tmp_path / "out").glob("clip_parts_*.png"))


def test_four_bands_from_an_array(tmp_path: Path) -> None:
    run("explain", "lab_of_clips:bands", "cube.npy", "--clean", "--degradation", "noise:10", "--bands", "3,2,1")
    (network,) = json.loads((tmp_path / "out/result.json").read_text())["networks"]
    assert len(network["band_shares"]) == 4
    assert sum(network["band_shares"]) == pytest.approx(1)
    assert network["psnr_image"] is not None
    assert list((tmp_path / "out").glob("cube_parts_*.png"))


def test_what_does_not_fit() -> None:
    with pytest.raises(SettingError, match="between 1 and 4"):
        app(["explain", "lab_of_clips:bands", "cube.npy", "--module", "--bands", "5,2,1"])
    with pytest.raises(SettingError, match=r"RED,GREEN,BLUE"):
        app(["explain", "lab_of_clips:bands", "cube.npy", "--module", "--bands", "3,2"])
    with pytest.raises(ChannelError, match="has 4 channels"):
        app(["explain", "plain", "cube.npy", "--window", "24,24,16"])
