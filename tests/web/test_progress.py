import threading
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor

import pytest

from srlens.web.progress import CancelledError, Report, Step, in_steps


@pytest.fixture
def worker() -> Iterator[Executor]:
    with ThreadPoolExecutor(max_workers=1) as executor:
        yield executor


def test_steps_then_the_result(worker: Executor) -> None:
    def work(report: Report) -> str:
        for k in range(6):
            report(Step("a", 1, 1, k, 6))
            time.sleep(0.1)
        return "done"

    def collect() -> Iterator[Step]:
        assert (yield from in_steps(work, threading.Event(), worker)) == "done"

    events = list(collect())
    assert events
    assert all(isinstance(event, Step) for event in events)


def test_the_flag_stops_the_work_at_its_next_step(worker: Executor) -> None:
    cancel, ended = threading.Event(), threading.Event()

    def work(report: Report) -> None:
        try:
            while True:
                report(Step("a", 1, 1, 0, 1))
                time.sleep(0.01)
        finally:
            ended.set()

    events = in_steps(work, cancel, worker)
    next(events)
    cancel.set()
    with pytest.raises(CancelledError):
        next(events)
    assert ended.wait(5)


def test_closing_the_iterator_stops_the_work(worker: Executor) -> None:
    ended = threading.Event()

    def work(report: Report) -> None:
        try:
            while True:
                report(Step("a", 1, 1, 0, 1))
                time.sleep(0.01)
        finally:
            ended.set()

    events = in_steps(work, threading.Event(), worker)
    next(events)
    events.close()  # type: ignore[attr-defined]
    assert ended.wait(5)


def test_an_error_of_the_work_is_raised_where_it_is_awaited(worker: Executor) -> None:
    def work(report: Report) -> None:
        report(Step("a", 1, 1, 0, 1))
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        list(in_steps(work, threading.Event(), worker))


def test_fractions() -> None:
    assert Step("a", 2, 4, 5, 10).fraction == 0.375
    assert Step("a", 1, 1, 0, 0).fraction == 0
