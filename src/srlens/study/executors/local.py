"""Processes on this machine: spawned, one per GPU, or several on the CPU with torch's threads divided."""

import multiprocessing
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from multiprocessing.queues import SimpleQueue
from typing import Any, ParamSpec, TypeVar

from srlens.errors import SettingError

_P = ParamSpec("_P")
_T = TypeVar("_T")


class LocalExecutor(Executor):
    """Spawned worker processes, which end with the process that started them, however that ends.

    When a worker dies, the futures in hand get :class:`concurrent.futures.BrokenExecutor`; the next submission
    starts new workers.

    Args:
        workers: number of processes.
        devices: one a process, as torch names it (``"cuda:0"``); None: the CPU, or what the batch says.

    Raises:
        SettingError: no worker, or not one device a worker.
    """

    def __init__(self, workers: int, devices: Sequence[str] | None = None) -> None:
        if workers < 1:
            raise SettingError(f"workers must be at least 1, got {workers}.")
        if devices is not None and len(devices) != workers:
            raise SettingError(f"{workers} workers need as many devices, got {len(devices)}: {', '.join(devices)}.")
        self.workers = workers
        self._devices = list(devices) if devices is not None else None
        self._pool: ProcessPoolExecutor | None = None

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """Run ``fn`` in a worker; it must be importable there."""
        if self._pool is not None:
            try:
                return self._pool.submit(fn, *args, **kwargs)
            except BrokenExecutor:
                self._pool.shutdown(wait=False, cancel_futures=True)
        self._pool = self._start()
        return self._pool.submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the workers once their jobs are done."""
        if self._pool is not None:
            self._pool.shutdown(wait=wait, cancel_futures=cancel_futures)

    def kill(self) -> None:
        """End the workers now, whatever they do."""
        if self._pool is not None:
            processes = list((getattr(self._pool, "_processes", None) or {}).values())
            self._pool.shutdown(wait=False, cancel_futures=True)
            for process in processes:
                process.kill()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Wait for the jobs, or end the workers where an error ends the block."""
        if kind is None:
            self.shutdown()
        else:
            self.kill()

    def _start(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")  # CUDA does not survive a fork, nor do torch's threads
        queue: SimpleQueue[str] | None = None
        if self._devices is not None:
            queue = context.SimpleQueue()
            for device in self._devices:
                queue.put(device)
        return ProcessPoolExecutor(self.workers, mp_context=context, initializer=_begin, initargs=(queue,))


def default_workers(threads: int) -> int:
    """As many processes as the CPU has cores for, with that many threads each."""
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    return max(1, available // threads)


def _begin(queue: "SimpleQueue[str] | None") -> None:
    os.environ["POLARS_MAX_THREADS"] = "1"  # a part is one row
    threading.Thread(target=_end_with_parent, name="end-with-parent", daemon=True).start()
    if queue is not None:
        from srlens.study.worker import use_device

        use_device(queue.get())


def _end_with_parent() -> None:
    """A parent that was killed tells nobody: without this its workers would wait for ever."""
    parent: Any = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
