"""Small studies: random FSRCNN files, cut-outs of the packaged photographs, an executor in this process."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import pytest
import torch

from srlens.imaging.files import write_image
from srlens.imaging.samples import sample_image
from srlens.networks.zoo.fsrcnn import FSRCNN
from srlens.study.schema import Study, study_from


class Here(Executor):
    """Runs everything at once, in this process."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:
            future.set_exception(error)
        return future


@pytest.fixture(scope="session")
def here() -> Here:
    return Here()


def _write_network(path: Path, seed: int, *, mappings: int = 1) -> Path:
    torch.manual_seed(seed)
    module = FSRCNN(channels=3, width=8, narrow=4, mappings=mappings)
    torch.save(module.state_dict(), path)
    return path


def _write_picture(path: Path, top: int, side: int = 128) -> Path:
    write_image(path, sample_image("pagoda")[:, top : top + side, 60 : 60 + side])
    return path


@pytest.fixture
def study_content(tmp_path: Path) -> dict[str, Any]:
    """Two networks at three windows of two pictures, as TOML would give it."""
    _write_network(tmp_path / "a.pth", 1)
    _write_network(tmp_path / "b.pth", 2, mappings=3)
    _write_picture(tmp_path / "roof.png", 20)
    _write_picture(tmp_path / "wall.png", 110)
    return {
        "title": "Two at three",
        "scale": 4,
        "networks": [{"open": "a.pth", "name": "A"}, {"open": "b.pth", "name": "B", "kind": "transformer"}],
        "windows": [
            {"image": "roof.png", "top": 40, "left": 40},
            {"image": "roof.png", "top": 64, "left": 8},
            {"image": "wall.png", "top": 50, "left": 60},
        ],
        "images": {"lr_size": 20},
        "method": {"steps": 2},
    }


@pytest.fixture
def make_study(tmp_path: Path, study_content: dict[str, Any]) -> Callable[..., Study]:
    def make(**changes: Any) -> Study:
        return study_from({**study_content, **changes}, base=tmp_path)

    return make


def _stored_bytes(folder: Path) -> dict[str, bytes]:
    """Content of all results of a study: parts, maps and pictures, byte for byte."""
    files = [*folder.glob("parts/*.parquet"), *folder.glob("places/*.png"), *folder.glob("maps/*.safetensors")]
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


@pytest.fixture(scope="session")
def write_network() -> Callable[..., Path]:
    """Write a random FSRCNN: ``(path, seed, mappings=1)``."""
    return _write_network


@pytest.fixture(scope="session")
def write_picture() -> Callable[..., Path]:
    """Write a cut-out of a photograph: ``(path, top, side=128)``."""
    return _write_picture


@pytest.fixture
def stored_bytes() -> Callable[[Path], dict[str, bytes]]:
    """Content of all results in a folder."""
    return _stored_bytes
