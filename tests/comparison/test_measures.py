"""The table of measures: what it takes, and that one line in it is enough to be shown everywhere."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars
import pytest

from srlens.attribution.result import Attribution
from srlens.cli.report import print_comparison
from srlens.comparison.compare import Comparison
from srlens.comparison.explained import Measurable
from srlens.comparison.measure import Measure
from srlens.comparison.measures import MEASURES, add_measure, columns, measured
from srlens.comparison.table import sort_rows, to_frame, to_latex
from srlens.errors import SettingError
from srlens.figures.caption import fact_table
from srlens.study.seal import BLANK, sealing
from srlens.study.store import Store
from srlens.web.results import results_html

Make = Callable[..., Comparison]


def test_a_measure_of_a_plug_in_is_shown_everywhere(
    plug_in: Path, make_comparison: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    comparison = make_comparison()
    peaks = [1e3 * float(row.result.absolute.max()) for row in comparison.rows]
    texts = [f"{peak:.4g}" for peak in peaks]
    assert to_frame(comparison)["peak_density"].to_list() == peaks
    assert [row["peak_density"] for row in comparison.record()["networks"]] == peaks
    latex = to_latex(comparison)
    assert "Peak density (mD)" in latex
    assert [row.network.name for row in sort_rows(comparison.rows, "peak_density")] == [
        row.network.name for row in sorted(comparison.rows, key=lambda row: -row.result.absolute.max())
    ]
    print_comparison(comparison, [])
    shown = capsys.readouterr().out
    page = results_html(comparison, "default")
    facts = dict(fact_table(comparison.rows))
    assert facts["Peak density"] == [f"{text} mD" for text in texts]
    for text in texts:
        assert text in latex
        assert text in shown
        assert f"{text} mD" in page


def test_a_number_reads_alike_everywhere(make_comparison: Make, capsys: pytest.CaptureFixture[str]) -> None:
    comparison = make_comparison()
    print_comparison(comparison, [])
    shown, page, latex = capsys.readouterr().out, results_html(comparison, "default"), to_latex(comparison)
    for label, texts in fact_table(comparison.rows):
        for text in texts:
            assert f">{text}<" in page, label
            number = text.removesuffix(" dB").removesuffix(" %")
            assert re.search(rf"(^|\s){re.escape(number)}\s", shown), label
            assert number in latex, label


def test_a_number_below_zero_has_a_minus() -> None:
    assert MEASURES["gain_over_distance"].text(-0.25).startswith("−0.25")
    assert Measure("depth", "depth", lambda _: -2.5, unit="px").text(-2.5) == "−2.5 px"
    assert MEASURES["network"].text("carn-m") == "carn-m"


def test_parts_are_read_with_and_without_the_plug_in(tmp_path: Path) -> None:
    store = Store(tmp_path)
    (tmp_path / "parts").mkdir()
    other = polars.DataFrame({"job": ["a"], "diffusion_index": [3.0], "of_a_plug_in": [1.0]})
    with sealing(store.part("a")) as part:
        other.write_parquet(part, metadata={"srlens": BLANK})
    store.write_part({"job": "b", "diffusion_index": 4.0})
    frame = store.read_parts(["a", "b"])
    assert frame["diffusion_index"].to_list() == [3.0, 4.0]
    assert "of_a_plug_in" not in frame.columns


def test_adding_is_whole_or_not_at_all() -> None:
    before = list(MEASURES)
    for measure in (
        Measure("area95", "Twice", lambda e: 1.0),
        Measure("other", "Sorted like DI", lambda e: 1.0, short="di"),
        Measure("job", "Of studies", lambda e: 1.0),
    ):
        with pytest.raises(SettingError):
            add_measure(measure)
    assert list(MEASURES) == before


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"key": "two words"}, "name of a column"), ({"kind": bytes}, "kind must be"), ({"places": {"moon"}}, "'moon'")],
)
def test_what_is_no_measure(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingError, match=words):
        Measure(**{"key": "x", "label": "X", "of": lambda e: 1.0, **settings})


def test_values_have_the_type_of_their_column(make_comparison: Make) -> None:
    for row in make_comparison().rows:
        for key, value in measured(row).items():
            assert value is None or type(value) is MEASURES[key].kind, key


def test_what_is_not_at_hand_is_not_known(make_comparison: Make) -> None:
    result: Attribution = make_comparison().rows[0].result
    shown = [measure.key for measure, _ in columns([Measurable.of(result)], "caption")]
    assert shown == ["diffusion_index", "effective_pixels", "completeness_gap", "map_error"]
    assert measured(Measurable.of(result))["parameters"] is None


def test_a_number_and_its_unit() -> None:
    gap, peak = MEASURES["completeness_gap"], Measure("x", "X", lambda e: None, unit="mD")
    assert (gap.text(0.032), gap.number(0.032), gap.text(None), gap.text(float("nan"))) == ("3.2 %", "3.2", "–", "–")
    assert (peak.text(1234.5), peak.number(1234.5)) == ("1234 mD", "1234")
