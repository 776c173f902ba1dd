"""``srlens mine`` and ``srlens study`` from list to report."""

import json
import subprocess
import sys

import pytest
import torch

from srlens.cli.main import app
from srlens.errors import StudyError
from srlens.imaging.files import write_image
from srlens.imaging.samples import sample_image
from srlens.networks.zoo.fsrcnn import FSRCNN
from srlens.study.progress import Report

STUDY = """
title = "Command line"
scale = 4
windows = "windows.toml"
networks = [{open = "a.pth"}, {open = "b.pth"}, {open = "c.pth"}]
[images]
lr_size = 20
[method]
steps = 2
"""


@pytest.fixture
def run(monkeypatch, capsys):
    """Run the command line in this process, as the executor too, and give exit code and output."""
    from srlens.study.executors import local

    class Here(local.LocalExecutor):
        def submit(self, fn, /, *args, **kwargs):
            from concurrent.futures import Future

            future = Future()
            future.set_result(fn(*args, **kwargs))
            return future

    monkeypatch.setattr(local, "LocalExecutor", Here)

    def call(*tokens):
        code = app([str(token) for token in tokens], result_action="return_value")
        return code, capsys.readouterr()

    return call


@pytest.fixture
def folder(tmp_path):
    for seed, name in enumerate("abc"):
        torch.manual_seed(seed)
        torch.save(FSRCNN(channels=3, width=8, narrow=4, mappings=1 + seed).state_dict(), tmp_path / f"{name}.pth")
    for name, top in (("roof", 20), ("wall", 110)):
        write_image(tmp_path / f"{name}.png", sample_image("pagoda")[:, top : top + 128, 60:188])
    (tmp_path / "study.toml").write_text(STUDY)
    return tmp_path


def test_from_pictures_to_report(folder, run):
    code, shown = run(
        *("mine", folder, "--count", 4, "--lr-size", 20), *("--scale", 4, "--out", folder / "windows.toml")
    )
    assert "4 windows of 2 pictures" in shown.out
    assert (folder / "windows.png").read_bytes().startswith(b"\x89PNG")
    code, shown = run("study", "run", folder / "study.toml")
    assert code == 0
    assert "12 of 12 results" in shown.out
    assert "cannot be decided" in shown.out
    assert (folder / "results" / "report" / "report.html").exists()
    with pytest.raises(StudyError, match="--resume"):
        run("study", "run", folder / "study.toml")
    code, shown = run("study", "run", folder / "study.toml", "--resume", "--no-report")
    assert "12 were there, 0 computed" in shown.out
    code, shown = run("study", "report", folder / "study.toml", "--out", folder / "again")
    assert (folder / "again" / "networks.csv").read_text().count("\n") == 4


def test_failed_jobs_are_told_once_a_reason_and_make_the_exit_code_1(folder, run):
    run("mine", folder, "--count", 4, "--lr-size", 20, "-o", folder / "windows.toml")
    (folder / "c.pth").write_bytes(b"no checkpoint")
    code, shown = run("study", "run", folder / "study.toml", "--no-report")
    assert code == 1
    assert "8 of 12 results" in shown.out
    assert shown.out.count("4 × c: CheckpointError") == 1


def test_networks_do_not_judge_where_they_are_compared_unless_that_is_said(folder, run):
    run("mine", folder, "--networks", folder / "a.pth", "--count", 4, "--lr-size", 20, "-o", folder / "windows.toml")
    with pytest.raises(StudyError, match=r"a judged the windows of windows\.toml.*own_judges = true"):
        run("study", "run", folder / "study.toml")
    (folder / "study.toml").write_text("own_judges = true\n" + STUDY)
    run("study", "run", folder / "study.toml")
    said = "The windows were chosen by a, which are compared here"
    assert said in (folder / "results" / "report" / "report.html").read_text()
    record = json.loads((folder / "results" / "report" / "report.json").read_text())
    (judge,) = record["provenance"]["judges"]
    assert (judge["judge"], judge["compared"]) == ("a", True)
    assert "PSNR (luma) of a (among them networks that are compared)" in record["methods"]
    assert record["provenance"]["degradation"]["name"] == "matlab-uint8"


def test_results_hold_what_they_were_made_of_and_pictures_may_lie_elsewhere(folder, run):
    run("mine", folder, "--count", 4, "--lr-size", 20, "-o", folder / "windows.toml")
    (folder / "moved").mkdir()
    for name in ("roof.png", "wall.png"):
        (folder / name).rename(folder / "moved" / name)
    code, _ = run("study", "run", folder / "study.toml", "--no-report", "--root", folder / "moved")
    assert code == 0
    for name in ("study.toml", "windows.toml"):
        assert (folder / "results" / "inputs" / name).read_bytes() == (folder / name).read_bytes()


def test_damage_is_told(folder, run):
    run("mine", folder, "--count", 4, "--lr-size", 20, "-o", folder / "windows.toml")
    run("study", "run", folder / "study.toml", "--no-report")
    part = min((folder / "results" / "parts").iterdir())
    part.write_bytes(part.read_bytes()[:-1])
    _, shown = run("study", "run", folder / "study.toml", "--resume", "--no-report")
    assert f"Was damaged, and is not used: parts/{part.name}" in shown.out
    assert "11 were there, 1 computed" in shown.out


def test_the_schema_is_json(run):
    _, shown = run("study", "schema")
    assert json.loads(shown.out)["title"] == "Study"


def test_a_folder_without_results_is_a_named_error(tmp_path, run):
    with pytest.raises(StudyError, match="holds no study"):
        run("study", "report", tmp_path)


def test_a_mistake_in_the_file_ends_with_code_2_and_no_traceback(tmp_path):
    (tmp_path / "study.toml").write_text("scale = 4\nnetwork = []\n")
    done = subprocess.run(
        [sys.executable, "-m", "srlens", "study", "run", str(tmp_path / "study.toml")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "StudyError" in done.stderr
    assert "networks: Field required" in done.stderr
    assert "Traceback" not in done.stderr


def test_progress_in_words():
    from srlens.cli.study_progress import rate_text

    assert rate_text(Report(10, 0, 0, 0.0, None)) == ""
    assert rate_text(Report(10, 4, 1, 0.5, 10.0)) == "30 a minute, 0:00:10 to go, 1 failed"
    assert rate_text(Report(9000, 40, 0, 20.0, 8000.0)) == "20.0 a second, 2:13:20 to go"
