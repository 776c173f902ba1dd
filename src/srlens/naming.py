"""One rule for what is named by a name, or by a name or a file: names that srlens knows come first."""

import os
import warnings
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, TypeVar

from srlens.errors import AmbiguousNameWarning, SettingError

_T = TypeVar("_T")


def look_up(what: str, name: Any, table: Mapping[str, _T], hint: str = "") -> _T:
    """What has this name in a table of them; ``what`` ("detector") is the word for it in messages.

    Raises:
        SettingError: nothing has; the message lists the names, and ends in ``hint``.
    """
    if not isinstance(name, str) or name not in table:
        raise SettingError(f"No {what} is called {name!r}; known: {', '.join(table)}.{hint}")
    return table[name]


def known_name(given: str | os.PathLike[str], names: Collection[str]) -> str | None:
    """The name that is meant, where ``given`` is one of ``names``; None where it is a path.

    Text that is a known name means what has that name, in every verb, whatever files there are. A file of that name is
    written with its folder (``"./plain"``), or given as a :class:`~pathlib.Path`.

    Warns:
        AmbiguousNameWarning: the current folder holds a file of that name, which is left aside.
    """
    if not isinstance(given, str) or given not in names:
        return None
    if Path(given).exists():
        warnings.warn(
            f"{given!r} is taken as the name that srlens knows; the file of that name in {Path.cwd()} is left aside. "
            f"Write ./{given} for the file.",
            AmbiguousNameWarning,
            stacklevel=3,
        )
    return given
