"""Words for the terminal, printed as they are: no bracket of a path or a message is taken for markup."""

import tomllib
from importlib.resources import files
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

#: The verbs, and the headings of lists.
TABLES: dict[str, Any] = tomllib.loads(files(__package__).joinpath("tables.toml").read_text(encoding="utf-8"))


def console(*, error: bool = False) -> Console:
    """Standard output, or standard error."""
    return Console(stderr=error, markup=False, highlight=False, emoji=False)


def say(*words: Any, error: bool = False, **style: Any) -> None:
    """One line however long, so that what reads it finds paths whole."""
    console(error=error).print(*words, soft_wrap=True, **style)


def table(title: str, caption: str | None = None, **more: Any) -> Table:
    """An empty table; without frames eight columns fit into 80 characters."""
    left: Any = {"title_justify": "left", "caption_justify": "left"}
    return Table(title=title, caption=caption, box=SIMPLE_HEAD, padding=(0, 1, 0, 0), **left, **more)
