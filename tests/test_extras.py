"""A lean core: what is declared is what is imported, and a library that is missing is named with its extra."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from srlens import extras
from srlens.errors import MissingExtraError

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LIBRARIES = [(library, extra) for extra, libraries in extras.EXTRAS.items() for library in libraries]


def declared(requirements: list[str]) -> set[str]:
    """Import names of what is required, without srlens's own extras."""
    names = {re.split(r"[>=\[]", requirement)[0].replace("-", "_") for requirement in requirements}
    return {"PIL" if name == "pillow" else name for name in names - {"srlens"}}


def imports(tree: ast.AST) -> Iterator[str]:
    """Top-level names of all imports that are executed."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            for other in node.orelse:
                yield from imports(other)
        elif isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "srlens.extras":
            yield from (f"extra {alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").partition(".")[0]
        else:
            yield from imports(node)


def test_each_import_is_declared_and_each_declaration_imported() -> None:
    files = sorted((ROOT / "src" / "srlens").rglob("*.py"))
    found = {name for file in files for name in imports(ast.parse(file.read_text()))}
    outside = found - set(sys.stdlib_module_names) - {"srlens"}
    core = declared(PROJECT["dependencies"])
    asked = {f"extra {library}" for library, _ in LIBRARIES}
    assert outside <= core | asked | {"gradio", "starlette"}  # the page, which srlens.web.server opens if it can
    assert core | asked <= outside | {"extra EXTRAS"}


def test_the_table_is_that_of_the_project() -> None:
    optional = PROJECT["optional-dependencies"]
    assert {extra: declared(optional[extra]) for extra in extras.EXTRAS} == {
        extra: set(libraries) for extra, libraries in extras.EXTRAS.items()
    }


@pytest.mark.parametrize(("library", "extra"), LIBRARIES)
def test_a_missing_library_is_named_with_its_extra(library: str, extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingExtraError, match=rf"needs {library} .*pip install 'srlens\[{extra}\]'"):
        getattr(extras, library)


def test_nothing_else_is_an_extra() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        extras.nonsense  # noqa: B018


@pytest.mark.parametrize(
    ("words", "library"),
    [
        (("compare", "plain", "pagoda", "--steps", "500"), "polars"),
        (("field", "plain", "pagoda", "--steps", "500"), "polars"),
        (("field-of-view", "plain", "--steps", "500"), "polars"),
        (("study", "schema"), "pydantic"),
        (("networks", "fetch", "imdn-x4"), "pooch"),
        (("app",), "gradio"),
    ],
)
def test_a_verb_says_so_in_one_sentence_before_it_computes(
    words: tuple[str, ...], library: str, tmp_path: Path
) -> None:
    program = (
        f"import sys; sys.modules[{library!r}] = None; sys.argv = ['srlens', *{words!r}]\n"
        "from srlens.cli.main import main; main()"
    )
    command = [sys.executable, "-c", program]
    run = subprocess.run(command, check=False, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert run.returncode == 2
    assert f"MissingExtraError: This needs {library}" in run.stderr
    assert len(run.stderr.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
