"""The root of the command line: verbs, and what happens to errors."""

import sys
import warnings

from cyclopts import App
from rich.console import Console

from srlens._version import __version__
from srlens.errors import SrlensError, SrlensWarning
from srlens.plugins import load_plugins

app = App(
    name="srlens",
    help="Which input pixels did a super-resolution network use? Local attribution maps with error bars.",
    version=__version__,
)
#: Each verb: where it is (imported only when it is called, so that --help is quick), and what it does.
VERBS = {
    "explain": ("explain:explain", "Which input pixels did one network use for one window? Map, figure, record."),
    "compare": ("compare:compare", "The same for several networks side by side, with tables and sweeps."),
    "field": ("field:field", "How widely a network looks, over the whole image."),
    "field-of-view": ("field_of_view:field_of_view", "How far networks could look, and how far they do."),
    "demo": ("demo:demo", "The three shipped networks on a packaged photograph; no download."),
    "mine": ("mine:mine", "Find hard windows in many pictures, for studies."),
    "study": ("study:app", "Many networks × many windows: run, report."),
    "networks": ("networks:app", "What can be opened, what a file is, published checkpoints."),
    "app": ("app:app", "The web page."),
}
for _name, (_place, _line) in VERBS.items():
    app.command(f"srlens.cli.{_place}", name=_name, help=_line)


def main() -> None:
    """Run the command line. The user's mistakes end in one line and exit code 2, without a traceback."""
    errors = Console(stderr=True)
    warnings.showwarning = _show_warning
    try:
        load_plugins()
        app()
    except SrlensError as error:
        errors.print(f"[bold red]srlens:[/] {type(error).__name__}: ", end="", highlight=False)
        errors.print(str(error), markup=False, highlight=False, soft_wrap=True)
        sys.exit(2)
    except OSError as error:
        # A full disk, a folder without write permission: the system's sentence is the right one.
        errors.print(f"[bold red]srlens:[/] {type(error).__name__}: ", end="", highlight=False)
        errors.print(str(error), markup=False, highlight=False, soft_wrap=True)
        sys.exit(1)
    except KeyboardInterrupt:
        errors.print("srlens: interrupted; finished files are kept")
        sys.exit(130)


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: object = None,  # noqa: ARG001 - the signature of warnings.showwarning
    line: str | None = None,
) -> None:
    """Our own warnings as one sentence; those of libraries as Python prints them."""
    if issubclass(category, SrlensWarning):
        Console(stderr=True).print(f"[bold yellow]warning:[/] {category.__name__}: {message}", highlight=False)
    else:
        sys.stderr.write(warnings.formatwarning(message, category, filename, lineno, line))


if __name__ == "__main__":
    main()
