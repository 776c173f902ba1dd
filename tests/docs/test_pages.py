"""Every Python line and every command that README and pages show is run, page by page, as a reader would."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

import srlens
from srlens.cli.main import app
from srlens.networks.catalog import fetch

ROOT = Path(__file__).resolve().parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
_BLOCK = re.compile(r"^```(python|sh)\n(.*?)^```", re.MULTILINE | re.DOTALL)
#: Pages whose Python is whole files, run elsewhere. (What is shown as ``py`` is a fragment, and not run.)
_ELSEWHERE = {"how-it-is-built.md": "tests/test_plugin_examples.py"}
#: Verbs that wait for a user, or install something.
_WAITING = ("srlens app", "srlens --install-completion")


def blocks(page: Path) -> list[tuple[str, str]]:
    return [] if page.name in _ELSEWHERE else _BLOCK.findall(page.read_text(encoding="utf-8"))


def commands(text: str) -> Iterator[list[str]]:
    """The words behind ``srlens`` of each line, without comments; names of files as a shell fills them in."""
    for line in text.splitlines():
        if line.startswith("srlens ") and not line.startswith(_WAITING):
            words = shlex.split(line, comments=True)[1:]
            yield [one for word in words for one in (sorted(map(str, Path().glob(word))) if "*" in word else [word])]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files that the pages speak of; small ones."""
    monkeypatch.chdir(tmp_path)
    weights = fetch("plain")
    for name in ("imdn-x4", "other"):
        network = srlens.load_network(weights)
        _write_checkpoint(network, tmp_path / f"{name}.pth")
    clean = srlens.open_image("pagoda")
    srlens.write_image("hr.png", clean)
    srlens.write_image("big.png", clean)
    srlens.write_image("lr.png", srlens.make_lr(clean, 4))
    (tmp_path / "pictures").mkdir()
    for name in ("pagoda", "hopper"):
        srlens.write_image(tmp_path / "pictures" / f"{name}.png", srlens.open_image(name))
    (tmp_path / "study.toml").write_text(_STUDY)
    (tmp_path / "mylab").mkdir()
    (tmp_path / "mylab" / "models.py").write_text(_MODELS)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def _write_checkpoint(network: srlens.Network, path: Path) -> None:
    import torch

    torch.save(network.module.state_dict(), path)


_STUDY = """
title = "Two networks"
scale = 4
windows = "windows.toml"
networks = [{ open = "plain" }, { open = "channel" }]
images = { given = "hr", lr_size = 48 }
method = { tolerance = 0.2 }
output = { folder = "results" }
"""

_MODELS = """
from torch import nn


def build() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 48, 5, padding=2), nn.PixelShuffle(4))
"""


def test_pages_show_code() -> None:
    assert sum(len(blocks(page)) for page in PAGES) > 10
    assert blocks(PAGES[0]), "the README"


@pytest.mark.slow
@pytest.mark.usefixtures("desk")
@pytest.mark.filterwarnings("ignore::srlens.errors.SrlensWarning")
@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page)], ids=lambda page: page.stem)
def test_what_a_page_shows_runs(page: Path) -> None:
    names: dict[str, object] = {"__name__": "__main__"}
    for language, text in blocks(page):
        if language == "python":
            exec(compile(text, page.name, "exec"), names)
            plt.close("all")
        else:
            for words in commands(text):
                with pytest.raises(SystemExit) as ended:
                    app(words)
                assert not ended.value.code, words
