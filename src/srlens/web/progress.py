"""A computation in a worker thread, with progress to read and a flag to stop it."""

import queue
import threading
from collections.abc import Callable, Generator
from concurrent.futures import Executor, wait
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")
_INTERVAL = 0.2  # seconds between two looks at the progress


class CancelledError(Exception):
    """The user stopped the run."""


@dataclass(frozen=True)
class Step:
    """How far a run is.

    Attributes:
        network: at work.
        index: of that network, from 1.
        count: of networks.
        done: gradient evaluations of that network.
        expected: evaluations expected of it.
    """

    network: str
    index: int
    count: int
    done: int
    expected: int

    @property
    def fraction(self) -> float:
        """Of the whole run, in [0, 1]."""
        return (self.index - 1 + self.done / max(self.expected, 1)) / self.count


#: Called by the work with every step; raises :class:`CancelledError` once the run is to stop.
Report = Callable[[Step], None]


def in_steps(work: Callable[[Report], T], cancel: threading.Event, worker: Executor) -> Generator[Step, None, T]:
    """Run ``work`` in the worker; yield the latest step a few times a second, and return its result.

    Closing the iterator stops the work as setting the flag does: at its next step.

    Raises:
        CancelledError: the flag was set.
        Exception: whatever the work raised.
    """
    steps: queue.Queue[Step] = queue.Queue()

    def report(step: Step) -> None:
        if cancel.is_set():
            raise CancelledError
        steps.put(step)

    def start() -> T:
        if cancel.is_set():  # while it waited for the worker
            raise CancelledError
        return work(report)

    future = worker.submit(start)
    try:
        while not future.done():
            wait([future], _INTERVAL)
            latest = None
            while not steps.empty():
                latest = steps.get_nowait()
            if cancel.is_set():
                raise CancelledError
            if latest is not None and not future.done():
                yield latest
        return future.result()
    finally:
        cancel.set()
