"""A computation in a thread of its own, with progress to read and a flag to stop it."""

import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

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


@dataclass(frozen=True)
class Finished(Generic[T]):
    """The end of a run and its result."""

    result: T


Report = Callable[[Step], None]
"""Called by the work with every step; raises :class:`CancelledError` once the run is to stop."""


def in_steps(work: Callable[[Report], T], cancel: threading.Event) -> Iterator[Step | Finished[T]]:
    """Run ``work`` in a thread; yield the latest step a few times a second, and at last its result.

    Closing the iterator stops the work as setting the flag does: at its next step.

    Raises:
        CancelledError: the flag was set.
        Exception: whatever the work raised.
    """
    steps: queue.Queue[Step] = queue.Queue()
    outcome: list[T] = []
    failure: list[BaseException] = []

    def report(step: Step) -> None:
        if cancel.is_set():
            raise CancelledError
        steps.put(step)

    def run() -> None:
        try:
            outcome.append(work(report))
        except BaseException as error:  # handed to the thread that waits
            failure.append(error)

    thread = threading.Thread(target=run, name="srlens-run", daemon=True)
    thread.start()
    try:
        while thread.is_alive():
            thread.join(_INTERVAL)
            latest = None
            while not steps.empty():
                latest = steps.get_nowait()
            if cancel.is_set():
                raise CancelledError
            if latest is not None and thread.is_alive():
                yield latest
        if failure:
            raise failure[0]
        yield Finished(outcome[0])
    finally:
        cancel.set()
