"""What the page does, without gradio: each function takes a session and plain values, and returns plain values."""

import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from srlens.attribution.field import Field, grid_windows
from srlens.comparison.compare import Comparison
from srlens.comparison.table import write_tables
from srlens.errors import SettingError
from srlens.networks.device import Device
from srlens.networks.sampled import samples, sampling_facts, sampling_in_words
from srlens.plugins import load_plugins
from srlens.records.field_run import run_field
from srlens.records.output import file_name, write_comparison
from srlens.web.answers import Answer, FieldAnswer, compute
from srlens.web.choices import DEFAULTS, Choices
from srlens.web.inputs import Inputs
from srlens.web.limits import Limits
from srlens.web.progress import Report, Step, in_steps
from srlens.web.session import Session, Sessions


class Page(Inputs):
    """The state that all tabs share, and the verbs of one tab: what it chooses, and what it runs."""

    def __init__(
        self,
        *,
        networks: Path | None = None,
        device: Device = None,
        limits: Limits | None = None,
        folder: Path | None = None,
    ) -> None:
        load_plugins()
        super().__init__(networks=networks, device=device, limits=limits)
        self._folder = folder  # for files of sessions; the system's temporary folder if None
        self.sessions = Sessions(self.limits)
        # One computation at a time: it uses all cores, and warnings and module flags are the process's own. Always in
        # the same thread: each new one would keep an arena of freed memory.
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="srlens-run")

    def close(self) -> None:
        """Stop all runs and forget all tabs."""
        self.sessions.close()
        self._worker.shutdown(wait=False, cancel_futures=True)

    def run(self, session: Session, choices: Choices) -> Iterator[Step | Answer]:
        """Compute, yielding steps and at last the answer; stops when ``session.cancel`` is set.

        Raises:
            CancelledError: it was stopped.
            SrlensError: something chosen cannot be used, or the computation failed.
        """
        cancel = session.begin()
        networks = self.drawn(session, choices)
        self._check_steps(max(choices.settings.get(name, 0) for name in ("steps", "max_steps")))
        self.sr_size(session, choices)
        window = self.checked_window(session, choices)
        subject = self.subject(session, choices, networks)

        def work(report: Report) -> tuple[Comparison, tuple[str, ...]]:
            return compute(networks, subject, window, choices, lambda step: report(self._step(step)))

        comparison, notes = yield from in_steps(work, cancel, self._worker)
        seed = choices.sampler_seed if any(samples(network) for network in networks) else DEFAULTS.sampler_seed
        taken = replace(choices, top=comparison.window.top, left=comparison.window.left, sampler_seed=seed)
        session.comparison = (taken, comparison)
        yield Answer(taken, comparison, notes)

    def files(self, session: Session) -> list[Path]:
        """Figures, maps, tables, result.json of the last answer, and all in one archive; they go with the session."""
        if session.comparison is None:
            return []
        choices, comparison = session.comparison
        folder = self._emptied(session, "window")
        files = write_comparison(comparison, folder, style=choices.style)
        files += write_tables(comparison, folder / "comparison")
        name = file_name("srlens", comparison.subject.name, str(comparison.window))
        files.append(Path(shutil.make_archive(str(self._emptied(session, "archive") / name), "zip", folder)))
        return session.kept(files)

    def run_field(
        self, session: Session, choices: Choices, network: str, *, stride: int, steps: int
    ) -> Iterator[Step | FieldAnswer]:
        """Compute the diffusion index over the whole image; stops when ``session.cancel`` is set.

        Args:
            session: the tab.
            choices: picture, size of the windows, detector, path and rule.
            network: a name of the list.
            stride: of the grid, in SR pixels.
            steps: of every map.

        Raises:
            CancelledError: it was stopped.
            SrlensError: something chosen cannot be used, or the computation failed.
        """
        cancel = session.begin()
        choices = replace(choices, networks=(network,), top=None, left=None)
        (opened,) = self.drawn(session, choices)
        self._check_steps(steps)
        self.checked_window(session, choices)
        windows = grid_windows(*self.sr_size(session, choices), choices.size, stride)
        if len(windows) > self.limits.field_windows:
            raise SettingError(
                f"That grid has {len(windows)} windows; this page takes {self.limits.field_windows}. Take a wider grid."
            )
        method = choices.of_field(steps)
        subject = self.subject(session, choices, [opened])
        folder, taken = self._emptied(session, "field"), (session.picture, choices.is_hr, choices.made_by)

        def work(report: Report) -> tuple[Field, list[Path]]:
            def progress(done: int, expected: int) -> None:
                report(self._step(Step(opened.name, 1, 1, done, expected), len(windows)))

            return run_field(opened, subject, method, folder, size=choices.size, stride=stride, progress=progress)

        field, files = yield from in_steps(work, cancel, self._worker)
        session.field = (taken, network, field)
        sampling = tuple(sampling_in_words(sampling_facts(opened)))
        yield FieldAnswer(subject, field, tuple(session.kept(files)), sampling)

    def of_field(self, session: Session, choices: Choices, x: float, y: float) -> Choices:
        """The choices with the network of the field, and its window whose middle is nearest to a point in SR pixels.

        Raises:
            SettingError: there is no field of this picture yet.
        """
        if session.field is None or session.field[0] != (session.picture, choices.is_hr, choices.made_by):
            raise SettingError("Compute the field first: there is none of this picture, taken so.")
        _, network, field = session.field
        windows = [point.window for point in field.points]
        nearest = min(windows, key=lambda w: (w.top + w.height / 2 - y) ** 2 + (w.left + w.width / 2 - x) ** 2)
        return replace(choices, networks=(network,), top=nearest.top, left=nearest.left, size=nearest.height)

    def _check_steps(self, steps: int) -> None:
        if steps > self.limits.evaluations:
            raise SettingError(f"This page takes up to {self.limits.evaluations} steps, got {steps}.")

    def _step(self, step: Step, windows: int = 1) -> Step:
        """A step, unless the run needs more evaluations than this page takes (occlusion by small blocks does)."""
        if step.expected > self.limits.evaluations * windows:
            raise SettingError(
                f"This page takes up to {self.limits.evaluations} evaluations a map, and {step.network} would need "
                f"{step.expected // windows}. Take larger blocks, a smaller picture, or the command line."
            )
        return step

    def _emptied(self, session: Session, name: str) -> Path:
        """The session's folder for one kind of files, empty."""
        if session.folder is None:
            session.folder = Path(tempfile.mkdtemp(prefix="srlens-app-files-", dir=self._folder))
        folder = session.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder
