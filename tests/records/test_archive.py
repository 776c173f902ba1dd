"""Results of every kind: saved, loaded in a new process, drawn and compared, equal to the last bit."""

import contextlib
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.numpy import save_file
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
from srlens.records.archive import encode, to_json

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


def record_of(path: Path) -> dict[str, Any]:
    """What stands in a file for whoever reads it without srlens."""
    with safe_open(path, framework="np") as file:
        record: dict[str, Any] = json.loads(file.metadata()["srlens"])["record"]
    return record


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
    record = record_of(result.save(tmp_path / "map"))
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
    for content in ({"$type": "Popen", "fields": {"args": "true"}}, {"$type": "Window", "fields": {"nonsense": 1}}):
        with pytest.raises(InputError, match=r"no result|names a type"):
            srlens.load(written(tmp_path, content))


def written(folder: Path, content: Any, arrays: dict[str, np.ndarray] | None = None) -> Path:
    """A file with this content, as text where it is no JSON."""
    header = content if isinstance(content, str) else json.dumps(content)
    text = f'{{"format": "srlens-result-1", "record": {{}}, "content": {header}}}'
    save_file(arrays or {}, folder / "odd.safetensors", metadata={"srlens": text})
    return folder / "odd.safetensors"


CHANGES: tuple[tuple[str, Any], ...] = (
    *((name, None) for name in ("map", "window", "detector_at_image", "method", "network", "scale", "facts")),
    *((name, "4") for name in ("map", "window", "detector_at_image", "evaluations", "converged", "method", "scale")),
    *(
        ("map_error", value)
        for value in ({"$float": "x"}, {"$fraction": "1/0"}, {"$fraction": "1e9999999"}, True, [], {})
    ),
    *(("map", value) for value in ({"$array": "absent"}, {"$array": []}, {"$tensor": "map"}, {"$array": "flat"})),
    *(
        ("window", {"$type": "Window", "fields": fields})
        for fields in ({}, [], {"top": -1, "left": 0, "height": 1, "width": 1})
    ),
    *(
        ("method", {"$method": {"$map": pairs}})
        for pairs in ([], [[1, 2, 3]], [[[1], 2]], [["method", "none"]], [[1, 2]])
    ),
    *(("method", value) for value in ({"$method": 5}, {"$odd": 1}, {"$map": [], "$tuple": []})),
)


@pytest.mark.parametrize(("name", "value"), CHANGES)
def test_a_part_that_is_wrong_is_told_when_the_file_is_read(make_result: Any, tmp_path: Path, name: str, value) -> None:
    arrays: dict[str, np.ndarray] = {}
    content = encode(make_result("attribution"), "", arrays)
    assert srlens.load(written(tmp_path, content, arrays)).diffusion_index > 0
    content["fields"][name] = value
    with pytest.raises(InputError, match=r"odd\.safetensors holds no result"):
        srlens.load(written(tmp_path, content, {**arrays, "flat": np.zeros((3, 3))}))


@pytest.mark.parametrize(
    "content",
    [None, 5, "text", [], {"$tuple": []}, {"$type": []}, '"\\', "9" * 5000, "[" * 9000, "[" * 900 + "]" * 900],
)
def test_what_is_no_result_is_told(tmp_path: Path, content: Any) -> None:
    with pytest.raises(InputError, match="holds no result"):
        srlens.load(written(tmp_path, content))


@pytest.mark.parametrize(
    "header", ["[]", "5", "null", '"text"', "{", '{"format": NaN}', '{"format": "srlens-result-1"}']
)
def test_headers_of_other_kinds_are_refused(tmp_path: Path, header: str) -> None:
    save_file({}, tmp_path / "odd.safetensors", metadata={"srlens": header})
    with pytest.raises(InputError, match="holds no result"):
        srlens.load(tmp_path / "odd.safetensors")


def test_random_damage_is_told(make_result: Any, tmp_path: Path) -> None:
    whole = make_result("attribution").save(tmp_path / "whole").read_bytes()
    generator = np.random.default_rng(5)
    for _ in range(200):
        damaged = bytearray(whole)
        for place in generator.integers(0, 2500, 3):
            damaged[place] = generator.integers(0, 256)
        (tmp_path / "odd.safetensors").write_bytes(damaged[: generator.integers(1, 2 * len(whole))])
        with contextlib.suppress(InputError):
            repr(srlens.load(tmp_path / "odd.safetensors"))


@dataclass(frozen=True)
class Grey:
    """A baseline of a plug-in."""

    level: float = 0.5
    name: ClassVar[str] = "grey"

    def of(self, image: Tensor) -> Tensor:
        return torch.full_like(image, self.level)


def test_what_a_plug_in_made_says_so_where_that_is_missing(networks, make_subject, tmp_path: Path, monkeypatch) -> None:
    lr = make_subject().lr
    with monkeypatch.context() as added:
        added.setitem(srlens.BASELINES, "grey", Grey)
        added.setitem(srlens.DETECTORS, "sum", srlens.Detector("sum", lambda patch: patch.sum((1, 2, 3))))
        added.setattr(srlens.METHODS, "_made", {**srlens.METHODS._made, "mine": srlens.METHODS.entry("gradient")})
        given = {"grey": {"path": "linear-grey", "level": 0.25}, "sum": {"detector": "sum"}, "mine": {"method": "mine"}}
        paths = {
            name: srlens.attribute(networks[0], lr, WINDOW, **one).save(tmp_path / name) for name, one in given.items()
        }
        for path in paths.values():
            srlens.load(path)
    for name, path in paths.items():
        with pytest.raises(InputError, match=rf"{path.name} holds .* made with .*{name}.*plug-in's, import it first"):
            srlens.load(path)


def test_a_zero_map_is_kept_too(networks: list[Network], tmp_path: Path) -> None:
    image = torch.full((3, 32, 32), 0.5)
    (result,) = srlens.Explainer(networks[0], image, steps=2).windows([WINDOW])
    assert result.is_zero
    loaded = srlens.load(result.save(tmp_path / "zero"))
    assert equal(loaded, result)
    record = record_of(tmp_path / "zero.safetensors")
    assert record["diffusion_index"] is record["gini"] is record["effective_pixels"] is None
    assert "zero map" in repr(loaded)


def test_facts_of_numpy_are_kept_as_plain_numbers(make_result: Any, tmp_path: Path) -> None:
    facts = {"a": np.float32(0.5), "b": np.int64(3), "c": {"d": (np.bool_(True), float("inf"))}}
    result = replace(make_result("attribution"), facts=facts)
    loaded = srlens.load(result.save(tmp_path / "facts"))
    assert loaded.facts == {"a": 0.5, "b": 3, "c": {"d": (True, float("inf"))}}


@pytest.mark.parametrize("name", list(srlens.METHODS))
def test_rows_of_a_comparison_are_made_again_from_their_records(networks, make_comparison: Any, name: str) -> None:
    steps = {"steps": 4} if "steps" in srlens.METHODS.entry(name).accepts else {"steps": None}
    comparison: Comparison = make_comparison(method=name, **steps)
    record = json.loads(to_json(comparison.record()))
    for row, made, network in zip(record["networks"], comparison.rows, networks, strict=True):
        window = Window(**{key: row["window"][key] for key in ("top", "left", "height", "width")})
        method = srlens.Method.from_record(row["method"])
        again = srlens.attribute(network, comparison.subject.lr, window, method, clean=comparison.subject.hr)
        assert np.array_equal(again.map, made.result.map)
