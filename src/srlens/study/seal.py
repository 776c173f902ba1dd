"""Files that say themselves whether they are whole: each holds the SHA-256 of its name and of all its other bytes.

So one rule finds every kind of damage, in every format that has room for a line of text: flipped bits, lost ends, empty
files, and the whole file of another job under this one's name.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from srlens.atomic import replacing

_MARK = "sha256 of name and rest: "

#: What is written where the checksum will stand.
BLANK = _MARK + 64 * "0"


@contextmanager
def sealing(path: Path) -> Iterator[Path]:
    """:func:`srlens.atomic.replacing` for a file that holds :data:`BLANK` once, which becomes its checksum."""
    with replacing(path) as temporary:
        yield temporary
        content = temporary.read_bytes()
        temporary.write_bytes(content.replace(BLANK.encode(), _checksum(path.name, content), 1))


def is_whole(path: Path) -> bool:
    """Whether a file is there as :func:`sealing` wrote it, to the last bit, under the name that it was written for."""
    try:
        content = path.read_bytes()
    except OSError:
        return False
    start = content.find(_MARK.encode())
    found = content[start : start + len(BLANK)]
    return start >= 0 and found == _checksum(path.name, content.replace(found, BLANK.encode(), 1))


def _checksum(name: str, blank: bytes) -> bytes:
    return (_MARK + hashlib.sha256(name.encode() + b"\0" + blank).hexdigest()).encode()
