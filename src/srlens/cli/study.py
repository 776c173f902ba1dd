"""``srlens study``: run a study file, report on it, print its schema."""

import shlex
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, Parameter

from srlens.cli.console import console, say, table
from srlens.cli.parsing import writable

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from srlens.study.run import Summary

app = App(name="study", help="Many networks × windows: run a study file, and report on the paper's four findings.")

_FAILED = 1  # exit code when jobs have no result
_SHOWN_FAILURES = 10


@Parameter(name="*")
@dataclass(frozen=True)
class SlurmOptions:
    """Where and how long a Slurm task runs.

    Attributes
    ----------
    partition
        Partition to submit to; the cluster's own by default.
    minutes
        Time limit of a task.
    memory_gb
        Memory of a task.
    gpus
        GPUs of a task; 0 for the CPU.
    account
        Account to charge.

    """

    partition: Annotated[str | None, Parameter(group="Slurm")] = None
    minutes: Annotated[int, Parameter(group="Slurm")] = 240
    memory_gb: Annotated[float, Parameter(group="Slurm")] = 8.0
    gpus: Annotated[int, Parameter(group="Slurm")] = 1
    account: Annotated[str | None, Parameter(group="Slurm")] = None


@app.command
def run(
    file: Path,
    *,
    executor: Literal["local", "slurm"] = "local",
    workers: int | None = None,
    threads: int = 1,
    device: str | None = None,
    resume: Annotated[bool, Parameter(negative=())] = False,
    retry: Annotated[bool, Parameter(negative=())] = False,
    out: Annotated[Path | None, Parameter(name=["--out", "-o"])] = None,
    root: Path | None = None,
    report: bool = True,
    slurm: SlurmOptions | None = None,
) -> int:
    """Compute every network at every window of a study file; may be killed at any moment and resumed.

    Each result is stored as soon as it is there. A job that fails is recorded with its reason and does not stop the
    others; the exit code is then 1.

    Parameters
    ----------
    file
        The study file (srlens study schema says what it may hold).
    executor
        local: processes on this machine. slurm: a job array.
    workers
        Processes, by default one a core (one a GPU); with slurm the tasks that run at once, by default 8.
    threads
        Threads of each worker on the CPU. Results depend on it in the last digits, but not on --workers.
    device
        cpu, cuda, cuda:1, mps; by default CUDA where there is one.
    resume
        Compute what is missing in a folder that holds results of this study already.
    retry
        Also try jobs again that failed by their own nature (a flat window).
    out
        Folder of the results, instead of the study's own.
    root
        Folder that paths of pictures start from on this machine, instead of the study's own.
    report
        Build the report at the end.
    """
    from srlens.cli.study_progress import study_progress
    from srlens.study.plan import make_plan
    from srlens.study.run import run_study
    from srlens.study.schema import read_study

    if device is not None:
        from srlens.cli.devices import choose_device

        device = str(choose_device(device)) if executor == "local" else device
    study = read_study(file)
    if root is not None:
        study = study.model_copy(update={"images": study.images.model_copy(update={"root": str(root.absolute())})})
    plan = make_plan(study)
    folder = writable(out if out is not None else plan.study.folder)
    how: dict[str, Any] = {"threads": threads, "device": device, "resume": resume, "retry": retry}
    how["command"] = shlex.join(["srlens", *sys.argv[1:]])
    how["workers"] = workers if executor == "local" else None  # a job array is given everything at once
    where = _slurm(workers, threads, folder, slurm) if executor == "slurm" else None
    try:
        with study_progress() as tell:
            summary = run_study(plan, executor=where, folder=folder, progress=tell, **how)
    finally:
        if where is not None:
            where.shutdown(wait=False, cancel_futures=True)
    _print_summary(summary)
    if report and summary.total > len(summary.failures):
        _report(folder, None, 0)
    return _FAILED if summary.failures else 0


def _slurm(workers: int | None, threads: int, folder: Path, options: SlurmOptions | None) -> "Executor":
    from srlens.study.executors.slurm import SlurmExecutor

    given = vars(options if options is not None else SlurmOptions())
    return SlurmExecutor(folder / "slurm", cpus=threads, parallel=workers if workers is not None else 8, **given)


@app.command
def report(folder: Path, *, out: Annotated[Path | None, Parameter(name=["--out", "-o"])] = None, seed: int = 0) -> None:
    """Report on the results of a study: one HTML page, its tables as CSV, its figures as PDF.

    Parameters
    ----------
    folder
        The folder of the results, or the study file.
    out
        Where to write; FOLDER/report by default.
    seed
        Of the permutations.
    """
    if folder.is_file():
        from srlens.study.schema import read_study

        folder = read_study(folder).folder
    _report(folder, out, seed)


@app.command
def schema() -> None:
    """Print the JSON Schema of study files."""
    import json

    from srlens.study.schema import study_schema

    print(json.dumps(study_schema(), indent=2))


def _report(folder: Path, out: Path | None, seed: int) -> None:
    from rich.text import Text

    from srlens.study.report.build import build_report

    built = build_report(folder, writable(out) if out is not None else None, seed=seed)
    shown = table("The paper's four findings", show_lines=True)
    shown.add_column("finding", overflow="fold", ratio=3)
    shown.add_column("verdict", no_wrap=True)
    shown.add_column("evidence", overflow="fold", ratio=4)
    colours = {"supported": "green", "not supported": "red"}
    for verdict in built.findings.verdicts:
        answer = Text(verdict.answer, colours.get(verdict.answer, "yellow"))
        shown.add_row(f"{verdict.number}. {verdict.claim}", answer, f"{verdict.evidence} ({verdict.sample})")
    console().print(shown)
    say(f"Written: {built.page} and {len(built.files) - 1} files beside it")


def _print_summary(summary: "Summary") -> None:
    stored = summary.total - len(summary.failures)
    say(
        f"{stored} of {summary.total} results in {summary.folder}: {summary.found} were there, {summary.computed} "
        f"computed in {summary.seconds:.0f} s, {len(summary.failures)} failed."
    )
    for file in summary.damaged:
        say(f"Was damaged, and is not used: {file.relative_to(summary.folder)}")
    reasons = Counter(f"{failure.network}: {failure.error}: {failure.message}" for failure in summary.failures)
    for text, count in list(reasons.items())[:_SHOWN_FAILURES]:
        say(f"{count} × {text}")
    if len(reasons) > _SHOWN_FAILURES:
        say(f"… and {len(reasons) - _SHOWN_FAILURES} more reasons in {summary.folder / 'failures'}")
