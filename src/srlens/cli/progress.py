"""A progress bar on standard error for anything that takes longer than two seconds."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from srlens.attribution.scene import Progress as Callback
from srlens.cli.console import console

_PATIENCE = 2.0
_UNITS = {"reach": "images", "attention": "steps"}


class Bars:
    """One bar at a time, shown once a step has been running for two seconds."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def step(self, description: str, unit: str | None = None) -> Callback:
        """A callback ``(done, expected)`` for one step, which is named.

        Args:
            description: of the step, such as ``"channel: reach"``.
            unit: of what is counted; None: images of a reach, steps of a sampler whose attention is read, gradients.
        """
        counted = unit if unit is not None else _UNITS.get(description.rpartition(": ")[2], "gradients")
        started = time.monotonic()
        task: TaskID | None = None

        def update(done: int, expected: int) -> None:
            nonlocal task
            if task is None:
                if time.monotonic() - started < _PATIENCE or done >= expected:
                    return
                if not self._progress.live.is_started:
                    self._progress.start()
                task = self._progress.add_task(description, total=expected, unit=counted)
            self._progress.update(task, completed=done, total=expected)

        return update


@contextmanager
def progress_bars() -> Iterator[Bars]:
    """Bars for what is computed within the block, each from two seconds on; in a terminal, or in a notebook.

    ::

        with srlens.progress_bars() as bars:
            found = srlens.compare_seeds(network, image, window, progress=bars.step)
            maps = srlens.attribute_seeds(network, image, window, progress=bars.step("maps"))

    Nothing is shown where standard error is no terminal, nor in a notebook without ipywidgets.
    """
    err = console(error=True)
    shown = err.is_terminal or (err.is_jupyter and find_spec("ipywidgets") is not None)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[unit]}")
    progress = Progress(*columns, TimeRemainingColumn(), console=err, transient=True, disable=not shown)
    try:
        yield Bars(progress)
    finally:
        progress.stop()
