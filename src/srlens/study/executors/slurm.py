"""Slurm through submitit: one job array, one task a GPU, and no need for ``sacct``."""

import os
import subprocess
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from functools import partial
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from srlens.errors import SettingError, StudyError

_P = ParamSpec("_P")
_T = TypeVar("_T")

_POLL = 10.0  # seconds between looks at the queue, which a whole cluster shares
_GRACE = 15.0  # seconds that a result may need to appear on a shared disk once its task has left the queue


class TaskLostError(RuntimeError):
    """A task left the queue without a result: cancelled, killed, or out of time or memory."""


class SlurmExecutor(Executor):
    """Submits functions as tasks of a Slurm job array; results come back through files in ``folder``.

    Args:
        folder: for submitit's files; every node must see it.
        partition: to submit to; the cluster's own by default.
        minutes: time limit of a task.
        memory_gb: memory of a task.
        gpus: GPUs of a task; 0 for the CPU.
        cpus: cores of a task.
        account: to charge.
        parallel: tasks that run at once, at most.
        parameters: further ones, as submitit takes them (``slurm_constraint``, …).

    Raises:
        SettingError: ``parallel`` is below 1.
        StudyError: submitit is not installed, or there is no Slurm here.
    """

    def __init__(
        self,
        folder: Path,
        *,
        partition: str | None = None,
        minutes: int = 240,
        memory_gb: float = 8.0,
        gpus: int = 1,
        cpus: int = 1,
        account: str | None = None,
        parallel: int = 8,
        parameters: dict[str, Any] | None = None,
    ) -> None:
        from srlens.extras import submitit

        if parallel < 1:
            raise SettingError(f"An array runs at least 1 task (--workers) at once, got {parallel}.")
        self.parallel, self._folder = parallel, folder
        try:
            self._executor = submitit.AutoExecutor(folder=str(folder.absolute()), cluster="slurm")
        except RuntimeError as error:
            raise StudyError(
                f"There is no Slurm on this machine ({error}). Submit from a login node, or use --executor local."
            ) from error
        self._executor.update_parameters(
            name="srlens",
            timeout_min=minutes,
            slurm_mem=f"{max(1, round(memory_gb * 1024))}M",
            cpus_per_task=cpus,
            tasks_per_node=1,
            gpus_per_node=gpus or None,
            slurm_partition=partition,
            slurm_array_parallelism=parallel,
            slurm_account=account,
            **(parameters or {}),
        )
        self._waiting: dict[Any, Future[Any]] = {}
        self._gone: dict[Any, float] = {}
        self._lock = threading.Lock()
        self._watcher: threading.Thread | None = None

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """Submit one task; :meth:`submit_many` puts many into one array."""
        return self.submit_many(partial(fn, **kwargs), [args])[0]

    def submit_many(self, fn: Callable[..., _T], arguments: Sequence[tuple[Any, ...]]) -> list[Future[_T]]:
        """Submit one array with a task for each tuple of arguments."""
        if not arguments:
            return []
        with _quiet():
            jobs = self._executor.map_array(fn, *zip(*arguments, strict=True))
        futures: list[Future[Any]] = [Future() for _ in jobs]
        with self._lock:
            self._waiting.update(zip(jobs, futures, strict=True))
            if self._watcher is None or not self._watcher.is_alive():
                self._watcher = threading.Thread(target=self._look, name="slurm-watch", daemon=True)
                self._watcher.start()
        return futures

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Leave the tasks to the cluster; with ``cancel_futures`` cancel those that have not ended."""
        with self._lock:
            waiting = dict(self._waiting)
            if cancel_futures:
                self._waiting.clear()
        for job, future in waiting.items():
            if cancel_futures:
                subprocess.run(["scancel", str(job.job_id)], check=False, capture_output=True)
                future.cancel()
            elif wait:
                future.exception()

    def _look(self) -> None:
        """Settle futures until none is left. The result's file says done; absence from the queue says lost."""
        while True:
            with self._lock:
                waiting = dict(self._waiting)
            if not waiting:
                return
            queued, written = _queue(), set(os.listdir(self._folder))
            for job, future in waiting.items():
                if job.paths.result_pickle.name in written:
                    self._settle(job, future)
                elif queued is not None and job.job_id not in queued:
                    since = self._gone.setdefault(job, time.monotonic())
                    if time.monotonic() - since > _GRACE:
                        self._lose(job, future)
                else:
                    self._gone.pop(job, None)
            time.sleep(_POLL)

    def _settle(self, job: Any, future: Future[Any]) -> None:
        try:
            with _quiet():
                outcome, result = job._get_outcome_and_result()
        except (EOFError, OSError):
            return  # still being written; looked at again
        except Exception as error:  # a result that cannot be read is an error of its task
            outcome, result = "error", f"{type(error).__name__}: {error}"
        if outcome == "error":
            result = RuntimeError(f"Slurm task {job.job_id} failed: {str(result)[-1500:]}")
        self._end(job, future, result)

    def _lose(self, job: Any, future: Future[Any]) -> None:
        tail = _tail(Path(job.paths.stderr))
        text = f"Slurm task {job.job_id} ended without a result: cancelled, killed, or out of time or memory."
        self._end(job, future, TaskLostError(f"{text} Its last words: {tail}" if tail else text))

    def _end(self, job: Any, future: Future[Any], result: Any) -> None:
        """Give the future its result, or the error that stands in its place."""
        with self._lock:
            self._waiting.pop(job, None)
        if future.set_running_or_notify_cancel():
            (future.set_exception if isinstance(result, BaseException) else future.set_result)(result)


def _queue() -> set[str] | None:
    """Ids of this user's tasks that are pending or running; None where the queue does not answer."""
    states = "PENDING,RUNNING,SUSPENDED,CONFIGURING,COMPLETING,REQUEUED"
    command = ["squeue", "--me", "--array", "--noheader", "--format=%i", f"--states={states}"]
    try:
        answer = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return None
    return set(answer.stdout.split())


def _tail(path: Path) -> str:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        return ""
    return lines[-1][:300] if lines else ""


class _quiet(warnings.catch_warnings):  # noqa: N801 - used as a context, like the class it is made of
    """Without submitit's remark on a missing ``sacct``, which is not needed here."""

    def __enter__(self) -> Any:
        entered = super().__enter__()
        warnings.filterwarnings("ignore", message=".*sacct.*")
        return entered
