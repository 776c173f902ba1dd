"""The public face: names, order, what an import costs, and the layers."""

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import srlens
import srlens.errors
from srlens.cli.main import VERBS

HEAVY = ("matplotlib", "spandrel", "scipy", "pydantic", "polars", "gradio", "skimage", "torchvision", "torch")


def test_all_is_sorted_and_without_repetition() -> None:
    names = [name for name in srlens.__all__ if name != "__version__"]
    assert names == sorted(set(names))


@pytest.mark.parametrize("name", srlens.__all__)
def test_every_name_can_be_imported(name: str) -> None:
    value = getattr(srlens, name)
    assert getattr(srlens, name) is value
    assert name in dir(srlens) or name == "__version__"
    if callable(value):
        assert value.__name__ == name
        assert value.__module__.startswith("srlens.")
        assert value.__doc__


def test_star_import() -> None:
    names: dict[str, object] = {}
    exec("from srlens import *", names)
    assert set(srlens.__all__) <= set(names)


def test_every_error_and_warning_is_exported() -> None:
    raised = {value.__name__ for value in vars(srlens.errors).values() if isinstance(value, type)}
    assert raised <= set(srlens.__all__)


def test_every_verb_of_the_command_line_is_a_function() -> None:
    """The table in the package's docstring names what each verb does, and all of it is exported."""
    rows = dict(re.findall(r"^``([\w-]+)``((?:.*\n)(?:  +.*\n)*)", srlens.__doc__, re.MULTILINE))
    assert set(rows) == set(VERBS)
    for verb, line in rows.items():
        functions = re.findall(r":func:`(\w+)`", line)
        assert functions, verb
        assert all(callable(getattr(srlens, name)) for name in functions), verb


def test_files_are_named_by_text_or_path_alike() -> None:
    """Wherever a public function takes a path, a string does."""
    for name in srlens.__all__:
        value = getattr(srlens, name)
        if inspect.isfunction(value):
            for key, parameter in inspect.signature(value).parameters.items():
                taken = str(parameter.annotation)
                assert "Path" not in taken or "str" in taken, f"{name}({key}: {taken})"


def test_unknown_names() -> None:
    with pytest.raises(AttributeError, match="No srlens attribute nonsense"):
        srlens.nonsense  # noqa: B018


def test_version() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+([a-z0-9.+-]*)", srlens.__version__)


def test_import_is_light() -> None:
    run = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "import srlens"], capture_output=True, text=True, check=True
    )
    imported = {line.rpartition("|")[2].strip() for line in run.stderr.splitlines()}
    assert "srlens" in imported
    assert {name for name in imported if name.partition(".")[0] in HEAVY} == set()


def test_attribution_needs_torch_and_numpy_only() -> None:
    """Computing a map of one's own module must not load the libraries of files, figures and studies."""
    code = (
        "import sys, torch, srlens; n = srlens.Network.wrap(torch.nn.Upsample(scale_factor=2), scale=2);"
        "srlens.attribute(n, torch.rand(3, 8, 8), srlens.Window(4, 4, 6, 6), steps=2);"
        "print(*sorted({m.partition('.')[0] for m in sys.modules}))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(run.stdout.split())
    assert {"torch", "numpy", "srlens"} <= loaded
    assert loaded.isdisjoint({"matplotlib", "spandrel", "skimage", "pydantic", "polars", "gradio", "rich", "cyclopts"})


def test_every_error_is_in_the_tree_of_the_docstring_and_has_a_reason() -> None:
    for name, value in vars(srlens.errors).items():
        if isinstance(value, type):
            assert name in srlens.errors.__doc__
            assert value.__doc__
            assert issubclass(value, srlens.errors.SrlensError | srlens.errors.SrlensWarning)


@pytest.mark.slow
def test_layers_import_downward() -> None:
    root = Path(__file__).resolve().parents[1]
    lint = Path(sys.executable).with_name("lint-imports")
    if not lint.exists():
        pytest.skip("import-linter is not installed")
    run = subprocess.run([lint], cwd=root, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout[-2000:]
