"""What the page remembers of each open tab, bounded in number and bytes."""

import dataclasses
import shutil
import threading
import time
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from srlens.attribution.field import Field
from srlens.comparison.compare import Comparison
from srlens.networks.network import Network
from srlens.web.choices import Choices
from srlens.web.limits import Limits


@dataclass(frozen=True, eq=False)
class Picture:
    """The picture of a tab.

    Attributes:
        name: of the packaged photograph or the user's file, without folders.
        image: C×H×W in [0, 1].
        digest: SHA-256 of the file.
    """

    name: str
    image: Tensor
    digest: str | None = None


@dataclass(eq=False)
class Session:
    """One open tab.

    Attributes:
        picture: chosen last.
        uploads: the tab's own networks, by file name.
        comparison: computed last, with the choices that it was computed from.
        field: computed last, with what it was computed of and the network's name on the list.
        cancel: of the run in progress; set to stop it.
        folder: files for download; removed with the session.
        closed: the tab is gone.
        touched: when the tab was heard of last.
    """

    picture: Picture | None = None
    uploads: dict[str, Network] = dataclasses.field(default_factory=dict)
    comparison: tuple[Choices, Comparison] | None = None
    field: tuple[Hashable, str, Field] | None = None
    cancel: threading.Event = dataclasses.field(default_factory=threading.Event)
    folder: Path | None = None
    closed: bool = False
    touched: float = dataclasses.field(default_factory=time.monotonic)

    def begin(self) -> threading.Event:
        """Stop what runs in this tab, and give the next run its own flag."""
        self.cancel.set()
        self.cancel = threading.Event()
        return self.cancel

    def close(self) -> None:
        """Stop the run, remove the files."""
        self.closed = True
        self.cancel.set()
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)

    def kept(self, files: list[Path]) -> list[Path]:
        """The files just written; none, and they are removed, if the tab was closed meanwhile."""
        if not self.closed:
            return files
        self.close()
        return []

    @property
    def size(self) -> int:
        """Bytes of picture, networks and results."""
        tensors = [self.picture.image] if self.picture is not None else []
        if self.comparison is not None:
            result = self.comparison[1]
            tensors += [result.subject.lr, *(row.sr for row in result.rows)]
        weights = sum(p.nbytes for network in self.uploads.values() for p in network.module.parameters())
        return sum(tensor.nbytes for tensor in tensors) + weights


class Sessions:
    """All open tabs, by the name that the server gave them."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._all: dict[str, Session] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._all)

    def of(self, name: str) -> Session:
        """The tab's session, a new one at first; the ones idle longest make room."""
        with self._lock:
            session = self._all.setdefault(name, Session())
            session.touched = time.monotonic()
            self._make_room(keep=name)
            return session

    def drop(self, name: str) -> None:
        """Forget a closed tab."""
        with self._lock:
            session = self._all.pop(name, None)
        if session is not None:
            session.close()

    def close(self) -> None:
        """Forget all."""
        for name in list(self._all):
            self.drop(name)

    def _make_room(self, keep: str) -> None:
        idle = sorted((name for name in self._all if name != keep), key=lambda name: self._all[name].touched)
        held = sum(session.size for session in self._all.values())
        while idle and (len(self._all) > self._limits.sessions or held > self._limits.session_bytes):
            session = self._all.pop(idle.pop(0))
            held -= session.size
            session.close()
