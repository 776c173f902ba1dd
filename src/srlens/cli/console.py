"""Words for the terminal, printed as they are: no bracket of a path or a message is taken for markup."""

from typing import Any

from rich.console import Console


def console(*, error: bool = False) -> Console:
    """Standard output, or standard error."""
    return Console(stderr=error, markup=False, highlight=False, emoji=False)


def say(*words: Any, error: bool = False, **style: Any) -> None:
    """One line however long, so that what reads it finds paths whole."""
    console(error=error).print(*words, soft_wrap=True, **style)
