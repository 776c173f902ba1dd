"""The files of a comparison, and the area of interest among them."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from srlens.comparison.compare import Comparison, compare
from srlens.comparison.interest import area_of_interest
from srlens.comparison.subject import Subject
from srlens.comparison.sweep import sweep
from srlens.errors import SettingError, WindowError
from srlens.imaging.window import Window
from srlens.measures import agreement
from srlens.networks.network import Network
from srlens.records.output import write_comparison, write_sweep

Make = Callable[..., Comparison]


def test_two_networks_write_every_file(make_comparison: Make, tmp_path: Path) -> None:
    comparison = make_comparison()
    files = write_comparison(comparison, tmp_path, formats=("png", "pdf", "svg"))
    stems = {f"roof-eaves_{name}_t24_l28_8x8_steps-4" for name in ("comparison", "comparison_interest")}
    figures = {f"{stem}.{ending}" for stem in stems for ending in ("png", "pdf", "svg")}
    maps = {f"roof-eaves_{name}_t24_l28_8x8_steps-4.safetensors" for name in ("narrow", "wide")}
    assert {file.name for file in files} == figures | maps | {"result.json"}
    assert {file.name for file in tmp_path.iterdir()} == {file.name for file in files}
    signs = {".png": b"\x89PNG", ".pdf": b"%PDF", ".svg": b"<?xml"}
    for file in files:
        if file.suffix in signs:
            assert file.read_bytes().startswith(signs[file.suffix])
    record = json.loads((tmp_path / "result.json").read_text())
    interest = record["area_of_interest"]
    assert interest["pairs"][0]["first"] == "narrow"
    assert interest["judged_by"] == "PSNR of the window"
    assert 0 < interest["shared_mass"] < 1
    assert interest["shared_mass"] == pytest.approx(1 - interest["pairs"][0]["total_variation"])


def test_one_network_has_no_area_of_interest(
    networks: list[Network], make_subject: Callable[..., Subject], tmp_path: Path
) -> None:
    only = compare(networks[:1], make_subject(hr=False), Window(24, 28, 8, 8), steps=2)
    assert not [file for file in write_comparison(only, tmp_path) if "interest" in file.name]
    with pytest.raises(SettingError, match="at least two"):
        area_of_interest(only)


def test_interest_is_that_of_the_maps(make_comparison: Make) -> None:
    comparison = make_comparison(hr=False)
    interest = area_of_interest(comparison)
    narrow, wide = (row.result for row in comparison.rows)
    assert interest.judged_by == "diffusion index"
    assert (interest.better, interest.worse) == ("wide", "narrow")
    assert np.array_equal(interest.difference, agreement.difference(wide.map, narrow.map))
    assert abs(interest.difference.sum()) < 1e-12
    matrix = interest.matrix(["narrow", "wide"], "overlap")
    assert np.array_equal(matrix, matrix.T)
    assert matrix[0, 1] == agreement.overlap(narrow.map, wide.map, 0.9)
    assert interest.matrix(["wide", "narrow"], "total_variation")[0, 0] == 0


def test_a_sweep_writes_picture_and_tables(
    networks: list[Network], make_subject: Callable[..., Subject], tmp_path: Path
) -> None:
    swept = sweep(networks, make_subject(), Window(24, 28, 8, 8), "window", (4, 8), steps=2)
    names = {file.name for file in write_sweep(swept, tmp_path)}
    assert names == {f"sweep_window.{ending}" for ending in ("png", "pdf", "csv", "parquet")}


def test_a_crop_keeps_the_pixels_of_the_picture(make_subject: Callable[..., Subject]) -> None:
    whole = make_subject(64)
    part = whole.cropped(Window(8, 12, 40, 36), 2)
    assert torch.equal(part.lr, whole.lr[:, 4:24, 6:24])
    assert part.hr is not None
    assert whole.hr is not None
    assert torch.equal(part.hr, whole.hr[:, 8:48, 12:48])
    assert (part.name, part.part) == (whole.name, Window(8, 12, 40, 36))
    with pytest.raises(SettingError, match="nearest is 8,12,40,36"):
        whole.cropped(Window(8, 13, 40, 36), 2)
    with pytest.raises(WindowError):
        whole.cropped(Window(32, 0, 40, 40), 2)


def test_a_figure_that_fails_costs_neither_maps_nor_numbers(
    make_comparison: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError("no room")

    monkeypatch.setattr("srlens.figures.of.figure_of", fail)
    with pytest.raises(ValueError, match="no room"):
        write_comparison(make_comparison(), tmp_path)
    names = {file.name for file in tmp_path.iterdir()}
    maps = {f"roof-eaves_{name}_t24_l28_8x8_steps-4.safetensors" for name in ("narrow", "wide")}
    assert names == {"result.json", *maps}


@pytest.mark.filterwarnings("ignore::srlens.SrlensWarning", "ignore:Glyph")
def test_what_exists_is_not_overwritten(
    networks: list[Network], make_subject: Callable[..., Subject], tmp_path: Path
) -> None:
    """Names of any script, windows of one corner, presets, detectors, methods: each run has its own files."""
    named = [replace(networks[0], name=name) for name in ("网络 A", "模型-A", "网络-A")]
    runs: list[dict[str, Any]] = [
        {"steps": 2}, {"steps": 3}, {"steps": 2, "detector": "intensity"}, {"steps": 2, "preset": "paper"},
        {"method": "gradient"}, {"steps": 2, "window": Window(24, 28, 10, 10)},
    ]  # fmt: skip
    written: set[Path] = set()
    for run in [*runs, runs[-1]]:
        comparison = compare(named, make_subject(), **{"window": Window(24, 28, 8, 8), **run})
        files = write_comparison(comparison, tmp_path, formats=("png",))
        written |= {file for file in files if file.suffix == ".safetensors"}
    assert written == set(tmp_path.glob("*.safetensors"))
    assert len(written) == len(runs) * len(named)
    assert len(list(tmp_path.glob("result*.json"))) == len(runs)  # a run repeated is the same run
