"""Real processes, killed and starved: after resuming, the results are those of an undisturbed run."""

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from srlens.study.plan import make_plan
from srlens.study.run import run_study
from srlens.study.schema import read_study
from srlens.study.store import Store

STUDY = """
title = "Killed"
scale = 4
networks = [{open = "a.pth", name = "A"}, {open = "b.pth", name = "B"}, {open = "c.pth", name = "C"}]
[images]
lr_size = 24
[method]
steps = 24
[output]
folder = "FOLDER"
"""
TOPS = range(8, 110, 8)


@pytest.fixture
def study_file(tmp_path, write_network, write_picture):
    """39 jobs of a fraction of a second."""
    for seed, name in enumerate("abc"):
        write_network(tmp_path / f"{name}.pth", seed, mappings=3)
    write_picture(tmp_path / "roof.png", 20)
    write_picture(tmp_path / "wall.png", 110)
    windows = "".join(
        f'[[windows]]\nimage = "{"roof" if k % 2 else "wall"}.png"\ntop = {top}\nleft = {top}\n'
        for k, top in enumerate(TOPS)
    )
    path = tmp_path / "study.toml"
    path.write_text(STUDY.replace("FOLDER", "results") + windows)
    return path


def command(study_file: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "srlens", "study", "run", str(study_file), "--no-report", "--resume", *options]


def environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1"}


@pytest.fixture
def undisturbed(study_file, here, tmp_path, stored_bytes):
    """What the results must be in the end."""
    folder = tmp_path / "undisturbed"
    run_study(read_study(study_file), executor=here, folder=folder)
    return stored_bytes(folder)


def part_ages(folder: Path) -> dict[str, int]:
    return {file.name: file.stat().st_mtime_ns for file in folder.glob("parts/*.parquet")}


def wait_until_ended(group: int) -> None:
    """The workers of a killed run notice it and end."""
    for _ in range(100):
        listed = subprocess.run(["ps", "-o", "stat=", "-g", str(group)], capture_output=True, text=True, check=False)
        if all(state.startswith("Z") for state in listed.stdout.split()):
            return
        time.sleep(0.1)
    pytest.fail("workers outlive the run that started them")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_killed_five_times_and_hurt_twice_it_ends_as_if_nothing_had_happened(
    study_file, undisturbed, tmp_path, stored_bytes
):
    folder = tmp_path / "results"
    network, picture = tmp_path / "b.pth", tmp_path / "wall.png"
    good_network, good_picture = network.read_bytes(), picture.read_bytes()
    network.write_bytes(good_network[: len(good_network) // 2])
    picture.unlink()
    ages: dict[str, int] = {}
    chance = random.Random(5)
    for kill in range(5):
        if kill == 3:
            network.write_bytes(good_network)
        process = subprocess.Popen(
            command(study_file, "--workers", "2"),
            env=environment(),
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        before, deadline = len(part_ages(folder)), time.monotonic() + 60
        while len(part_ages(folder)) <= before and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(chance.uniform(0, 0.3))
        process.send_signal(signal.SIGKILL)
        process.wait()
        wait_until_ended(process.pid)
        now = part_ages(folder)
        assert all(now[name] == age for name, age in ages.items()), "a stored result was computed again"
        ages = now
    assert 0 < len(ages) < 39
    # Two pictures are not there yet, and that is said; everything else is.
    last = subprocess.run(command(study_file), env=environment(), capture_output=True, text=True, check=False)
    assert last.returncode == 1
    assert "wall.png" in last.stdout
    picture.write_bytes(good_picture)
    final = subprocess.run(command(study_file), env=environment(), capture_output=True, text=True, check=False)
    assert final.returncode == 0, final.stdout + final.stderr
    assert "39 of 39 results" in final.stdout
    now = part_ages(folder)
    assert all(now[name] == age for name, age in ages.items())
    assert {k: v for k, v in stored_bytes(folder).items() if k in undisturbed} == undisturbed
    jobs = [job.id for job in make_plan(read_study(study_file)).jobs]
    assert Store(folder).failures(jobs) == []


@pytest.mark.slow
def test_a_full_disk_loses_nothing_that_was_stored(study_file, undisturbed, tmp_path, stored_bytes):
    folder = tmp_path / "results"
    folder.mkdir()
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root on Linux")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=480k", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip(f"no small disk could be mounted: {mounted.stderr.decode().strip()}")
    saved = tmp_path / "saved"
    try:
        full = subprocess.run(command(study_file), env=environment(), capture_output=True, text=True, check=False)
        assert full.returncode == 1, full.stdout + full.stderr
        assert "No space left on device" in full.stderr
        assert "--resume" in full.stderr
        shutil.copytree(folder, saved, copy_function=shutil.copy2)
    finally:
        subprocess.run(["umount", str(folder)], check=True)
    folder.rmdir()
    saved.rename(folder)
    ages = part_ages(folder)
    assert 0 < len(ages) < 39
    again = subprocess.run(command(study_file), env=environment(), capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stdout + again.stderr
    now = part_ages(folder)
    assert all(now[name] == age for name, age in ages.items())
    assert stored_bytes(folder) == undisturbed


@pytest.mark.slow
def test_results_do_not_depend_on_the_number_of_workers(study_file, undisturbed, tmp_path, stored_bytes):
    study = read_study(study_file)
    run_study(study, folder=tmp_path / "two", workers=2)
    assert stored_bytes(tmp_path / "two") == undisturbed


@pytest.mark.slow
def test_a_worker_that_is_killed_is_replaced(study_file, undisturbed, tmp_path, stored_bytes):
    """By a thread that looks for workers: waiting for a report could find them gone where jobs are quick."""
    study, folder = read_study(study_file), tmp_path / "results"
    killed: list[int] = []
    over = threading.Event()

    def kill_the_first() -> None:
        while not killed and not over.wait(0.02):
            children = subprocess.run(
                ["ps", "-ww", "--ppid", str(os.getpid()), "-o", "pid=,args="],
                capture_output=True,
                text=True,
                check=True,
            ).stdout.splitlines()
            for line in children:
                if "spawn_main" in line:
                    os.kill(int(line.split()[0]), signal.SIGKILL)
                    killed.append(int(line.split()[0]))
                    return

    killer = threading.Thread(target=kill_the_first)
    killer.start()
    try:
        summary = run_study(study, folder=folder, workers=2)
    finally:
        over.set()
        killer.join()
    assert killed
    assert summary.failures == ()
    assert stored_bytes(folder) == undisturbed
