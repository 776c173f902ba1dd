"""Results on disk: one Parquet part and one map a job, whole or not at all."""

import json
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from srlens.atomic import replacing
from srlens.comparison.table import polars_schema, typed_frame
from srlens.errors import StudyError
from srlens.records.archive import save_json
from srlens.study.row import columns

if TYPE_CHECKING:
    import polars

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

    ``parts/ID.parquet`` is written last: a job is done when it exists. ``maps/ID.safetensors``, ``places/ID.png``
    (the picture around a window), ``failures/ID.json``, ``plan.json``. Files in the making end in ``.tmp`` and are
    never read.

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

    def done(self, jobs: Iterable[str], *, maps: bool) -> set[str]:
        """Those of the jobs whose part is there and whole (and whose map is there)."""
        parts = _listed(self.folder / "parts", ".parquet")
        kept = _listed(self.folder / "maps", ".safetensors") if maps else None
        wanted = (job for job in jobs if job in parts and (kept is None or job in kept))
        return {job for job in wanted if _is_whole(self.part(job))}

    def write_part(self, row: dict[str, Any]) -> None:
        """Write the row of a job; from now on it is done."""
        frame = typed_frame([row], columns())
        with replacing(self.part(row["job"])) as temporary:
            frame.write_parquet(temporary, compression="zstd", statistics=False)

    def write_failure(self, failure: Failure) -> None:
        """Record why a job failed."""
        save_json(asdict(failure), self.failure(failure.job))

    def failures(self, jobs: Iterable[str]) -> list[Failure]:
        """The recorded failures of these jobs, but for those that are done by now."""
        names = _listed(self.folder / "failures", ".json")
        found = []
        for job in jobs:
            if job in names and not self.part(job).exists():
                try:
                    found.append(Failure(**json.loads(self.failure(job).read_text(encoding="utf-8"))))
                except (OSError, ValueError, TypeError):
                    continue  # a record that cannot be read says nothing; the job counts as missing
        return found

    def write_plan(self, record: dict[str, Any]) -> None:
        """Keep the plan, for the report."""
        save_json(record, self.plan)

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
        if not isinstance(record, dict) or record.get("format") != PLAN_FORMAT:
            raise StudyError(f"{self.plan} is of another version of srlens; run the study again with --resume.")
        return record

    def read_parts(self, jobs: Iterable[str]) -> "polars.DataFrame":
        """The rows of the jobs that are done, in the order of the ids; a damaged part counts as missing."""
        from srlens.extras import polars

        present = _listed(self.folder / "parts", ".parquet")
        files = [self.part(job) for job in sorted(set(jobs) & present)]
        nothing = polars.DataFrame(schema=polars_schema(columns()))
        return polars.concat([nothing, *_read([file for file in files if _is_whole(file)])])

    def log(self, entry: dict[str, Any]) -> None:
        """Append one line to ``log.jsonl``: times, which are no part of the results."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")

    def clean(self) -> None:
        """Remove unfinished files that nobody works on any more."""
        now = time.time()
        for name in ("parts", "maps", "places", "failures"):
            for file in (self.folder / name).glob(".*.tmp"):
                try:
                    if now - file.stat().st_mtime > _STALE:
                        file.unlink()
                except OSError:
                    continue

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


def _listed(folder: Path, suffix: str) -> set[str]:
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries]
    except FileNotFoundError:
        return set()
    return {name.removesuffix(suffix) for name in names if name.endswith(suffix) and not name.startswith(".")}


def _is_whole(part: Path) -> bool:
    """Whether a Parquet file has its end: its last four bytes are a mark."""
    try:
        with part.open("rb") as file:
            if file.seek(0, os.SEEK_END) < 12:
                return False
            file.seek(-4, os.SEEK_END)
            return file.read(4) == b"PAR1"
    except OSError:
        return False


def _read(files: list[Path]) -> "list[polars.DataFrame]":
    """Rows with the columns of today: parts may lack a plug-in's, or have those of one that is not loaded now.

    Where one of them is damaged they are read one by one, without it.
    """
    from srlens.extras import polars

    try:
        rows = polars.scan_parquet(
            files, schema=polars_schema(columns()), missing_columns="insert", extra_columns="ignore"
        )
        return [rows.collect()] if files else []
    except (polars.exceptions.PolarsError, OSError):
        return [frame for file in files for frame in _read([file])] if len(files) > 1 else []
