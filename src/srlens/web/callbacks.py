"""What the page does, without gradio: each function takes a session and plain values, and returns plain values."""

import shutil
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from srlens.attribution.field import Field, grid_windows
from srlens.attribution.scene import Progress
from srlens.comparison.compare import Comparison, compare
from srlens.comparison.subject import Subject, in_grey, restore_grey
from srlens.comparison.table import write_tables
from srlens.errors import ImageError, SettingError, SrlensWarning, WindowError
from srlens.imaging.degrade import GIVEN, modcrop
from srlens.imaging.files import image_digest, read_image
from srlens.imaging.samples import SAMPLES, sample_path
from srlens.imaging.window import Window
from srlens.networks.device import Device
from srlens.networks.network import Network
from srlens.plugins import load_plugins
from srlens.records.field_run import run_field
from srlens.records.output import file_name, write_comparison
from srlens.web.choices import Choices
from srlens.web.limits import Limits
from srlens.web.network_list import NetworkList
from srlens.web.progress import Report, Step, in_steps
from srlens.web.session import Picture, Session, Sessions
from srlens.web.uploads import take_network, take_picture


@dataclass(frozen=True, eq=False)
class Answer:
    """A finished run.

    Attributes:
        choices: what was asked for, with the window that was taken.
        comparison: the result.
        notes: warnings, one sentence each.
    """

    choices: Choices
    comparison: Comparison
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class FieldAnswer:
    """A finished field.

    Attributes:
        subject: the images.
        field: the numbers.
        files: figure (PNG, PDF), table, log of the points.
    """

    subject: Subject
    field: Field
    files: tuple[Path, ...]


class Page:
    """The state that all tabs share, and the verbs of one tab."""

    def __init__(
        self,
        *,
        networks: Path | None = None,
        device: Device = None,
        limits: Limits | None = None,
        folder: Path | None = None,
    ) -> None:
        load_plugins()
        self._folder = folder  # for files of sessions; the system's temporary folder if None
        self.limits = limits if limits is not None else Limits()
        self.device = torch.device(device or "cpu")
        self.listed = NetworkList(networks, device)
        self.sessions = Sessions(self.limits)
        # One computation at a time: it uses all cores, and warnings and module flags are the process's own. Always in
        # the same thread: each new one would keep an arena of freed memory.
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="srlens-run")

    def close(self) -> None:
        """Stop all runs and forget all tabs."""
        self.sessions.close()
        self._worker.shutdown(wait=False, cancel_futures=True)

    def names(self, session: Session) -> tuple[str, ...]:
        """Networks that this tab can choose from."""
        return (*self.listed.names, *session.uploads)

    def use_sample(self, session: Session, name: str, choices: Choices | None = None) -> None:
        """Show a packaged photograph.

        Raises:
            SettingError: none has that name.
            ImageError, SettingError: it cannot be taken as ``choices`` say; the one before is kept.
        """
        path = sample_path(name)
        self._use(session, Picture(name, read_image(path), image_digest(path)), choices)

    def use_upload(self, session: Session, path: Path, choices: Choices | None = None) -> None:
        """Show an uploaded picture; see :func:`take_picture` and :meth:`use_sample` for the errors."""
        self._use(session, take_picture(path, self.limits), choices)

    def _use(self, session: Session, picture: Picture, choices: Choices | None) -> None:
        if choices is not None:
            self._sr_size(picture, choices, self.open(session, choices.networks)[0].scale)
        session.picture = picture

    def add_network(self, session: Session, path: Path) -> str:
        """Take an uploaded network file into this tab's list; its name there.

        Raises:
            CheckpointError, NotFiniteError, NotDifferentiableError: the file cannot be used.
            SettingError: the tab has as many networks of its own as it may have.
        """
        if len(session.uploads) >= self.limits.uploaded_networks and path.name not in session.uploads:
            path.unlink(missing_ok=True)
            raise SettingError(
                f"This page keeps {self.limits.uploaded_networks} networks of your own; reload it to start anew."
            )
        network = take_network(path, self.limits, self.device)
        name = path.name if path.name not in self.listed.names else f"own-{path.name}"
        session.uploads[name] = replace(network, name=Path(name).stem)
        return name

    def open(self, session: Session, names: Sequence[str]) -> list[Network]:
        """The chosen networks.

        Raises:
            SettingError: none, too many, of different scales, or a name that is not on the list.
            SrlensError: a file of the folder cannot be used.
        """
        if not names:
            raise SettingError("Choose at least one network.")
        if len(names) > self.limits.compared_networks:
            raise SettingError(f"Choose at most {self.limits.compared_networks} networks; {len(names)} are chosen.")
        networks = [session.uploads[name] if name in session.uploads else self.listed.open(name) for name in names]
        scales = {network.scale for network in networks}
        if len(scales) > 1:
            listed = ", ".join(f"{network.name} ×{network.scale}" for network in networks)
            raise SettingError(f"The networks are of different scales ({listed}); choose those of one scale.")
        return networks

    def sr_size(self, session: Session, choices: Choices) -> tuple[int, int]:
        """Height and width of the SR image in pixels.

        Raises:
            ImageError: no picture yet, or one that is too small or too large.
            SettingError: see :meth:`open`.
        """
        return self._sr_size(self._picture(session), choices, self.open(session, choices.networks)[0].scale)

    def _sr_size(self, picture: Picture, choices: Choices, scale: int) -> tuple[int, int]:
        height, width = (side // scale if choices.is_hr else side for side in picture.image.shape[-2:])
        if height * width > self.limits.lr_pixels:
            raise ImageError(
                f"The LR image would have {height}×{width} pixels; this page takes {self.limits.lr_pixels} at most. "
                "Crop the picture, or use the command line."
            )
        return height * scale, width * scale

    def shown(self, session: Session, choices: Choices) -> torch.Tensor:
        """What the window is placed in: the HR picture cropped to the scale, or what networks of scale 1 are given.

        Raises:
            SettingError: the picture cannot be degraded as ``choices`` say.
        """
        image, networks = self._picture(session).image, self.open(session, choices.networks)
        if not choices.is_hr:
            return image
        if networks[0].scale > 1:
            return modcrop(image, networks[0].scale)
        return self._subject(session, choices, networks).lr

    def checked_window(self, session: Session, choices: Choices) -> Window | None:
        """The window, if one is placed and lies inside the SR image.

        Raises:
            WindowError: it does not, or is larger than this page takes.
        """
        if choices.size > self.limits.window:
            raise WindowError(f"This page takes windows up to {self.limits.window} SR pixels, got {choices.size}.")
        window = choices.window
        if window is not None:
            window.check_inside(*self.sr_size(session, choices))
        elif choices.size < 1:
            raise WindowError(f"The window's size must be at least 1 SR pixel, got {choices.size}.")
        return window

    def run(self, session: Session, choices: Choices) -> Iterator[Step | Answer]:
        """Compute, yielding steps and at last the answer; stops when ``session.cancel`` is set.

        Raises:
            CancelledError: it was stopped.
            SrlensError: something chosen cannot be used, or the computation failed.
        """
        cancel = session.begin()
        networks = self.open(session, choices.networks)
        self._check_steps(max(choices.settings.get(name, 0) for name in ("steps", "max_steps")))
        self.sr_size(session, choices)
        window = self.checked_window(session, choices)
        subject = self._subject(session, choices, networks)

        def work(report: Report) -> tuple[Comparison, tuple[str, ...]]:
            return _compute(networks, subject, window, choices, lambda step: report(self._step(step)))

        comparison, notes = yield from in_steps(work, cancel, self._worker)
        taken = replace(choices, top=comparison.window.top, left=comparison.window.left)
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
        opened = self.open(session, choices.networks)[0]
        self._check_steps(steps)
        self.checked_window(session, choices)
        windows = grid_windows(*self.sr_size(session, choices), choices.size, stride)
        if len(windows) > self.limits.field_windows:
            raise SettingError(
                f"That grid has {len(windows)} windows; this page takes {self.limits.field_windows}. Take a wider grid."
            )
        method = choices.of_field(steps)
        subject = self._subject(session, choices, [opened])
        folder, taken = self._emptied(session, "field"), (session.picture, choices.is_hr, choices.made_by)

        def work(report: Report) -> tuple[Field, list[Path]]:
            def progress(done: int, expected: int) -> None:
                report(self._step(Step(opened.name, 1, 1, done, expected), len(windows)))

            return run_field(opened, subject, method, folder, size=choices.size, stride=stride, progress=progress)

        field, files = yield from in_steps(work, cancel, self._worker)
        session.field = (taken, network, field)
        yield FieldAnswer(subject, field, tuple(session.kept(files)))

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

    def _picture(self, session: Session) -> Picture:
        if session.picture is None:
            raise ImageError("Choose a picture first.")
        return session.picture

    def _subject(self, session: Session, choices: Choices, networks: Sequence[Network]) -> Subject:
        picture, scale = self._picture(session), networks[0].scale
        image = in_grey(picture.image) if restore_grey(networks) else picture.image
        name = Path(picture.name).stem if picture.name not in SAMPLES else picture.name
        if choices.is_hr:
            return Subject.from_hr(image, scale, name=name, degradation=choices.made_by, digest=picture.digest)
        return Subject(name, image, None, GIVEN, picture.digest, scale=scale)


def _compute(
    networks: Sequence[Network], subject: Subject, window: Window | None, choices: Choices, report: Report
) -> tuple[Comparison, tuple[str, ...]]:
    started: list[str] = []

    def progress(name: str) -> Progress:
        if name.endswith(": reach"):  # its network's share of the bar is full
            return lambda _, expected: report(Step(name, len(started), len(networks), expected, expected))
        started.append(name)
        index = len(started)
        return lambda done, expected: report(Step(name, index, len(networks), done, expected))

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", SrlensWarning)
        comparison = compare(networks, subject, window, size=choices.size, progress=progress, **choices.settings)
    notes = dict.fromkeys(str(w.message) for w in caught if issubclass(w.category, SrlensWarning))
    return comparison, tuple(notes)
