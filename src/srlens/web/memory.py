"""A bound on the memory of the server process: an allocation beyond it fails, instead of the machine."""

import re
import sys
from pathlib import Path

_SHARE = 0.8  # of what is free at the start


def bound_memory(share: float = _SHARE) -> int | None:
    """Limit the private memory of this process to what it has now and a share of what is free; the bytes allowed.

    Linux only (None elsewhere): the limit counts memory that is written to, not address space, so that a GPU's
    mappings do not use it up.
    """
    if not sys.platform.startswith("linux"):
        return None
    import resource

    free, held = _kibibytes("/proc/meminfo", "MemAvailable"), _kibibytes("/proc/self/status", "VmData")
    if free is None or held is None:
        return None
    wanted = int(1024 * (held + share * free))
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (allowed, hard))
    return allowed


def _kibibytes(file: str, name: str) -> int | None:
    try:
        found = re.search(rf"^{name}:\s*(\d+)", Path(file).read_text(encoding="ascii"), re.MULTILINE)
    except OSError:
        return None
    return int(found[1]) if found else None
