"""Bars for what takes long: in a terminal, in a notebook, and nowhere else."""

import re
from io import StringIO

import pytest
from rich.console import Console

import srlens


def shown(monkeypatch: pytest.MonkeyPatch, console: Console, steps: dict[str, str | None]) -> None:
    monkeypatch.setattr("srlens.cli.progress.console", lambda **_: console)
    monkeypatch.setattr("srlens.cli.progress._PATIENCE", 0.0)
    with srlens.progress_bars() as bars:
        for name, unit in steps.items():
            tick = bars.step(name, unit)
            tick(1, 7)
            tick(7, 7)


def test_a_bar_tells_what_it_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    console = Console(file=StringIO(), force_terminal=True, width=120)
    steps = {"seed 0": None, "seed 0: reach": None, "seed 0: attention": None, "sweep": "maps"}
    shown(monkeypatch, console, steps)
    assert isinstance(console.file, StringIO)
    written = console.file.getvalue()
    for name, unit in zip(steps, ("gradients", "images", "steps", "maps"), strict=True):
        assert re.search(rf"{name} [^\n]*/7[^\n]* {unit}", written), name


def test_nothing_is_written_into_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    console = Console(file=StringIO(), force_terminal=False)
    shown(monkeypatch, console, {"seed 0": None})
    assert isinstance(console.file, StringIO)
    assert console.file.getvalue() == ""


@pytest.mark.parametrize("widgets", [True, False])
def test_in_a_notebook_widgets_show_it(monkeypatch: pytest.MonkeyPatch, widgets: bool) -> None:
    pytest.importorskip("ipywidgets")
    displayed: list[object] = []
    monkeypatch.setattr("IPython.display.display", displayed.append)
    if not widgets:
        monkeypatch.setattr("srlens.cli.progress.find_spec", lambda _: None)
    shown(monkeypatch, Console(force_jupyter=True), {"seed 0": None})
    assert bool(displayed) == widgets
