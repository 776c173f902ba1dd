"""Networks by name: those that ship with srlens, and published checkpoints, which are fetched once."""

import hashlib
import os
import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any, Literal
from urllib.parse import urlsplit

from srlens.errors import CatalogError

#: Environment variable that moves the cache folder.
CACHE_VARIABLE = "SRLENS_CACHE"

Task = Literal["sr", "denoise"]

#: The entries that ship with srlens and are compared unless others are chosen, for each task from the narrowest view to
#: the widest; their weights lie in the package.
SHIPPED_FOR: dict[Task, tuple[str, ...]] = {
    "sr": ("plain", "channel", "nonlocal"),
    "denoise": ("denoise-plain", "denoise-nonlocal"),
}
#: How the pictures of each task are made, as a degradation is written; None: as for super-resolution in general.
MADE_BY: dict[Task, str | None] = {"sr": None, "denoise": "noise:25"}
#: Those that are only chosen by name: maps of a diffusion network need several seeds.
APART: dict[Task, tuple[str, ...]] = {"sr": ("diffusion",)}
#: All of them, task by task.
SHIPPED: tuple[str, ...] = tuple(name for task, usual in SHIPPED_FOR.items() for name in (*usual, *APART.get(task, ())))

_TIMEOUT = 30  # seconds without an answer
_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint that has a name.

    Attributes:
        name: in the catalogue, e.g. ``"imdn-x4"``.
        family: the architecture, as in :attr:`Network.family`.
        scales: SR pixels per LR pixel; several where one file serves several.
        url: the file itself; a path in the package for one that ships with srlens.
        sha256: of the file, hex: all of it, or the first eight digits that its authors put into the file name;
            None where none is known.
        size: of the file in bytes; None where unknown.
        licence: of the weights, as their repository states it; ``"none stated"`` where it does not.
        value_range: the largest input value that the bare module works with, once loaded (1.0 or 255.0).
        repository: who publishes it.
        psnr: in dB on Set5, Y channel; at scale 4 where the file holds several; None where it is not known, or the
            training aimed at looks.
        psnr_source: ``"paper"``, or ``"measured"`` with the authors' own code; None where there is no PSNR.
        note: one sentence, may be empty.
        title: what the network is called in reports and pictures, where that is not ``name``; names it as well.
        kind: how a shipped network gathers context; empty for others, whose file tells.
        receptive_field: of a shipped network, as a table prints it; likewise.
    """

    name: str
    family: str
    scales: tuple[int, ...]
    url: str
    sha256: str | None
    size: int | None
    licence: str
    value_range: float
    repository: str
    psnr: float | None = None
    psnr_source: str | None = None
    note: str = ""
    title: str = ""
    kind: str = ""
    receptive_field: str = ""

    @property
    def shipped(self) -> bool:
        """Whether it is part of srlens and needs no download."""
        return self.name in SHIPPED

    @property
    def source(self) -> str:
        """Where it comes from, for records."""
        return f"{self.title} (shipped with srlens)" if self.shipped else f"{self.name} ({self.url})"

    @property
    def file_name(self) -> str:
        """In the cache: the catalogue name with the suffix of the published file."""
        return self.name + PurePosixPath(urlsplit(self.url).path).suffix

    def is_hash_of(self, sha256: str) -> bool:
        """Whether a file with that SHA-256 (hex, in full) is this one; never, where no hash is known."""
        return self.sha256 is not None and sha256.startswith(self.sha256)


@cache
def catalog() -> dict[str, Checkpoint]:
    """Every checkpoint that srlens can open by its name: shipped ones, then those that it can fetch."""
    entries = tomllib.loads((_HERE / "catalog.toml").read_text(encoding="utf-8"))["checkpoint"]
    return {entry["name"]: Checkpoint(**{key: _typed(value) for key, value in entry.items()}) for entry in entries}


def _typed(value: Any) -> Any:
    """TOML has neither tuples nor None."""
    return tuple(value) if isinstance(value, list) else None if value == "unknown" else value


def published() -> dict[str, Checkpoint]:
    """The entries that are downloaded from their authors."""
    return {name: entry for name, entry in catalog().items() if not entry.shipped}


def shipped_name(name: str) -> str | None:
    """The short name of a shipped network given by either name (``"plain"``, ``"srlens-plain-x4"``), else None."""
    entry = find_entry(name)
    return entry.name if entry is not None and entry.shipped else None


def catalog_names() -> list[str]:
    """Every name and title in the catalogue."""
    return [name for entry in catalog().values() for name in (entry.name, entry.title) if name]


def find_entry(name: str) -> Checkpoint | None:
    """The entry of that name or title, if there is one."""
    entries = catalog()
    return entries.get(name) or next((entry for entry in entries.values() if name and entry.title == name), None)


def find_by_sha256(sha256: str) -> Checkpoint | None:
    """The catalogue entry of a file with that hash, if it is one."""
    return next((entry for entry in catalog().values() if entry.is_hash_of(sha256)), None)


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def cache_folder() -> Path:
    """Where fetched checkpoints are kept: ``SRLENS_CACHE``, or the system's cache folder for srlens."""
    chosen = os.environ.get(CACHE_VARIABLE)
    if chosen:
        return Path(chosen).expanduser()
    from srlens.extras import pooch

    return Path(pooch.os_cache("srlens"))


def fetch(name: str, folder: str | os.PathLike[str] | None = None) -> Path:
    """The file of a published checkpoint, downloaded only where it is not there yet.

    Args:
        name: in the catalogue.
        folder: where to keep it; :func:`cache_folder` by default.

    Returns:
        The path; its content has the published hash, where one is known. A shipped file stays where it is.

    Raises:
        CatalogError: no such name; the file cannot be downloaded; it has another hash than published.
    """
    entry = catalog().get(name)
    if entry is not None and entry.shipped:
        return _HERE / entry.url
    if entry is None:
        close = get_close_matches(name, catalog(), n=3, cutoff=0.4)
        hint = f"Did you mean {' or '.join(close)}?" if close else f"There are: {', '.join(published())}."
        raise CatalogError(f"The catalogue has no checkpoint {name!r}. {hint}")
    return download(entry, cache_folder() if folder is None else Path(folder))


def download(entry: Checkpoint, folder: Path) -> Path:
    """Fetch one entry into a folder; see :func:`fetch`."""
    path = folder / entry.file_name
    if path.is_file():
        _check(entry, path, "Remove it and fetch again.")
        return path
    # Under another name first: a wrong file must never be found under the right one.
    arriving = _retrieve(entry, folder)
    try:
        _check(
            entry,
            arriving,
            f"That is what {entry.url} sends now; nothing was kept. Its authors may have replaced the file: if you "
            "trust it, download it by hand and open it by its path.",
        )
        arriving.replace(path)
    finally:
        arriving.unlink(missing_ok=True)
    return path


def _check(entry: Checkpoint, path: Path, remedy: str) -> None:
    if entry.sha256 is not None and not entry.is_hash_of(found := file_sha256(path)):
        raise CatalogError(
            f"{path} is not the published {entry.name}: its SHA-256 is {found}, expected {entry.sha256}. {remedy}"
        )


def _retrieve(entry: Checkpoint, folder: Path) -> Path:
    from srlens.extras import pooch

    pooch.get_logger().setLevel("WARNING")  # it would announce every download on stderr
    try:
        return Path(
            pooch.retrieve(
                entry.url,
                known_hash=None,  # checked here, since the catalogue holds shortened hashes as well
                fname=f".{entry.file_name}.{os.getpid()}",
                path=folder,
                downloader=pooch.HTTPDownloader(chunk_size=1 << 16, timeout=_TIMEOUT),
            )
        )
    except PermissionError as error:
        raise CatalogError(f"{folder} cannot be written to. Choose another folder, or set {CACHE_VARIABLE}.") from error
    except OSError as error:
        raise CatalogError(
            f"{entry.name} cannot be fetched from {entry.url} ({_reason(error)}). Without network, put that file at "
            f"{folder / entry.file_name} (SHA-256 {entry.sha256 or 'unknown'}), or open it by its path."
        ) from error


def _reason(error: OSError) -> str:
    """The first line of the innermost cause: what the system said."""
    cause: BaseException = error
    while (inner := cause.__cause__ or cause.__context__) is not None:
        cause = inner
    return f"{type(cause).__name__}: {str(cause).splitlines()[0] if str(cause) else 'no reason given'}"
