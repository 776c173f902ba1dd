"""A real Slurm of one node: a study runs through it, a task is cancelled, the rest is resumed."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from srlens.study.plan import make_plan
from srlens.study.run import run_study
from srlens.study.schema import read_study
from srlens.study.store import Store

pytestmark = [pytest.mark.slurm, pytest.mark.slow, pytest.mark.xdist_group("slurm")]


@pytest.fixture(scope="module")
def slurm(shared: Path, tmp_path_factory: pytest.TempPathFactory):
    """Start the node, and stop it in the end."""
    starter = shared / "slurm" / "one-node"
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("a Slurm of our own needs root on Linux")
    for program in ("slurmctld", "slurmd", "munged"):
        if shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") is None:
            pytest.skip(f"{program} is not installed (Debian: slurm-wlm, munge)")
    if subprocess.run(["pgrep", "-x", "slurmctld"], capture_output=True, check=False).returncode == 0:
        pytest.skip("a Slurm runs on this machine already")
    folder = tmp_path_factory.mktemp("slurm")
    eight = folder / "one-node"  # eight cores, whatever the machine has, so that tasks can run at once
    text = starter.read_text().replace("CPUs=$(nproc)", "CPUs=8")
    eight.write_text(text.replace("MpiDefault=none", "MpiDefault=none\nSlurmdParameters=config_overrides"))
    starter = eight
    environment = {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}
    started = subprocess.run(
        ["bash", str(starter), "start", str(folder)], env=environment, stdout=subprocess.DEVNULL, check=False
    )
    if started.returncode != 0:
        pytest.skip("the one-node Slurm did not start here")
    before = os.environ.get("SLURM_CONF")
    os.environ["SLURM_CONF"] = str(folder / "slurm.conf")
    yield folder
    subprocess.run(["scancel", "--me"], check=False, capture_output=True)
    subprocess.run(["bash", str(starter), "stop", str(folder)], env=environment, check=False)
    if before is None:
        del os.environ["SLURM_CONF"]
    else:
        os.environ["SLURM_CONF"] = before


def executor(folder: Path, parallel: int = 8):
    from srlens.study.executors.slurm import SlurmExecutor

    return SlurmExecutor(folder / "slurm", partition="debug", gpus=0, memory_gb=1, minutes=10, parallel=parallel)


def test_a_study_runs_through_slurm_and_survives_a_cancelled_task(slurm, make_study, here, tmp_path, stored_bytes):
    run_study(make_study(), executor=here, folder=tmp_path / "undisturbed")
    study = make_study()
    folder = study.folder
    cancelled = []

    def cancel_one(report):  # as soon as the array is in the queue, one of its tasks is cancelled
        if not cancelled:
            listed = subprocess.run(
                ["squeue", "--me", "--array", "--noheader", "--format=%i"], capture_output=True, text=True, check=True
            ).stdout.split()
            task = next((t for t in listed if t.endswith("_1")), None)
            if task is not None:
                subprocess.run(["scancel", task], check=True)
                cancelled.append(task)

    first = run_study(study, executor=executor(folder), batch=3, progress=cancel_one)
    assert cancelled
    assert first.computed == 3
    assert len(first.failures) == 3
    assert {failure.error for failure in first.failures} == {"TaskLostError"}
    assert "ended without a result: cancelled" in first.failures[0].message
    second = run_study(study, executor=executor(folder), batch=3, resume=True)
    assert (second.found, second.computed, second.failures) == (3, 3, ())
    assert stored_bytes(folder) == stored_bytes(tmp_path / "undisturbed")


def test_eight_missing_jobs_of_a_larger_study_keep_four_workers_busy(slurm, make_study, study_content, here):
    """Tasks are made of what is missing, not of all; an array runs as many at once as were asked for, not more."""
    windows = [{"image": "roof.png", "top": top, "left": left} for top in (16, 40, 64, 88) for left in (16, 40, 64, 88)]
    study = make_study(windows=windows, networks=study_content["networks"][:1])
    folder = run_study(study, executor=here).folder
    parts = sorted(folder.glob("parts/*"))
    for part in parts[:8]:
        part.unlink()
    looks = []

    def look(report):
        command = ["squeue", "--me", "--array", "--noheader", "--format=%i %t"]
        looks.append(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines())

    again = run_study(study, executor=executor(folder, parallel=4), resume=True, progress=look)
    assert (again.found, again.computed, again.failures) == (8, 8, ())
    tasks = {line.split()[0] for lines in looks for line in lines}
    running = [sum(line.endswith(" R") for line in lines) for lines in looks]
    assert len(tasks) == 8
    assert max(running) == 4


def test_pickles_hold_paths_not_models(slurm, make_study):
    study = make_study()
    assert run_study(study, executor=executor(study.folder), batch=6).computed == 6
    pickles = list((study.folder / "slurm").glob("*_submitted.pkl"))
    assert pickles
    assert all(file.stat().st_size < 8_000 for file in pickles)


def test_the_command_line_submits_an_array(slurm, make_study, tmp_path):
    shutil.copytree(Path(__file__).parents[3] / "examples" / "three-networks", tmp_path / "example")
    file = tmp_path / "example" / "study.toml"
    text = file.read_text().replace("lr_size = 64", "lr_size = 16").replace("tolerance = 0.1", "steps = 2")
    file.write_text(text)
    started = time.monotonic()
    done = subprocess.run(
        [
            *(sys.executable, "-m", "srlens", "study", "run", str(file), "--executor", "slurm", "--workers", "2"),
            *("--partition", "debug", "--gpus", "0", "--memory-gb", "2", "--no-report"),
        ],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "96 of 96 results" in done.stdout
    assert "sacct" not in done.stderr
    assert time.monotonic() - started < 600
    study = read_study(file)
    assert len(Store(study.folder).done([job.id for job in make_plan(study).jobs], maps=True)) == 90
