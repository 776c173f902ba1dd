"""Run a study: compute what is missing, record what fails, stop for nothing but a full disk."""

import os
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Executor, Future, wait
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import groupby
from pathlib import Path

from srlens.errors import SettingError, StudyError
from srlens.study.job import Job
from srlens.study.plan import Plan, make_plan
from srlens.study.progress import Report, Tracker
from srlens.study.schema import Study, read_study
from srlens.study.store import Failure, Store
from srlens.study.worker import Outcome, failure_of, run_batch

Batch = Sequence[Job]  # for one worker, all of one network

_POLL = 0.5  # seconds between looks at the results of batches that report only at their end


@dataclass(frozen=True)
class Summary:
    """What a run did.

    Attributes:
        folder: of the results.
        total: jobs of the study.
        found: jobs whose result was there before.
        computed: jobs computed now.
        failures: of the jobs that have no result.
        seconds: wall time.
    """

    folder: Path
    total: int
    found: int
    computed: int
    failures: tuple[Failure, ...]
    seconds: float


def run_study(
    study: Study | Plan | str | os.PathLike[str],
    *,
    executor: Executor | None = None,
    folder: Path | None = None,
    workers: int | None = None,
    threads: int = 1,
    device: str | None = None,
    batch: int = 1,
    resume: bool = False,
    retry: bool = False,
    progress: Callable[[Report], None] | None = None,
) -> Summary:
    """Run a study to its end; results are stored job by job, so that it may be killed at any moment.

    Args:
        study: a study file, or what :func:`read_study` or :func:`make_plan` made of it.
        executor: any :class:`concurrent.futures.Executor` (Dask's ``Client.get_executor()``, for instance); its
            workers must see the same files. None: processes on this machine. It is not shut down.
        folder: of the results; the study's own by default.
        workers: processes on this machine; by default one a core. With an ``executor``: batches in flight.
        threads: of torch in each worker on the CPU. Results depend on it in the last digits, but not on ``workers``.
        device: as torch names it; by default CUDA where there is one.
        batch: jobs a submission; a worker keeps its network between jobs.
        resume: compute what is missing in a folder that holds results of this study already.
        retry: try those jobs again, too, whose failure was their own (a flat window, say).
        progress: called with a :class:`Report` now and then.

    Raises:
        StudyError: the study cannot be used, the folder holds results and ``resume`` is not given, or another run
            works in it.
        OSError: the disk is full (or read-only); what is stored is kept, and ``resume`` goes on.
    """
    if batch < 1 or threads < 1 or (workers is not None and workers < 1):
        raise SettingError(f"batch (={batch}), threads (={threads}) and workers (={workers}) must be at least 1.")
    if not isinstance(study, Plan):
        study = make_plan(study if isinstance(study, Study) else read_study(Path(study)))
    plan = study
    store = Store(folder if folder is not None else plan.study.folder)
    maps = plan.study.output.maps
    if plan.study.output.lpips:
        from srlens.extras import lpips  # noqa: F401 - who lacks it is told before anything is computed
    started = time.perf_counter()
    with store.locked():
        ids = [job.id for job in plan.jobs]
        done = store.done(ids, maps=maps)
        if done and not resume:
            raise StudyError(
                f"{store.folder} holds {len(done)} of {len(ids)} results of this study. Give resume=True (--resume) "
                "to compute what is missing, or another folder."
            )
        store.clean()
        store.write_plan(plan.record())
        given_up = {f.job for f in store.failures(ids) if f.permanent} if not retry else set()
        missing = [job for job in plan.jobs if job.id not in done and job.id not in given_up]
        tracker = Tracker(len(ids), len(done), len(given_up), progress)
        batches = _batches(missing, batch)
        work = partial(run_batch, folder=str(store.folder.absolute()), maps=maps, threads=threads, device=device)
        running: AbstractContextManager[object] = nullcontext()
        if executor is None:
            from srlens.study.executors.local import LocalExecutor, default_workers

            workers = min(workers if workers is not None else default_workers(threads), max(1, len(batches)))
            executor = running = LocalExecutor(workers, _devices(device, workers))
        flight = 2 * workers if workers is not None else len(batches)
        loop = _Loop(executor, store, tracker, work, [job.id for job in missing] if batch > 1 else [], flight, maps)
        with running:
            loop.run(batches)
        tracker.tell(final=True)
    failures = store.failures(ids)
    return Summary(store.folder, len(ids), len(done), tracker.computed, tuple(failures), time.perf_counter() - started)


def _devices(device: str | None, workers: int) -> list[str] | None:
    """One GPU a worker, in turn, where nothing else is asked for."""
    import torch

    if device is not None or not torch.cuda.is_available():
        return None
    return [f"cuda:{k % torch.cuda.device_count()}" for k in range(workers)]


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
    polled: list[str]
    flight: int
    maps: bool
    waiting: deque[Batch] = field(default_factory=deque)
    suspects: deque[Batch] = field(default_factory=deque)
    running: dict["Future[list[Outcome]]", Batch] = field(default_factory=dict)
    alone: Batch | None = None

    def run(self, batches: Sequence[Batch]) -> None:
        self.waiting.extend(batches)
        self._submit_array()
        try:
            while self.waiting or self.suspects or self.running:
                self._fill()
                finished, _ = wait(self.running, timeout=_POLL, return_when=FIRST_COMPLETED)
                for future in finished:
                    self._take(future, self.running.pop(future))
                if not finished and self.polled:
                    stored = len(self.store.done(self.polled, maps=False))
                    self.tracker.ahead = max(0, stored - self.tracker.computed)
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
        if outcome.disk is not None:
            raise OSError(
                outcome.disk,
                f"{os.strerror(outcome.disk)}: results cannot be stored in {self.store.folder}. Those that are "
                "stored are kept; make room and run again with --resume",
            )
        if outcome.failure is None:
            self.store.failure(outcome.job).unlink(missing_ok=True)
        else:
            self.store.write_failure(outcome.failure)
        if outcome.computed:
            self.store.log({"job": outcome.job, "seconds": outcome.seconds, "failed": outcome.failure is not None})
        self.tracker.count(failed=outcome.failure is not None, computed=outcome.computed)

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
