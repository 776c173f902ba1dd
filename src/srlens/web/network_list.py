"""The networks that the page offers: a fixed list of names, never a path from a browser."""

import threading
from functools import lru_cache, partial
from pathlib import Path

from srlens.errors import CheckpointError, SettingError
from srlens.imaging.degrade import default_degradation, parse_degradation
from srlens.networks.catalog import APART, MADE_BY, SHIPPED, SHIPPED_FOR, Task, find_entry
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
        self._scales: dict[str, int] = {}  # of the files that were opened
        self._opened = lru_cache(_KEPT_OPEN)(partial(open_network, device=device))
        self._lock = threading.Lock()  # two tabs that ask for one network get one

    @property
    def names(self) -> tuple[str, ...]:
        """All names, the shipped networks first."""
        return (*SHIPPED, *self._files)

    def scale(self, name: str) -> int | None:
        """Of the network of that name, where it is known without opening a file."""
        entry = find_entry(name) if name not in self._files else None
        return entry.scales[0] if entry is not None else self._scales.get(name)

    def open(self, name: str) -> Network:
        """The network of that name.

        Raises:
            SettingError: no network of the list has that name.
            SrlensError: see :func:`srlens.open_network`.
        """
        if name not in self.names:
            raise SettingError(f"This page has no network {name!r}; choose from its list, or add the file.")
        with self._lock:
            network = self._opened(self._files.get(name, name))
            self._scales[name] = network.scale
            return network


def shipped_for(degradation: str) -> tuple[str, ...]:
    """The shipped networks that are chosen, unless others are, for the task of a degradation; none for most."""
    return tuple(network for task in _tasks_of(degradation) for network in SHIPPED_FOR[task])


def trained_for(degradation: str) -> tuple[str, ...]:
    """All shipped networks that were trained for the task of a degradation; none for most."""
    apart = (network for task in _tasks_of(degradation) for network in APART.get(task, ()))
    return (*shipped_for(degradation), *apart)


def _tasks_of(degradation: str) -> tuple[Task, ...]:
    """Those tasks of shipped networks whose pictures are made in the way of a degradation."""
    asked = parse_degradation(degradation).entry.task
    made = {task: parse_degradation(default_degradation(None, how)).entry.task for task, how in MADE_BY.items()}
    return tuple(task for task, one in made.items() if one == asked)


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
