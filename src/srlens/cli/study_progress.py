"""How far a study is: a bar on a terminal, a line now and then in a log."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from srlens.cli.console import console, say
from srlens.study.progress import Report

_PERIOD = 30.0  # seconds between lines where standard error is no terminal


@contextmanager
def study_progress() -> Iterator[Callable[[Report], None]]:
    """A callback that shows done, failed, rate and remaining time."""
    if not console(error=True).is_terminal:
        yield _lines()
        return
    columns = (TextColumn("study"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[text]}"))
    with Progress(*columns, console=console(error=True), transient=True) as progress:
        task = progress.add_task("study", total=None, text="starting")

        def tell(report: Report) -> None:
            progress.update(task, completed=report.done, total=report.total, text=rate_text(report))

        yield tell


def rate_text(report: Report) -> str:
    """Rate, remaining time and failures in words."""
    parts = []
    if report.rate > 0:
        parts.append(f"{report.rate * 60:.0f} a minute" if report.rate < 2 else f"{report.rate:.1f} a second")
    if report.remaining is not None and not report.final:
        parts.append(f"{timedelta(seconds=round(report.remaining))} to go")
    if report.failed:
        parts.append(f"{report.failed} failed")
    return ", ".join(parts)


def _lines() -> Callable[[Report], None]:
    last = time.monotonic()

    def tell(report: Report) -> None:
        nonlocal last
        if time.monotonic() - last >= _PERIOD:
            last = time.monotonic()
            say(f"{report.done}/{report.total} {rate_text(report)}", error=True)

    return tell
