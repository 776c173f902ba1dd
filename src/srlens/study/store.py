"""Results on disk: one Parquet part and one map a job, whole or not at all; damage is found, whatever it is."""

import json
import os
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from srlens.atomic import replacing
from srlens.comparison.table import polars_schema, typed_frame
from srlens.errors import StudyError
from srlens.imaging.files import png_bytes
from srlens.records.archive import save, save_json, to_json
from srlens.shown import Shown
from srlens.study.row import columns
from srlens.study.run_record import Run
from srlens.study.seal import BLANK, is_whole, sealing

if TYPE_CHECKING:
    import polars
    from torch import Tensor

_STALE = 600.0  # seconds after which an unfinished file belongs to nobody any more


@dataclass(frozen=True)
class Failure:
    """Why a job has no result.

    Attributes:
        job: its id.
        network: its network's label.
        image: its picture's name.
        window: in SR pixels, as text.
        error: class of the error.
        message: what it said.
        permanent: the same job would fail again; it is not retried unless asked for.
    """

    job: str
    network: str
    image: str
    window: str
    error: str
    message: str
    permanent: bool


class Store:
    """The folder of a study.

    ``parts/ID.parquet`` is written last: a job is done when it is there and whole, which
    :func:`~srlens.study.seal.is_whole` decides for all readers. ``maps/ID.safetensors``, ``places/ID.png`` (the
    picture around a window), ``failures/ID.json``, ``plan.json``, ``inputs`` (study file and list of windows). Files in
    the making end in ``.tmp`` and are never read.

    Args:
        folder: it is made when the first file is written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def part(self, job: str) -> Path:
        """Where the row of a job is."""
        return self.folder / "parts" / f"{job}.parquet"

    def map(self, job: str) -> Path:
        """Where the map of a job is."""
        return self.folder / "maps" / f"{job}.safetensors"

    def place(self, place: str) -> Path:
        """Where the picture around a window is."""
        return self.folder / "places" / f"{place}.png"

    def failure(self, job: str) -> Path:
        """Where the reason of a failed job is."""
        return self.folder / "failures" / f"{job}.json"

    @property
    def plan(self) -> Path:
        """Where the plan is."""
        return self.folder / "plan.json"

    def results(self, job: str, *, maps: bool) -> list[Path]:
        """The files that a job leaves."""
        return [self.part(job), self.map(job)] if maps else [self.part(job)]

    def done(self, jobs: Iterable[str], *, maps: bool) -> set[str]:
        """Those of the jobs whose part (and map) is whole."""
        return {job for job in jobs if all(map(is_whole, self.results(job, maps=maps)))}

    def damaged(self, jobs: Iterable[str], places: Iterable[str] = ()) -> list[Path]:
        """Files of these jobs and places that are there, but not whole."""
        files = [*(file for job in jobs for file in self.results(job, maps=True)), *map(self.place, places)]
        return [file for file in files if file.exists() and not is_whole(file)]

    def stored(self, jobs: set[str]) -> int:
        """How many of the jobs have a part, whole or not, by one look into the folder."""
        return len(jobs & _listed(self.folder / "parts", ".parquet"))

    def write_part(self, row: dict[str, Any]) -> None:
        """Write the row of a job; from now on it is done."""
        frame = typed_frame([row], columns())
        with sealing(self.part(row["job"])) as temporary:
            frame.write_parquet(temporary, compression="zstd", statistics=False, metadata={"srlens": BLANK})

    def write_map(self, job: str, result: Shown, extra: dict[str, Any]) -> None:
        """Write the map of a job; ``extra`` goes into its record."""
        with sealing(self.map(job)) as temporary:
            save(result, temporary, extra={**extra, "seal": BLANK})

    def write_place(self, place: str, picture: "Tensor") -> None:
        """Write the picture around a window, C×H×W in [0, 1]; behind the end of a PNG readers look at nothing."""
        with sealing(self.place(place)) as temporary:
            temporary.write_bytes(png_bytes(picture) + BLANK.encode())

    def write_failure(self, failure: Failure) -> None:
        """Record why a job failed."""
        save_json(asdict(failure), self.failure(failure.job))

    def failures(self, jobs: Iterable[str], *, maps: bool = False) -> list[Failure]:
        """The recorded failures of these jobs, but for those that are :meth:`done` by now."""
        names = _listed(self.folder / "failures", ".json")
        found = []
        for job in jobs:
            if job in names and not self.done([job], maps=maps):
                with suppress(OSError, ValueError, TypeError):  # one that cannot be read says nothing: it is missing
                    found.append(Failure(**json.loads(self.failure(job).read_text(encoding="utf-8"))))
        return found

    def write_plan(self, record: dict[str, Any]) -> None:
        """Keep the plan, for the report."""
        with sealing(self.plan) as temporary:
            temporary.write_text(to_json({**record, "seal": BLANK}, indent=2) + "\n", encoding="utf-8")

    def keep(self, name: str, file: Path) -> None:
        """Copy what the study was made of into ``inputs``, for those who are given the results alone."""
        with replacing(self.folder / "inputs" / name) as temporary:
            temporary.write_bytes(file.read_bytes())

    def read_plan(self) -> dict[str, Any]:
        """The plan of the last run.

        Raises:
            StudyError: there is none.
        """
        from srlens.study.plan import PLAN_FORMAT

        try:
            record = json.loads(self.plan.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise StudyError(f"{self.folder} holds no study that was run (no readable plan.json).") from error
        if not isinstance(record, dict) or record.get("format") != PLAN_FORMAT or not is_whole(self.plan):
            raise StudyError(
                f"{self.plan} is damaged or of another version of srlens; run the study again with --resume."
            )
        return record

    def read_parts(self, jobs: Iterable[str], damaged: Collection[Path] | None = None) -> "polars.DataFrame":
        """The rows of the jobs that are done, in the order of the ids; a damaged part counts as missing.

        Who has looked for :meth:`damaged` files gives them, so that no file is hashed twice.
        """
        from srlens.extras import polars

        if damaged is None:
            done = self.done(jobs, maps=False)
        else:
            done = {job for job in jobs if (part := self.part(job)).exists() and part not in damaged}
        nothing = polars.DataFrame(schema=polars_schema(columns()))
        return polars.concat([nothing, *_read([self.part(job) for job in sorted(done)])])

    def log(self, entry: Mapping[str, Any], name: str = "log") -> None:
        """Append one line to ``log.jsonl`` (seconds of jobs) or ``runs.jsonl``: times, which are no part of results."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / f"{name}.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")

    def runs(self) -> list[Run]:
        """When and how the study was run, the first run first; what cannot be read is left out."""
        found: list[Run] = []
        with suppress(OSError):
            for line in (self.folder / "runs.jsonl").read_text(encoding="utf-8", errors="replace").splitlines():
                with suppress(ValueError):
                    found.append(json.loads(line))
        return [run for run in found if isinstance(run, dict)]

    def clean(self) -> None:
        """Remove unfinished files that nobody works on any more."""
        now = time.time()
        for name in ("parts", "maps", "places", "failures"):
            for file in (self.folder / name).glob(".*.tmp"):
                with suppress(OSError):
                    if now - file.stat().st_mtime > _STALE:
                        file.unlink()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Within the block no other run may work in this folder.

        Raises:
            StudyError: another one does.
        """
        try:
            import fcntl
        except ImportError:  # Windows: two runs at once would only compute a job twice
            yield
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "run.lock").open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise StudyError(
                    f"Another run is working in {self.folder}. Wait for it, or choose another folder."
                ) from None
            except OSError:  # file systems without locks
                pass
            yield


@dataclass(frozen=True)
class Kept:
    """A store that was searched for damage, so that no file need be hashed again.

    Attributes:
        store: the folder.
        damaged: what :meth:`Store.damaged` found.
    """

    store: Store
    damaged: frozenset[Path]

    def whole(self, file: Path) -> bool:
        """Whether a file that was searched is there and not damaged."""
        return file.exists() and file not in self.damaged


def _listed(folder: Path, suffix: str) -> set[str]:
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries]
    except FileNotFoundError:
        return set()
    return {name.removesuffix(suffix) for name in names if name.endswith(suffix) and not name.startswith(".")}


def _read(files: list[Path]) -> "list[polars.DataFrame]":
    """Rows with the columns of today: parts may lack a plug-in's, or have those of one that is not loaded now.

    Where one cannot be read all the same they are read one by one, without it.
    """
    from srlens.extras import polars

    try:
        rows = polars.scan_parquet(
            files, schema=polars_schema(columns()), missing_columns="insert", extra_columns="ignore"
        )
        return [rows.collect()] if files else []
    except (polars.exceptions.PolarsError, polars.exceptions.PanicException, OSError):
        return [frame for file in files for frame in _read([file])] if len(files) > 1 else []
