"""A comparison as a table: the order, the values, the LaTeX."""

import math
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars
import pytest

from srlens.comparison.compare import Comparison
from srlens.comparison.measures import measured
from srlens.comparison.table import sort_keys, sort_rows, to_frame, to_latex, write_tables
from srlens.errors import IncomparableWarning, SettingError
from srlens.measures.extent import mass_area, mass_radius
from srlens.networks.receptive_field import ReceptiveField, Stage

Make = Callable[..., Comparison]


def test_values_are_those_of_the_results(make_comparison: Make) -> None:
    comparison = make_comparison()
    frame = to_frame(comparison)
    assert frame["network"].to_list() == ["narrow", "wide"]
    for row, explained in zip(frame.iter_rows(named=True), comparison.rows, strict=True):
        result = explained.result
        assert row["diffusion_index"] == result.diffusion_index
        assert row["effective_pixels"] == result.effective_pixels
        assert row["completeness_gap"] == result.completeness_gap
        assert row["map_error"] == result.map_error
        assert row["psnr_window"] == explained.psnr_window
        assert row["psnr_image"] == explained.psnr_image
        assert [row[f"area{share}"] for share in (50, 90, 95)] == [
            mass_area(result.map, share / 100) for share in (50, 90, 95)
        ]
        assert row["radius_mean"] == mass_radius(result.map, result.window.on_lr(2)).mean
        assert (row["lr_height"], row["lr_width"]) == result.lr_size == (32, 32)
        assert "LR 32×32" in row["conditions"]
        assert row["weights_sha256"] == explained.network.digest


def test_share_of_the_receptive_field(make_comparison: Make) -> None:
    comparison = make_comparison()
    assert measured(comparison.rows[0])["receptive_field_used"] is None  # unknown
    field = ReceptiveField((Stage(1, 1), Stage(2, 0)), paper=3)
    known = replace(comparison.rows[0], network=replace(comparison.rows[0].network, receptive_field=field))
    row = measured(known)
    # SR rows 24–32 (the detector reads one more) lie in LR rows 12–16, one more on each side: 11–17, likewise 13–19.
    assert row["receptive_field_pixels"] == 7 * 7
    assert row["receptive_field_used"] == row["area95"] / 49
    assert row["receptive_field_used"] <= 1


@pytest.mark.parametrize("by", sort_keys())
def test_order(make_comparison: Make, by: str) -> None:
    rows = make_comparison(reach=True).rows
    measure = sort_keys()[by]
    drawn = [measured(row)[measure.key] for row in sort_rows(rows, by)]
    values = [value for value in drawn if value is not None]  # networks without noise have no seed
    assert values == sorted(values, reverse=measure.largest_first)
    if len(set(values)) > 1:
        backwards = sort_rows(rows[::-1], by)
        assert [row.network.name for row in backwards] == [row.network.name for row in sort_rows(rows, by)]


def test_rows_without_the_number_come_last(make_comparison: Make) -> None:
    narrow, wide = make_comparison().rows
    bare = replace(narrow, subject=replace(narrow.subject, hr=None))
    assert sort_rows([bare, wide], "psnr") == (wide, bare)
    assert sort_rows([bare, wide], None) == (bare, wide)
    with pytest.raises(SettingError, match=r"known: name, .*di, pixels, area, reach, .*psnr, psnr-image, gap"):
        sort_rows([wide], "beauty")


def test_latex_is_a_booktabs_table(make_comparison: Make) -> None:
    comparison = make_comparison()
    odd = replace(comparison.rows[0].result, network="50%_a&b")
    comparison = replace(comparison, rows=(replace(comparison.rows[0], result=odd), comparison.rows[1]))
    lines = to_latex(comparison).splitlines()
    body = [line for line in lines if not line.startswith("%")]
    columns = re.fullmatch(r"\\begin\{tabular\}\{([lr]+)\}", body[0])
    assert columns is not None
    assert body[1] == r"\toprule"
    assert body[3] == r"\midrule"
    assert body[-2:] == [r"\bottomrule", r"\end{tabular}"]
    rows = [body[2], *body[4:-2]]
    assert len(rows) == 3
    for row in rows:
        assert row.endswith(r" \\")
        assert len(re.findall(r"(?<!\\)&", row)) == len(columns.group(1)) - 1
        assert not re.search(r"(?<!\\)[%_#]", re.sub(r"\$[^$]*\$", "", row))  # signs that would break the table
        assert row.count("$") % 2 == 0
        assert row.count("{") == row.count("}")
    assert r"DI (LR 32$\times$32)" in rows[0]
    assert r"50\%\_a\&b" in rows[1]
    assert f"{comparison.rows[1].result.diffusion_index:.2f}" in rows[2]
    assert any(line.startswith("% ") and "σ 1.2" in line for line in lines)


def test_latex_leaves_out_columns_that_nobody_has(make_comparison: Make) -> None:
    text = to_latex(make_comparison(hr=False))
    assert "PSNR" not in text
    comparison = make_comparison()
    perfect = replace(comparison.rows[0], sr=comparison.subject.hr)
    assert perfect.psnr_window == math.inf
    assert r"$\infty$" in to_latex(replace(comparison, rows=(perfect,)))


def test_files_hold_the_table(make_comparison: Make, tmp_path: Path) -> None:
    comparison = make_comparison()
    files = write_tables(comparison, tmp_path / "table")
    assert {file.name for file in files} == {"table.csv", "table.parquet", "table.tex"}
    assert polars.read_parquet(tmp_path / "table.parquet").equals(to_frame(comparison))
    read = polars.read_csv(tmp_path / "table.csv")
    assert read["diffusion_index"].to_list() == to_frame(comparison)["diffusion_index"].to_list()


def test_diffusion_indices_of_different_lr_sizes_are_warned_of(make_comparison: Make) -> None:
    small, large = make_comparison(64), make_comparison(96)
    to_frame(small, small)  # one size: no warning
    with pytest.warns(IncomparableWarning, match="32×32, 48×48 LR pixels"):
        frame = to_frame(small, large)
    assert frame.height == 4
    rows = [*small.rows, *large.rows]
    with pytest.warns(IncomparableWarning, match="effective pixels"):
        sort_rows(rows, "di")
    sort_rows(rows, "pixels")  # these can be compared


def test_shifted_and_exact_indices_are_warned_of(make_comparison: Make) -> None:
    with pytest.warns(IncomparableWarning, match="shift"):
        to_frame(make_comparison(), make_comparison(preset="paper"))
