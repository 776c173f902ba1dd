"""``verify`` as a user meets it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from srlens.records.archive import load


def srlens(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "srlens", *map(str, arguments)], capture_output=True, text=True, cwd=cwd, check=False
    )


@pytest.mark.slow
def test_verify_writes_what_it_says(tmp_path: Path) -> None:
    where = ["--hr", "--crop", "32,32,128,128", "--budget", "quick", "--steps", "2", "--fills", "mean", "blur"]
    run = srlens("verify", "plain", "pagoda", *where, "--format", "png", "--out", "here", cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    written = sorted(file.name for file in (tmp_path / "here").iterdir())
    assert written[-1] == "verification.json"
    assert [Path(name).suffix for name in written] == [".png", ".safetensors", ".json"]
    record = json.loads((tmp_path / "here/verification.json").read_text())
    found = load(tmp_path / "here" / written[1])
    assert found.deletion.gain_over_distance == record["numbers"]["deletion_gain"]
    assert list(record["deletion"]["fills"]) == ["mean", "blur"]
    assert record["degradation"] == "matlab-uint8"
    assert record["reach"]["psnr"] is not None
    said = " ".join(run.stdout.split())
    for sentence in record["words"]:
        assert sentence in said
    assert "higher is better" in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--budget", "3"], "too small"),
        (["--budget", "huge"], "known: quick, short, default, long, thorough"),
        (["--fills", "pink"], "No fill is called 'pink'"),
    ],
)
def test_mistakes_end_in_one_sentence(arguments: list[str], words: str, tmp_path: Path) -> None:
    crop = ["--hr", "--crop", "32,32,96,96", "--window", "40,40,16", "--steps", "1"]
    run = srlens("verify", "plain", "pagoda", *crop, *arguments, cwd=tmp_path)
    assert run.returncode == 2
    assert words in run.stderr
    assert "Traceback" not in run.stderr
