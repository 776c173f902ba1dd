"""Run a study: compute what is missing, record what fails, stop for nothing but a full disk."""

import os
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Executor, Future, wait
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

from srlens.errors import SettingError, SrlensError, StudyError
from srlens.study.job import Job
from srlens.study.plan import Plan, make_plan
from srlens.study.progress import Report, Tracker
from srlens.study.run_record import run_record
from srlens.study.schema import Study, read_study
from srlens.study.store import Failure, Store
from srlens.study.worker import Outcome, disk_error, failure_of, keep_place, run_batch

Batch = Sequence[Job]  # for one worker, all of one network

_TELL = 0.5  # seconds between reports
#: Seconds between looks at the results of batches that report only at their end: the disk may be a network's.
_LOOK = 10.0
_TASKS = 4, 800  # tasks for each that runs at once, so that one that is lost loses little; and at most, for an array


@dataclass(frozen=True)
class Summary:
    """What a run did.

    Attributes:
        folder: of the results.
        total: jobs of the study.
        found: jobs whose result was there before.
        computed: jobs computed now.
        failures: of the jobs that have no result.
        damaged: files of this study that were found damaged, and not used.
        seconds: wall time.
    """

    folder: Path
    total: int
    found: int
    computed: int
    failures: tuple[Failure, ...]
    damaged: tuple[Path, ...]
    seconds: float


def run_study(
    study: Study | Plan | str | os.PathLike[str],
    *,
    executor: Executor | None = None,
    folder: str | os.PathLike[str] | None = None,
    workers: int | None = None,
    threads: int = 1,
    device: str | None = None,
    batch: int | None = None,
    resume: bool = False,
    retry: bool = False,
    command: str | None = None,
    progress: Callable[[Report], None] | None = None,
) -> Summary:
    """Run a study to its end; results are stored job by job, so that it may be killed at any moment.

    Args:
        study: a study file, or what :func:`read_study` or ``make_plan`` made of it.
        executor: any :class:`concurrent.futures.Executor` (Dask's ``Client.get_executor()``, for instance); its
            workers must see the same files. None: processes on this machine. It is not shut down.
        folder: of the results; the study's own by default.
        workers: processes on this machine; by default one a GPU, or one a core where there is none. With an
            ``executor``: batches in flight.
        threads: of torch in each worker on the CPU. Results depend on it in the last digits, but not on ``workers``.
        device: as torch names it; by default CUDA where there is one.
        batch: jobs a submission; a worker keeps its network between jobs. By default 1; with an ``executor`` that has
            an attribute ``parallel``, the number of its tasks at once, what makes four tasks for each of those.
        resume: compute what is missing in a folder that holds results of this study already.
        retry: try those jobs again, too, whose failure was their own (a flat window, say).
        command: what was typed, for the report.
        progress: called with a :class:`srlens.study.progress.Report` now and then.

    Raises:
        StudyError: the study cannot be used, the folder holds results and ``resume`` is not given, it holds those of
            another study, or another run works in it.
        OSError: the disk is full (or read-only); what is stored is kept, and ``resume`` goes on.
    """
    if any(count is not None and count < 1 for count in (batch, threads, workers)):
        raise SettingError(f"batch (={batch}), threads (={threads}) and workers (={workers}) must be at least 1.")
    if not isinstance(study, Plan):
        study = make_plan(study if isinstance(study, Study) else read_study(Path(study)))
    store = Store(Path(folder) if folder is not None else study.study.folder)
    maps = study.study.output.maps
    if study.study.output.lpips:
        from srlens.extras import lpips  # noqa: F401 - who lacks it is told before anything is computed
    started = time.perf_counter()
    with store.locked():
        plan = _continued(study, store)
        jobs = [*plan.jobs, *plan.random_jobs]
        ids = [job.id for job in jobs]
        done = store.done(ids, maps=maps)
        if done and not resume:
            raise StudyError(
                f"{store.folder} holds {len(done)} of {len(ids)} results of this study. Give resume=True (--resume) "
                "to compute what is missing, or another folder."
            )
        store.clean()
        places = {job.place_id: job for job in plan.jobs}
        damaged = store.damaged([job for job in ids if job not in done], places)
        for job in (job for place, job in places.items() if store.place(place) in damaged):
            with suppress(SrlensError, OSError):  # its picture is gone: the report does without
                keep_place(job, store)
        _keep_origin(plan, store, command)
        given_up = {f.job for f in store.failures(ids, maps=maps) if f.permanent} if not retry else set()
        missing = [job for job in jobs if job.id not in done and job.id not in given_up]
        tracker = Tracker(len(ids), len(done), len(given_up), progress)
        if batch is None:
            parallel = getattr(executor, "parallel", None)
            batch = max(1, -(-len(missing) // min(_TASKS[0] * parallel, _TASKS[1]))) if parallel else 1
        batches = _batches(missing, batch)
        work = partial(run_batch, folder=str(store.folder.absolute()), maps=maps, threads=threads, device=device)
        running: AbstractContextManager[object] = nullcontext()
        if executor is None:
            from srlens.study.executors.local import LocalExecutor, default_workers

            gpus = _gpus(device)
            workers = min(workers if workers is not None else gpus or default_workers(threads), max(1, len(batches)))
            own = [f"cuda:{k % gpus}" for k in range(workers)] if gpus else None
            executor = running = LocalExecutor(workers, own)
        flight = 2 * workers if workers is not None else len(batches)
        polled = {job.id for job in missing if store.part(job.id) not in damaged} if batch > 1 else set()
        loop = _Loop(executor, store, tracker, work, polled, flight, maps)
        with running:
            loop.run(batches)
        tracker.tell(final=True)
    failures = store.failures(ids, maps=maps)
    seconds = time.perf_counter() - started
    return Summary(store.folder, len(ids), len(done), tracker.computed, tuple(failures), tuple(damaged), seconds)


def _continued(plan: Plan, store: Store) -> Plan:
    """The plan, with what the folder's last one knows of files that are gone by now.

    Raises:
        StudyError: the folder holds results of another study.
    """
    try:
        before = store.read_plan()
    except StudyError:
        return plan
    plan = plan.recalling(before)
    earlier = {job for row in before["jobs"] for job in row}
    if earlier.isdisjoint(job.id for job in plan.jobs) and store.stored(earlier):
        difference = _difference(before, plan.record())
        raise StudyError(
            f"{store.folder} holds results of another study, {before['title']!r}: {difference}. Choose another folder, "
            "or remove that one."
        )
    return plan


def _difference(before: dict[str, Any], now: dict[str, Any]) -> str:
    """What two plans without a job in common differ in, in words."""
    found = [
        f"{key} {before[table].get(key)!r} there, {value!r} here"
        for table in ("images_given", "settings")
        for key, value in now[table].items()
        if before[table].get(key) != value
    ]
    for table, name in (("networks", "networks"), ("images", "pictures")):
        if {one["digest"] for one in before[table]}.isdisjoint(one["digest"] for one in now[table]):
            found.append(f"other {name}")
    return "; ".join(found) or "other windows, or another version of srlens"


def _keep_origin(plan: Plan, store: Store, command: str | None) -> None:
    """Write down what is computed, when and by which command, and copy the files that say so."""
    store.write_plan(plan.record())
    store.log(run_record(command), "runs")
    if (file := plan.study.file) is not None:
        store.keep("study.toml", file)
        if isinstance(plan.study.windows, str):
            store.keep("windows.toml", plan.study.resolve(plan.study.windows))


def _gpus(device: str | None) -> int:
    """How many GPUs the workers have in turn: all, where nothing else is asked for."""
    import torch

    return torch.cuda.device_count() if device is None else 0


def _batches(jobs: Sequence[Job], size: int) -> list[Batch]:
    """Jobs in runs of ``size``, none of them over two networks."""
    of_one = [list(group) for _, group in groupby(jobs, key=lambda job: job.network)]
    return [group[k : k + size] for group in of_one for k in range(0, len(group), size)]


@dataclass
class _Loop:
    """Keeps the executor busy and takes in what comes back.

    Attributes:
        work: what computes a batch.
        polled: ids whose results are looked for on disk, since batches report at their end.
        flight: batches in hand at a time.
        maps: whether a job without its map counts as missing.
    """

    executor: Executor
    store: Store
    tracker: Tracker
    work: Callable[[Batch], list[Outcome]]
    polled: set[str]
    flight: int
    maps: bool
    waiting: deque[Batch] = field(default_factory=deque)
    suspects: deque[Batch] = field(default_factory=deque)
    running: dict["Future[list[Outcome]]", Batch] = field(default_factory=dict)
    alone: Batch | None = None
    looked: float = 0.0

    def run(self, batches: Sequence[Batch]) -> None:
        self.waiting.extend(batches)
        self._submit_array()
        try:
            while self.waiting or self.suspects or self.running:
                self._fill()
                finished, _ = wait(self.running, timeout=_TELL, return_when=FIRST_COMPLETED)
                for future in finished:
                    self._take(future, self.running.pop(future))
                if self.polled and time.monotonic() - self.looked >= _LOOK:
                    self.looked = time.monotonic()
                    self.tracker.ahead = max(0, self.store.stored(self.polled) - self.tracker.computed)
                self.tracker.tell()
        finally:
            for future in self.running:
                future.cancel()

    def _submit_array(self) -> None:
        """An executor that can take everything at once (a job array) is given everything at once."""
        submit_many = getattr(self.executor, "submit_many", None)
        if submit_many is not None:
            batches = list(self.waiting)
            self.waiting.clear()
            futures = submit_many(self.work, [(batch,) for batch in batches])
            self.running.update(zip(futures, batches, strict=True))

    def _fill(self) -> None:
        if self.suspects:
            # Whoever was in hand when a worker died is tried alone, so that only the culprit is blamed.
            if not self.running:
                self.alone = self.suspects.popleft()
                self._submit(self.alone)
            return
        while self.waiting and len(self.running) < self.flight:
            self._submit(self.waiting.popleft())

    def _submit(self, batch: Batch) -> None:
        self.running[self.executor.submit(self.work, batch)] = batch

    def _take(self, future: "Future[list[Outcome]]", batch: Batch) -> None:
        alone, self.alone = self.alone is batch, None
        try:
            outcomes = future.result()
        except BrokenExecutor as error:
            if alone:
                self._blame(batch, error)
            else:
                self.suspects.append(batch)
            return
        except (Exception, CancelledError) as error:  # a task that ended without a result
            self._blame(batch, error)
            return
        for outcome in outcomes:
            self._take_outcome(outcome)

    def _take_outcome(self, outcome: Outcome) -> None:
        failed = outcome.failure is not None
        try:
            if outcome.disk is not None:
                raise OSError(outcome.disk, os.strerror(outcome.disk))
            if outcome.failure is None:
                self.store.failure(outcome.job).unlink(missing_ok=True)
            else:
                self.store.write_failure(outcome.failure)
            if outcome.computed:
                self.store.log({"job": outcome.job, "seconds": outcome.seconds, "failed": failed})
        except OSError as error:
            if (disk := disk_error(error)) is None:
                raise
            raise OSError(
                disk,
                f"{os.strerror(disk)}: results cannot be stored in {self.store.folder}. Those stored are kept; make "
                "room and run again with --resume",
            ) from error
        self.tracker.count(failed=failed, computed=outcome.computed)

    def _blame(self, batch: Batch, error: BaseException) -> None:
        """Record the jobs that a dead worker or task left without a result."""
        stored = self.store.done([job.id for job in batch], maps=self.maps)
        for job in batch:
            if job.id in stored:
                self.tracker.count(failed=False, computed=True)
                continue
            failure = failure_of(job, error)
            if isinstance(error, BrokenExecutor):
                text = "The worker process died while it computed this job: killed from outside, or out of memory."
                failure = replace(failure, error="WorkerDied", message=text)
            self.store.write_failure(failure)
            self.tracker.count(failed=True, computed=False)
