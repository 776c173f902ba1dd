"""The local file of a network that was named by an address, and what records say of where it came from."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Origin:
    """A file that was fetched.

    Attributes:
        path: where it is.
        source: where it came from, for records; with everything that tells it from another version.
        name: what the network is called, where the file's name says nothing of it; else None.
    """

    path: Path
    source: str
    name: str | None = None
