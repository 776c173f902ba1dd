"""How and when a study was run: what results do not depend on, but who repeats it wants to know."""

import platform
from datetime import UTC, datetime

from srlens._version import __version__

Run = dict[str, str | None]


def run_record(command: str | None) -> Run:
    """The time, the machine, and the command that was typed; None where the study was run from Python."""
    return {
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command,
        "srlens": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
    }
