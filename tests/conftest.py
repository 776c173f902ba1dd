"""Fixtures that many tests share, and the count of tests skipped for want of the reference data."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from srlens.comparison.compare import Comparison, compare
from srlens.comparison.subject import Subject
from srlens.imaging.samples import sample_image
from srlens.imaging.window import Window
from srlens.networks.network import Network

SHARED_VARIABLE = "SRLENS_SHARED"
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip

if "PYTEST_XDIST_WORKER" in os.environ:
    torch.set_num_threads(1)  # the workers share the cores already


def _shared_folder() -> Path:
    default = Path(__file__).resolve().parents[2] / "shared"
    return Path(os.environ.get(SHARED_VARIABLE, default))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference data: checkpoints, images, golden results (never part of the project)."""
    folder = _shared_folder()
    if not (folder / "weights" / "index.toml").is_file():
        pytest.skip(f"reference data absent: no {folder}; set {SHARED_VARIABLE}")
    return folder


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """The one browser of a process: a second Playwright would find the event loop of the first."""
    if not CHROMIUM.exists():
        pytest.skip(f"no browser: {CHROMIUM} is absent (Debian: apt-get install chromium)")
    api = pytest.importorskip("playwright.sync_api", reason="the browser is driven by playwright (extra: test)")
    with api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(autouse=True)
def _seeded() -> Iterator[None]:
    """Every test starts from the same torch random state."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly how much was not tested because the reference data, or a GPU, is absent."""
    for cause, remedy in (("reference data absent", f"set {SHARED_VARIABLE}"), ("no CUDA device", "none is here")):
        skipped = [r for r in terminalreporter.stats.get("skipped", []) if cause in str(r.longrepr)]
        if skipped:
            terminalreporter.write_sep("=", f"{len(skipped)} tests skipped: {cause} ({remedy})", yellow=True)


WINDOW = Window(24, 28, 8, 8)


def tiny(name: str, radius: int) -> Network:
    """One convolution, a rectifier and the shuffle; the wider one looks further."""
    size = 2 * radius + 1
    body = nn.Sequential(
        nn.Conv2d(3, 12, size, padding=radius), nn.LeakyReLU(0.2), nn.Conv2d(12, 12, 1), nn.PixelShuffle(2)
    )
    return Network.wrap(body, scale=2, name=name)


@pytest.fixture
def networks() -> list[Network]:
    torch.manual_seed(1)
    return [tiny("narrow", 1), tiny("wide", 4)]


@pytest.fixture
def make_subject() -> Callable[..., Subject]:
    def make(side: int = 64, *, hr: bool = True) -> Subject:
        picture = Subject.from_hr(sample_image("pagoda")[:, 120 : 120 + side, 120 : 120 + side], 2, name="roof & eaves")
        return picture if hr else Subject("roof", picture.lr, None, "given")

    return make


@pytest.fixture
def make_comparison(networks: list[Network], make_subject: Callable[..., Subject]) -> Callable[..., Comparison]:
    """Compare the tiny networks; untrained ones are below bicubic, which is not the point here."""
    import warnings

    from srlens.errors import BelowBicubicWarning

    def make(side: int = 64, *, hr: bool = True, **settings: object) -> Comparison:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", BelowBicubicWarning)
            return compare(networks, make_subject(side, hr=hr), WINDOW, **{"steps": 4, **settings})

    return make


PLUGINS = Path(__file__).resolve().parents[1] / "examples" / "plugins"


@pytest.fixture
def plug_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The example of a measure, named in the environment and loaded here; its measure is forgotten afterwards."""
    from srlens import plugins
    from srlens.comparison import measures

    monkeypatch.setattr(plugins, "_loaded", set())
    path = PLUGINS / "measure.py"
    monkeypatch.setenv(plugins.VARIABLE, str(path))
    plugins.load_plugins()
    yield path
    del measures._measures["peak_density"]
