"""Plug-ins: loaded once, from files, modules and entry points, with an error that names the culprit."""

import os
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from srlens import plugins
from srlens.errors import PluginError
from srlens.plugins import VARIABLE, load_plugins

COUNTING = "import os\nos.environ['SRLENS_TEST_LOADED'] = os.environ.get('SRLENS_TEST_LOADED', '') + __name__ + ' '\n"


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(plugins, "_loaded", set())
    monkeypatch.setenv("SRLENS_TEST_LOADED", "")
    yield
    for name in [name for name in sys.modules if name.startswith("srlens_plugin_")]:
        del sys.modules[name]


def loaded() -> list[str]:
    return os.environ["SRLENS_TEST_LOADED"].split()


def test_nothing_is_loaded_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    load_plugins()
    assert loaded() == []


def test_files_and_modules_are_loaded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("mine", "module_of_mine"):
        (tmp_path / f"{name}.py").write_text(COUNTING)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv(VARIABLE, f"{tmp_path / 'mine.py'}, module_of_mine,")
    load_plugins()
    load_plugins()
    assert loaded() == ["srlens_plugin_mine", "module_of_mine"]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(VARIABLE, "mine.py")  # the same file by another name
    load_plugins()
    assert len(loaded()) == 2


def test_entry_points_are_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "package_of_mine.py").write_text(COUNTING)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delenv(VARIABLE, raising=False)
    point = EntryPoint("mine", "package_of_mine", plugins.GROUP)
    monkeypatch.setattr(plugins.metadata, "entry_points", lambda group: [point] if group == plugins.GROUP else [])
    load_plugins()
    load_plugins()
    assert loaded() == ["package_of_mine"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("no_such_module", "'no_such_module', which cannot be loaded: ModuleNotFoundError"),
        ("no/such/file.py", "FileNotFoundError"),
        ("broken.py", "ZeroDivisionError: division by zero"),
    ],
)
def test_what_cannot_be_loaded_is_named(name: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken.py").write_text("1 / 0")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(VARIABLE, name)
    with pytest.raises(PluginError, match=words):
        load_plugins()
    assert "srlens_plugin_broken" not in sys.modules
    with pytest.raises(PluginError):  # and again, until it is mended
        load_plugins()
