"""The networks that the page offers: a fixed list of names, never a path from a browser."""

import threading
from functools import lru_cache, partial
from pathlib import Path

from srlens.errors import CheckpointError, SettingError
from srlens.networks.catalog import SHIPPED_FOR
from srlens.networks.device import Device
from srlens.networks.network import Network
from srlens.networks.open import open_network

#: Network files by the ends of their names.
SUFFIXES = (".pth", ".pt", ".ckpt", ".bin", ".safetensors")

_KEPT_OPEN = 8


class NetworkList:
    """Shipped networks, and the network files of one folder; opened when needed, the latest kept open."""

    def __init__(self, folder: Path | None = None, device: Device = None) -> None:
        self._files = _network_files(folder) if folder is not None else {}
        self._opened = lru_cache(_KEPT_OPEN)(partial(open_network, device=device))
        self._lock = threading.Lock()  # two tabs that ask for one network get one

    @property
    def names(self) -> tuple[str, ...]:
        """All names, the shipped networks first."""
        return (*SHIPPED_FOR["sr"], *self._files)

    def open(self, name: str) -> Network:
        """The network of that name.

        Raises:
            SettingError: no network of the list has that name.
            SrlensError: see :func:`srlens.open_network`.
        """
        if name not in self.names:
            raise SettingError(f"This page has no network {name!r}; choose from its list, or add the file.")
        with self._lock:
            return self._opened(self._files.get(name, name))


def _network_files(folder: Path) -> dict[str, Path]:
    """The network files directly in the folder, by name.

    Raises:
        CheckpointError: no such folder, or none in it.
    """
    if not folder.is_dir():
        raise CheckpointError(f"There is no folder {folder}. Give one that holds network files.")
    files = {
        file.name: file
        for file in sorted(folder.iterdir())
        if file.suffix.lower() in SUFFIXES and file.is_file() and not file.name.startswith(".")
    }
    if not files:
        raise CheckpointError(f"{folder} holds no network file ({', '.join(SUFFIXES)}).")
    return files
