"""A progress bar on standard error for anything that takes longer than two seconds."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from srlens.attribution.scene import Progress as Callback
from srlens.cli.console import console

_PATIENCE = 2.0


class Bars:
    """One bar at a time, shown once a step has been running for two seconds."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def step(self, description: str, unit: str = "gradients") -> Callback:
        """A callback ``(done, expected)`` for one step."""
        started = time.monotonic()
        task: TaskID | None = None

        def update(done: int, expected: int) -> None:
            nonlocal task
            if task is None:
                if time.monotonic() - started < _PATIENCE or done >= expected:
                    return
                if not self._progress.live.is_started:
                    self._progress.start()
                task = self._progress.add_task(description, total=expected, unit=unit)
            self._progress.update(task, completed=done, total=expected)

        return update


@contextmanager
def progress_bars() -> Iterator[Bars]:
    """Bars for the steps of one command; nothing is shown where standard error is no terminal."""
    err = console(error=True)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[unit]}")
    progress = Progress(*columns, TimeRemainingColumn(), console=err, transient=True, disable=not err.is_terminal)
    try:
        yield Bars(progress)
    finally:
        progress.stop()
