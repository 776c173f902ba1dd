"""``explain --seeds`` as a user meets it."""

import json
from pathlib import Path

import pytest

from srlens.cli.main import app
from srlens.cli.options import NetworkOptions
from srlens.errors import SettingError
from srlens.networks.sampled import sampling_facts
from srlens.records.archive import load


def run(*arguments: str | Path) -> None:
    with pytest.raises(SystemExit) as ended:
        app(["explain", *map(str, arguments)])
    assert not ended.value.code


def test_seeds_are_explained_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--crop", "256,256,48,48", "--steps", "1", "--last", "1", "--format", "png", "--out", tmp_path]
    run("diffusion", "pagoda", "--seeds", "2", "--no-reach", *where)
    said = " ".join(capsys.readouterr().out.split())
    assert "sampler of 12 steps, gradient through the last 1 only, 2 seeds of the noise" in said
    assert "Rank correlation of mean map and attention" in said
    (figure,) = tmp_path.glob("*.png")
    found = load(figure.with_suffix(".safetensors"))
    assert found.maps.seeds == (0, 1)
    assert found.rows[0].result.facts["last_steps"] == 1
    assert found.reaches == ()
    assert len(found.attention) == 2
    assert {path.suffix for path in tmp_path.glob("*_seeds.*")} == {".csv", ".parquet", ".tex"}
    assert json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))["over_seeds"]["seeds"] == [0, 1]


def test_one_seed_is_given_to_networks_that_sample() -> None:
    plain, diffusion = NetworkOptions(sampler_seed=4, device="cpu").open("plain", "diffusion")
    assert sampling_facts(plain) == {}
    assert sampling_facts(diffusion)["seed"] == 4


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["plain", "pagoda", "--seeds", "2"], "draws no noise and takes no steps"),
        (["diffusion", "pagoda", "--last", "2"], "add --seeds"),
        (["diffusion", "pagoda", "--seeds", "2", "--sampler-seed", "1"], "give one of them"),
        (["plain", "pagoda", "--sampler-seed", "1"], "srlens-plain-x4 draws no noise"),
        (["diffusion", "pagoda", "--sampler-seed", "-1"], "whole number of at least 0"),
        (["diffusion", "pagoda", "--seeds", "2", "--sampler-steps", "5"], "of a folder with a diffusers pipeline"),
        (["diffusion", "pagoda", "--seeds", "0", "--window", "8,8,16"], "seeds must be a whole number of at least 1"),
    ],
)
def test_what_cannot_be_is_said(arguments: list[str], words: str) -> None:
    with pytest.raises(SettingError, match=words):
        app(["explain", *arguments])
