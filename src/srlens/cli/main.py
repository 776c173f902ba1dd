"""The root of the command line: verbs, and what happens to errors."""

import os
import sys
import warnings
from io import TextIOWrapper
from typing import Any

from cyclopts import App

from srlens._version import __version__
from srlens.cli.console import TABLES, console, say
from srlens.errors import SrlensError, SrlensWarning
from srlens.plugins import load_plugins

app = App(
    name="srlens",
    help="Which input pixels did a network use to enlarge or restore a picture? Attribution maps with error bars.",
    version=__version__,
    suppress_keyboard_interrupt=False,  # main says what became of the files
)
#: Each verb: where it is, and what it does.
VERBS: dict[str, tuple[str, str]] = TABLES["verbs"]
for _name, (_place, _line) in VERBS.items():
    app.command(f"srlens.cli.{_place}", name=_name, help=_line)
app.register_install_completion_command(help="Complete verbs and options by the Tab key: bash, zsh, fish.")


def main() -> None:
    """Run the command line. The user's mistakes end in one line and exit code 2, without a traceback."""
    warnings.showwarning = _show_warning
    os.environ["MPLBACKEND"] = "agg"  # figures become files; a notebook's backend may not be installed beside srlens
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # what an old encoding lacks is written as Python does on standard error
            stream.reconfigure(errors="backslashreplace")
    try:
        try:
            load_plugins()
            app()
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        console().on_broken_pipe()  # whoever reads has read enough
    except (SrlensError, OSError) as error:
        # A full disk, a folder without write permission: the system's sentence is the right one.
        say(f"srlens: {type(error).__name__}: {error}", error=True, style="red")
        sys.exit(2 if isinstance(error, SrlensError) else 1)
    except KeyboardInterrupt:
        say("srlens: interrupted; finished files are kept", error=True)
        sys.exit(130)


def _show_warning(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, *_: Any, **__: Any
) -> None:
    """Our own warnings as one sentence; those of libraries as Python prints them."""
    if issubclass(category, SrlensWarning):
        say(f"warning: {category.__name__}: {message}", error=True, style="yellow")
    else:
        sys.stderr.write(warnings.formatwarning(message, category, filename, lineno))


if __name__ == "__main__":
    main()
