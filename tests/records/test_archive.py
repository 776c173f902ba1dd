"""Results of every kind: saved, loaded in a new process, drawn and compared, equal to the last bit."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import srlens
from srlens.comparison.compare import Comparison
from srlens.comparison.field_of_view import fields_of_view
from srlens.comparison.interest import area_of_interest
from srlens.comparison.subject import Subject
from srlens.comparison.sweep import sweep
from srlens.errors import InputError
from srlens.imaging.window import Window
from srlens.networks.network import Network
from srlens.records.archive import load_record

WINDOW = Window(24, 28, 8, 8)
KINDS = ("attribution", "comparison", "explained", "interest", "sweep", "field", "field of view")


@pytest.fixture
def make_result(networks: list[Network], make_subject: Callable[..., Subject], make_comparison: Any) -> Any:
    def make(kind: str, **settings: Any) -> Any:
        comparison: Comparison = make_comparison(**settings)
        if kind == "comparison":
            return comparison
        if kind == "explained":
            return comparison.rows[1]
        if kind == "interest":
            return area_of_interest(comparison)
        if kind == "sweep":
            return sweep(networks, make_subject(), WINDOW, "steps", (2, 3))
        if kind == "field":
            return srlens.field(networks[0], make_subject().lr, size=16, steps=2)
        if kind == "field of view":
            return fields_of_view(networks, [make_subject(96)], side=24, places=2, window_size=8, steps=2)[0]
        return srlens.attribute(networks[0], make_subject().lr, WINDOW, steps=3)

    return make


def equal(one: Any, other: Any) -> bool:
    """Whether two results hold the same, to the last bit."""
    if isinstance(one, Tensor):
        return isinstance(other, Tensor) and one.dtype == other.dtype and torch.equal(one, other)
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other, equal_nan=True)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    if isinstance(one, tuple | list):
        return len(one) == len(other) and all(map(equal, one, other))
    if isinstance(one, srlens.Method):
        return one == other
    if is_dataclass(one):
        return type(one) is type(other) and all(
            equal(getattr(one, f.name), getattr(other, f.name)) for f in fields(one) if f.init
        )
    return bool(one == other or (one != one and other != other))


def drawn(result: Any) -> bytes:
    buffer = BytesIO()
    result.figure().savefig(buffer, format="png", dpi=60, metadata={"Software": None})
    return buffer.getvalue()


@pytest.mark.parametrize("kind", KINDS)
def test_saved_and_loaded_it_is_the_same(make_result: Any, tmp_path: Path, kind: str) -> None:
    result = make_result(kind)
    path = result.save(tmp_path / "result")
    assert path == tmp_path / "result.safetensors"
    loaded = srlens.load(path)
    assert equal(loaded, result)
    assert repr(loaded) == repr(result)
    assert drawn(loaded) == drawn(result)


@pytest.mark.parametrize("kind", ["attribution", "comparison", "field"])
def test_in_a_new_process_the_figure_is_pixel_equal(make_result: Any, tmp_path: Path, kind: str) -> None:
    result = make_result(kind)
    path = result.save(tmp_path / "result.safetensors")
    program = (
        "import sys, srlens\n"
        "result = srlens.load(sys.argv[1])\n"
        "result.figure().savefig(sys.argv[2], format='png', dpi=60, metadata={'Software': None})\n"
        "result.save(sys.argv[1] + '.again')\n"
    )
    picture = tmp_path / "again.png"
    subprocess.run([sys.executable, "-c", program, str(path), str(picture)], check=True)
    assert picture.read_bytes() == drawn(result)
    assert (tmp_path / "result.safetensors.again").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("kind", KINDS)
def test_results_show_themselves(make_result: Any, kind: str) -> None:
    result = make_result(kind)
    assert len(repr(result)) < 200
    assert type(result).__name__ in repr(result)
    assert result._repr_png_().startswith(b"\x89PNG")
    assert "<img" in result._repr_html_()
    assert srlens.errors is not None


@pytest.mark.parametrize("name", list(srlens.METHODS))
def test_a_map_is_made_again_from_its_file(networks: list[Network], make_subject: Any, tmp_path: Path, name) -> None:
    lr = make_subject().lr
    result = srlens.attribute(networks[1], lr, WINDOW, name, detector="intensity")
    record = load_record(result.save(tmp_path / "map"))
    again = srlens.attribute(networks[1], lr, WINDOW, srlens.Method.from_record(record["method"]))
    assert equal(again, result)


def test_a_loaded_comparison_can_be_tabulated(make_comparison: Any, tmp_path: Path) -> None:
    from srlens.comparison.table import to_frame, to_latex

    comparison = make_comparison()
    loaded = srlens.load(comparison.save(tmp_path / "comparison"))
    assert to_latex(loaded) == to_latex(comparison)
    assert to_frame(loaded).equals(to_frame(comparison))


def test_a_pickled_result_stays_read_only(make_result: Any) -> None:
    import pickle

    result = pickle.loads(pickle.dumps(make_result("attribution")))
    with pytest.raises(ValueError, match="read-only"):
        result.map[0, 0, 0] = 1


def test_other_files_are_refused(make_result: Any, tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    with pytest.raises(InputError, match="missing or damaged"):
        srlens.load(tmp_path / "none.safetensors")
    save_file({"x": np.zeros(2)}, tmp_path / "other.safetensors")
    with pytest.raises(InputError, match="no srlens result"):
        srlens.load(tmp_path / "other.safetensors")
    path = make_result("attribution").save(tmp_path / "cut")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match="missing or damaged"):
        srlens.load(path)


def test_a_file_names_no_other_type(tmp_path: Path) -> None:
    """Types are looked up in a list, so that a file cannot make anything else."""
    import json

    from safetensors.numpy import save_file

    for content in ({"$type": "Popen", "fields": {"args": "true"}}, {"$type": "Window", "fields": {"nonsense": 1}}):
        header = json.dumps({"format": "srlens-result-1", "record": {}, "content": content})
        save_file({}, tmp_path / "odd.safetensors", metadata={"srlens": header})
        with pytest.raises(InputError, match=r"no result|names a type"):
            srlens.load(tmp_path / "odd.safetensors")
