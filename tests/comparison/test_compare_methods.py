"""Several methods at one window."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

import srlens
from srlens.comparison.compare_methods import COMPARED
from srlens.records.output import write_method_comparison

WINDOW = srlens.Window(24, 28, 8, 8)


@pytest.fixture
def subject() -> srlens.Subject:
    hr = srlens.open_image("pagoda")[:, 100:148, 100:156].double()
    return srlens.Subject("pagoda", srlens.make_lr(hr, 2), None, "given", scale=2)


def test_each_method_is_what_it_is_alone(networks, subject) -> None:
    network = networks[0]
    found = srlens.compare_methods(network, subject, WINDOW, faithful=False, draws=3, block=4, tolerance=0.2)
    assert found.names == COMPARED
    own = {"occlusion": {"block": 4}, "causal-effect": {"block": 4, "draws": 3}}
    own |= {name: {"tolerance": 0.2} for name in ("lam", "ig-black", "linear-blur")}
    for name, result in zip(found.names, found.results, strict=True):
        alone = srlens.attribute(network, subject.lr, WINDOW, name, **own.get(name, {}))
        assert np.array_equal(result.map, alone.map)
        assert result.method == alone.method
    headings = [heading for heading, _ in found.columns()]
    assert headings[0] == "DI (LR 24×28)"
    assert not any("PSNR" in heading for heading in headings)
    assert all(len(texts) == len(COMPARED) for _, texts in found.columns())


def test_without_a_window_the_hardest_is_taken(networks, subject) -> None:
    found = srlens.compare_methods(networks[0], subject, methods=["gradient", "occlusion"], size=8, faithful=False)
    compared = srlens.compare([networks[0]], subject, size=8, method="gradient")
    assert (found.window, found.window_choice) == (compared.window, compared.window_choice)
    assert torch.equal(found.sr, compared.rows[0].sr)


def test_saved_and_written(networks, subject, tmp_path: Path) -> None:
    found = srlens.compare_methods(networks[0], subject, WINDOW, ["gradient", "occlusion"], detector="intensity")
    loaded = srlens.load(found.save(tmp_path / "methods"))
    assert loaded.summary == found.summary
    assert loaded.faithfulness == found.faithfulness
    assert all(np.array_equal(a.map, b.map) for a, b in zip(loaded.results, found.results, strict=True))
    gains = [tests.over("distance") for tests in found.faithfulness]
    assert gains[0] != gains[1]
    assert [heading for heading, _ in found.columns()][-2:] == ["Deletion gain", "Infidelity r"]
    files = {file.name for file in write_method_comparison(found, tmp_path / "here", formats=["png"])}
    stem = "pagoda_narrow_t24_l28_8x8"
    assert files == {
        *(f"{stem}_methods.{ending}" for ending in ("png", "csv", "parquet")),
        *(f"{stem}_{method}_detector-intensity.safetensors" for method in ("gradient", "occlusion")),
        "result.json",
    }
    record = json.loads((tmp_path / "here/result.json").read_text())
    assert [one["method"]["method"] for one in record["methods"]] == ["gradient", "occlusion"]
    assert [one["gain_over_distance"] for one in record["methods"]] == gains
    frame = found.to_frame()
    assert frame["method"].to_list() == ["gradient", "occlusion"]
    assert frame["gain_over_distance"].to_list() == gains


@pytest.mark.parametrize(
    ("methods", "given", "words"),
    [
        ([], {}, "at least one method"),
        (["lam", "gradient", "lam"], {}, "'lam' is named twice"),
        (["lam", "lrp"], {}, "No method is called 'lrp'"),
        (["gradient", "lam"], {"block": 3}, "'block' is a setting of none of the methods gradient, lam"),
        (["gradient"], {"detector": "nonsense"}, "No detector"),
    ],
)
def test_what_cannot_be_compared(networks, subject, methods, given, words: str) -> None:
    with pytest.raises(srlens.SettingError, match=words):
        srlens.compare_methods(networks[0], subject, WINDOW, methods, **given)
