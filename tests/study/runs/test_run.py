"""Runs store job by job, record what fails, and resume with what is missing."""

import errno
import os
import threading
import time
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from itertools import pairwise

import polars
import pytest

from srlens.errors import MissingExtraError, StudyError
from srlens.study import worker
from srlens.study.plan import make_plan
from srlens.study.run import run_study
from srlens.study.store import Store


def test_every_job_leaves_a_part_and_a_map(make_study, here):
    told = []
    summary = run_study(make_study(), executor=here, progress=told.append)
    assert (summary.total, summary.computed, summary.failures) == (6, 6, ())
    assert len(list(summary.folder.glob("parts/*.parquet"))) == 6
    assert len(list(summary.folder.glob("maps/*.safetensors"))) == 6
    assert len(list(summary.folder.glob("places/*.png"))) == 3
    assert told[-1].done == 6
    assert told[-1].final


def test_rows_hold_numbers_and_conditions(make_study, here):
    study = make_study()
    run_study(study, executor=here)
    frame = Store(study.folder).read_parts([job.id for job in make_plan(study).jobs])
    assert len(frame) == 6
    assert set(frame["kind"]) == {"convolution", "transformer"}
    assert set(frame["lr_height"]) == {20}
    for column in (
        "diffusion_index",
        "psnr_image",
        "ssim_image",
        "area95",
        "around_peak_share",
        "receptive_field_used",
    ):
        assert frame[column].is_not_null().all()
    assert frame["conditions"].str.contains("2 steps").all()


def test_maps_can_be_left_out(make_study, here):
    study = make_study(output={"maps": False})
    run_study(study, executor=here)
    assert not (study.folder / "maps").exists()
    assert run_study(study, executor=here, resume=True).computed == 0


def test_results_are_not_overwritten_unasked(make_study, here):
    run_study(make_study(), executor=here)
    with pytest.raises(StudyError, match=r"holds 6 of 6 results .*\(--resume\)"):
        run_study(make_study(), executor=here)


def test_resume_computes_what_is_missing_only(make_study, here, stored_bytes):
    summary = run_study(make_study(), executor=here)
    before = stored_bytes(summary.folder)
    parts = sorted(summary.folder.glob("parts/*.parquet"))
    ages = {part: part.stat().st_mtime_ns for part in parts}
    parts[0].unlink()
    parts[1].write_bytes(parts[1].read_bytes()[:-20])  # cut off
    (summary.folder / "parts" / f".{parts[2].name}.abc.tmp").write_bytes(b"half")
    again = run_study(make_study(), executor=here, resume=True)
    assert (again.found, again.computed) == (4, 2)
    assert stored_bytes(summary.folder) == before
    assert all(part.stat().st_mtime_ns == ages[part] for part in parts[2:])


def test_a_wider_study_reuses_what_is_there(make_study, study_content, here):
    run_study(make_study(networks=study_content["networks"][:1]), executor=here)
    summary = run_study(make_study(), executor=here, resume=True)
    assert (summary.found, summary.computed) == (3, 3)


def test_failures_are_recorded_and_retried_when_their_cause_may_be_gone(make_study, here, tmp_path):
    good = (tmp_path / "b.pth").read_bytes()
    (tmp_path / "b.pth").write_bytes(good[:-300])
    wall = (tmp_path / "wall.png").read_bytes()
    (tmp_path / "wall.png").unlink()
    summary = run_study(make_study(), executor=here)
    assert summary.computed == 2
    assert {(f.network, f.error) for f in summary.failures} == {("A", "ImageError"), ("B", "CheckpointError")}
    assert all(not f.permanent for f in summary.failures)
    (tmp_path / "b.pth").write_bytes(good)
    (tmp_path / "wall.png").write_bytes(wall)
    again = run_study(make_study(), executor=here, resume=True)
    assert (again.found, again.computed, again.failures) == (2, 4, ())


def test_a_file_that_changes_after_planning_fails_by_name(make_study, here, tmp_path):
    plan = make_plan(make_study())
    (tmp_path / "a.pth").write_bytes((tmp_path / "b.pth").read_bytes())
    (tmp_path / "wall.png").write_bytes((tmp_path / "roof.png").read_bytes())
    summary = run_study(plan, executor=here)
    messages = [f.message for f in summary.failures]
    assert len(messages) == 4
    assert all("not what was planned" in m or "not the picture that was planned" in m for m in messages)


def test_failures_of_a_jobs_own_are_not_tried_again_unless_asked(make_study, study_content, here):
    outside = [*study_content["windows"], {"image": "roof.png", "top": 500, "left": 0}]
    summary = run_study(make_study(windows=outside), executor=here)
    assert [(f.error, f.permanent) for f in summary.failures] == [("WindowError", True)] * 2
    log = summary.folder / "log.jsonl"
    lines = len(log.read_text().splitlines())
    again = run_study(make_study(windows=outside), executor=here, resume=True)
    assert len(again.failures) == 2
    assert len(log.read_text().splitlines()) == lines
    run_study(make_study(windows=outside), executor=here, resume=True, retry=True)
    assert len(log.read_text().splitlines()) == lines + 2


def test_unforeseen_errors_fail_one_job(make_study, here, monkeypatch):
    real = worker.job_row

    def odd(job, *args, **kwargs):
        if job.window.top == 64:
            raise RuntimeError("surprise")
        return real(job, *args, **kwargs)

    monkeypatch.setattr(worker, "job_row", odd)
    summary = run_study(make_study(), executor=here)
    assert summary.computed == 4
    assert {f.error for f in summary.failures} == {"RuntimeError"}
    assert "surprise (in test_run.py, line" in summary.failures[0].message


def test_a_full_disk_stops_the_run_and_keeps_what_is_stored(make_study, here, monkeypatch):
    real, calls = Store.write_part, []

    def full(self, row):
        calls.append(row)
        if len(calls) > 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(self, row)

    monkeypatch.setattr(Store, "write_part", full)
    with pytest.raises(OSError, match="make room and run again with --resume"):
        run_study(make_study(), executor=here, workers=1)
    assert len(calls) == 4  # the fourth could not be stored, and nothing was tried after it
    monkeypatch.undo()
    assert run_study(make_study(), executor=here, resume=True).computed == 3


class Mortal(Executor):
    """A pool whose worker dies of one window."""

    def __init__(self, here, deadly_top):
        self.here, self.deadly_top = here, deadly_top

    def submit(self, fn, /, *args, **kwargs):
        if any(job.window.top == self.deadly_top for job in args[0]):
            future = Future()
            future.set_exception(BrokenExecutor("a process died"))
            return future
        return self.here.submit(fn, *args, **kwargs)


def test_only_the_job_that_kills_its_worker_is_blamed(make_study, here):
    summary = run_study(make_study(), executor=Mortal(here, 64), workers=2)
    assert summary.computed == 4
    assert {(f.error, "top 64" in f.window) for f in summary.failures} == {("WorkerDied", True)}


def test_any_executor_will_do(make_study):
    with ThreadPoolExecutor(2) as pool:
        assert run_study(make_study(), executor=pool, workers=2, batch=2).computed == 6


def test_two_runs_do_not_share_a_folder(make_study, here):
    study = make_study()
    with Store(study.folder).locked(), pytest.raises(StudyError, match="Another run is working"):
        run_study(study, executor=here)


def test_lr_pictures_have_no_quality(make_study, here):
    study = make_study(images={"given": "lr", "lr_size": 40})
    run_study(study, executor=here)
    frame = polars.read_parquet(study.folder / "parts" / "*.parquet")
    assert frame["psnr_image"].is_null().all()
    assert frame["diffusion_index"].is_not_null().all()


def test_lpips_without_its_extra_is_refused(make_study, here):
    with pytest.raises(MissingExtraError, match=r"srlens\[lpips\]"):
        run_study(make_study(output={"lpips": True}), executor=here)


def test_a_look_at_many_stored_parts_costs_little(tmp_path):
    """By names alone, in one reading of the folder: 20,000 parts on a shared disk, looked at every ten seconds."""
    store = Store(tmp_path)
    (tmp_path / "parts").mkdir()
    jobs = {f"{k:032x}" for k in range(20_000)}
    for job in jobs:
        store.part(job).touch()
    took = []
    for _ in range(5):
        started = time.process_time()
        assert store.stored(jobs) == 20_000
        took.append(time.process_time() - started)
    assert min(took) <= 0.05


class Slow(Executor):
    """A cluster whose tasks end when they are looked for often enough."""

    parallel = 2

    def submit(self, fn, /, *args, **kwargs):
        raise AssertionError("given everything at once")

    def submit_many(self, fn, arguments):
        self.batches = [batch for (batch,) in arguments]
        futures = [Future() for _ in arguments]
        threading.Thread(target=self._work, args=(fn, futures), daemon=True).start()
        return futures

    def _work(self, fn, futures):
        time.sleep(1.2)
        for future, batch in zip(futures, self.batches, strict=True):
            future.set_result(fn(batch))


def test_tasks_are_small_and_disks_are_looked_at_seldom(make_study, study_content, monkeypatch):
    windows = [{"image": "roof.png", "top": top, "left": left} for top in (16, 40, 64, 88) for left in (16, 40, 64, 88)]
    looks, stored = [], Store.stored
    monkeypatch.setattr(Store, "stored", lambda self, jobs: looks.append(time.monotonic()) or stored(self, jobs))
    executor = Slow()
    summary = run_study(make_study(windows=windows, networks=study_content["networks"][:1]), executor=executor)
    assert [len(batch) for batch in executor.batches] == [2] * 8  # four tasks for each of two workers
    assert summary.computed == 16
    assert all(later - earlier >= 10 for earlier, later in pairwise(looks))


def test_workers_have_the_gpus_in_turn(make_study, monkeypatch):
    """One process a GPU by default; as many as are asked for share them; a device that is asked for is everybody's."""
    made = []

    class MadeError(Exception):
        pass

    class Recording:
        def __init__(self, workers, devices):
            made.append((workers, devices))
            raise MadeError

    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    monkeypatch.setattr("srlens.study.executors.local.LocalExecutor", Recording)
    for asked in ({}, {"workers": 3}, {"workers": 1}, {"workers": 2, "device": "cpu"}):
        with pytest.raises(MadeError):
            run_study(make_study(), **asked)
    assert made == [(2, ["cuda:0", "cuda:1"]), (3, ["cuda:0", "cuda:1", "cuda:0"]), (1, ["cuda:0"]), (2, None)]
