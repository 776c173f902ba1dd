"""What runs in a worker: jobs one after another, with the network and the pictures of the last ones kept."""

import errno
import threading
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from srlens.comparison.compare import explain
from srlens.comparison.crop import crop_around
from srlens.comparison.measures import MEASURES
from srlens.comparison.subject import Subject
from srlens.errors import (
    NetworkOutputError,
    NoEffectError,
    NotDifferentiableError,
    NotFiniteError,
    SettingError,
    SrlensError,
    StudyError,
    WindowError,
    ZeroMapError,
)
from srlens.imaging.terms import worded
from srlens.imaging.window import Window
from srlens.plugins import VARIABLE, load_plugins
from srlens.study.job import Job
from srlens.study.opening import open_planned_network, open_planned_subject
from srlens.study.row import job_row
from srlens.study.seal import is_whole
from srlens.study.store import Failure, Store

#: Errors that follow from what the job's id is made of: the same job would fail again.
PERMANENT = (
    NetworkOutputError, NoEffectError, NotDifferentiableError, NotFiniteError, SettingError, WindowError, ZeroMapError,
)  # fmt: skip

_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


@dataclass(frozen=True)
class Outcome:
    """What became of a job.

    Attributes:
        job: its id.
        failure: why it has no result; None where it has one.
        seconds: wall time.
        disk: errno of a disk that takes no more; everything else would fail too.
        computed: False where the result was there already.
    """

    job: str
    failure: Failure | None
    seconds: float
    disk: int | None = None
    computed: bool = True


def run_batch(
    jobs: Sequence[Job], folder: str, *, maps: bool, threads: int = 1, device: str | None = None
) -> list[Outcome]:
    """Compute and store jobs in order; a job that fails does not stop the others, a full disk does.

    Args:
        jobs: what to compute.
        folder: of the results.
        maps: whether maps are kept.
        threads: of torch on the CPU; results depend on it in the last digits, so that it is the same for all.
        device: as torch names it; None: the worker's own (see :func:`use_device`), else CUDA where there is one.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    store = Store(Path(folder))
    outcomes = []
    try:
        for job in jobs:
            outcomes.append(_run_job(job, store, maps, _device(device)))
            if outcomes[-1].disk is not None:
                break
    finally:
        torch.set_num_threads(before)
    return outcomes


def _run_job(job: Job, store: Store, maps: bool, device: torch.device) -> Outcome:
    started = time.perf_counter()
    if store.done([job.id], maps=maps):
        return Outcome(job.id, None, 0.0, computed=False)
    try:
        _compute(job, store, maps, device)
    except Exception as error:  # recorded with its reason; the other jobs go on
        return Outcome(job.id, failure_of(job, error), time.perf_counter() - started, disk_error(error))
    return Outcome(job.id, None, time.perf_counter() - started)


def disk_error(error: BaseException | None) -> int | None:
    """The errno of a disk that takes no more, anywhere among the causes; libraries in Rust give it as text alone."""
    while error is not None:
        own = error.errno if isinstance(error, OSError) else None
        found = [number for number in _DISK if own == number or f"os error {number})" in str(error)]
        if found:
            return found[0]
        error = error.__cause__ or error.__context__
    return None


def failure_of(job: Job, error: BaseException) -> Failure:
    """The record of a failed job."""
    message = worded(str(error), job.network.scale) or type(error).__name__
    if not isinstance(error, SrlensError | OSError):  # not foreseen: say where
        frames = traceback.extract_tb(error.__traceback__)
        message += f" (in {Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    named, permanent = (job.id, job.network.label, job.image.name, str(job.window)), isinstance(error, PERMANENT)
    return Failure(*named, type(error).__name__, message[:2000], permanent)


def _compute(job: Job, store: Store, maps: bool, device: torch.device) -> None:
    load_plugins()
    if missing := set(job.added) - set(MEASURES):
        raise StudyError(
            f"This worker lacks the measure(s) {', '.join(sorted(missing))}, which a plug-in adds to the study. Name "
            f"the plug-in in {VARIABLE} where workers see it, or install it there."
        )
    network = _kept.network(job.network, device)
    subject, window = _shown(job)
    if job.network.random_seed is not None:  # no one asks how good its pictures are
        subject = replace(subject, hr=None)
    tests: dict[str, Any] = {"reach": job.reach, "faithful": job.faithfulness}
    found = explain(network, subject, window, method=job.method.resolved(), **tests)
    explained = replace(found, seconds=None)
    if job.lpips and subject.hr is not None:
        from srlens.study.perceptual import lpips_distance

        explained = replace(explained, lpips=lpips_distance(explained.sr, subject.hr))
    row = job_row(job, explained, threads=torch.get_num_threads())
    keep_place(job, store)
    if maps:
        extra = {key: row[key] for key in ("job", "image", "image_sha256", "lr_top", "lr_left")}
        store.write_map(job.id, replace(explained.result, image=None), extra)
    store.write_part(row)


def _shown(job: Job) -> tuple[Subject, Window]:
    """What of which picture the network is shown, and the window in it."""
    scale = job.network.scale
    return crop_around(_kept.subject(job.image, scale, job.reading), job.window, scale, job.lr_size)


def keep_place(job: Job, store: Store) -> None:
    """Keep the picture around the window (HR where it is known) for the report, unless it is there already."""
    if not is_whole(store.place(job.place_id)):
        subject, _ = _shown(job)
        store.write_place(job.place_id, subject.for_eye(subject.hr if subject.hr is not None else subject.lr))


class _Kept(threading.local):
    """The network and the pictures of the last jobs; per thread, since a network in use must not be shared."""

    def __init__(self) -> None:
        self.network = lru_cache(maxsize=1)(open_planned_network)  # while one is opened, two stand in memory
        self.subject = lru_cache(maxsize=8)(open_planned_subject)


_kept = _Kept()
_own_device: str | None = None


def use_device(device: str | None) -> None:
    """Set the device of this process."""
    global _own_device  # noqa: PLW0603 - one device a process is the point
    _own_device = device


def _device(wanted: str | None) -> torch.device:
    chosen = wanted or _own_device
    return torch.device(chosen if chosen is not None else "cuda" if torch.cuda.is_available() else "cpu")
