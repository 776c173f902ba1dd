"""The script for a machine with a GPU goes through all of its steps without one."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_a_dry_run_takes_every_step(tmp_path: Path) -> None:
    for needed in ("captum", "polars", "spandrel"):
        pytest.importorskip(needed)  # else the script would install them
    command = ["bash", "benchmarks/gpu.sh", "--dry-run", "--out", tmp_path, "--shared", tmp_path / "nowhere"]
    environment = {**os.environ, "PYTHON": sys.executable, "OMP_NUM_THREADS": "1"}
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    report = json.loads((tmp_path / "gpu.json").read_text())
    assert report["machine"]["device"] == "cpu"
    assert report["machine"]["tf32"] is False
    steps = report["steps"]
    assert list(steps) == ["tests", "parity", "speed", "whole_image", "bounded_memory", "study"]
    assert " skipped" in steps["tests"]["summary"]
    assert steps["parity"]["largest_error"] < 1e-4
    assert [row["network"] for row in steps["speed"]["rows"]] == ["srlens-plain-x4", "RLFN, random weights"]
    assert (steps["study"]["computed"], steps["study"]["processes"], steps["study"]["on"]) == (12, 1, ["cpu"])
    with (tmp_path / "gpu.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 2
    assert (tmp_path / "gpu.png").stat().st_size > 10_000


@pytest.mark.skipif(os.environ.get("CUDA_VISIBLE_DEVICES", "") != "", reason="there may be a GPU")
def test_without_a_gpu_it_says_so(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, ROOT / "benchmarks/gpu.py", "--out", tmp_path / "none"]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert "sees no CUDA GPU" in run.stderr
    assert not (tmp_path / "none").exists()
