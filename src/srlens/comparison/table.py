"""A comparison as rows: sorted, and as CSV, Parquet and LaTeX."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from srlens.atomic import replacing
from srlens.comparison.comparable import check_comparable
from srlens.comparison.compare import Comparison
from srlens.comparison.explained import Explained
from srlens.comparison.measure import Measure
from srlens.comparison.measures import MEASURES, columns, measured, shown_in
from srlens.comparison.parts import PART_COLUMNS, part_rows
from srlens.imaging.terms import worded
from srlens.naming import look_up

if TYPE_CHECKING:
    import polars


def sort_key(by: str) -> Measure:
    """The measure that sorts by this name.

    Raises:
        SettingError: no measure that tables show has that name.
    """
    return look_up("measure to sort by", by, sort_keys())


def sort_keys() -> dict[str, Measure]:
    """The measures by which a comparison can be sorted, by their names."""
    return {measure.name: measure for measure in (*shown_in("latex"), *shown_in("terminal"))}


def sort_rows(rows: Sequence[Explained], by: str | None) -> tuple[Explained, ...]:
    """Sort by a key of :func:`sort_keys`, rows without that number last; None keeps the order given.

    Raises:
        SettingError: no such key.

    Warns:
        IncomparableWarning: sorted by the diffusion index, and those of the rows cannot be compared.
    """
    if by is None:
        return tuple(rows)
    measure = sort_key(by)
    if measure.key == "diffusion_index":
        check_comparable([row.result for row in rows])
    valued: list[tuple[Any, Explained]] = [(measure.value(row), row) for row in rows]
    known = [pair for pair in valued if pair[0] is not None]
    known.sort(key=lambda pair: pair[0], reverse=measure.largest_first)
    return tuple(row for _, row in [*known, *(pair for pair in valued if pair[0] is None)])


def to_frame(*comparisons: Comparison) -> "polars.DataFrame":
    """One row a network with every measure, as a polars data frame; several comparisons below one another.

    Warns:
        IncomparableWarning: their diffusion indices cannot be compared.
    """
    rows = [row for comparison in comparisons for row in comparison.rows]
    check_comparable([row.result for row in rows])
    return typed_frame([measured(row) for row in rows], {key: measure.kind for key, measure in MEASURES.items()})


def typed_frame(rows: Sequence[Mapping[str, Any]], kinds: Mapping[str, type]) -> "polars.DataFrame":
    """Rows as a data frame with all of these columns, by name and type; what a row lacks is null.

    Raises:
        ValueError: a row has a column that is not among them.
    """
    from srlens.extras import polars

    if unknown := {name for row in rows for name in row} - set(kinds):
        raise ValueError(f"unknown columns {sorted(unknown)}")
    return polars.DataFrame({name: [row.get(name) for row in rows] for name in kinds}, schema=polars_schema(kinds))


def polars_schema(kinds: Mapping[str, type]) -> "polars.Schema":
    """Polars types of columns."""
    from srlens.extras import polars

    return polars.Schema(kinds)


def known_columns(rows: Sequence[Mapping[str, Any]]) -> "polars.DataFrame":
    """Rows as a data frame without the columns that no row has a value in."""
    from srlens.extras import polars

    frame = polars.DataFrame(rows, infer_schema_length=None)
    return frame.select(column for column in frame if column.null_count() < len(frame))


def to_latex(comparison: Comparison) -> str:
    """A booktabs table; the size shown stands beside DI, and comments below state every condition of the numbers."""
    shown, scale = columns(comparison.rows, "latex"), comparison.rows[0].result.scale
    size = "{}×{}".format(*comparison.rows[0].result.lr_size)
    cells = [[_escaped(measure.number(value)) for value in values] for measure, values in shown]
    lines = [
        r"% \usepackage{booktabs}",
        r"\begin{tabular}{" + "".join("l" if measure.kind is str else "r" for measure, _ in shown) + "}",
        r"\toprule",
        " & ".join(m.latex or _escaped(worded(m.heading_at(size), scale)).replace(". ", ".\\ ") for m, _ in shown)
        + r" \\",
        r"\midrule",
        *(" & ".join(row) + r" \\" for row in zip(*cells, strict=True)),
        r"\bottomrule",
        r"\end{tabular}",
        *(f"% {comparison.subject.name}: {text}" for text in comparison.conditions),
    ]
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    for sign in r"\&%$#_{}":
        text = text.replace(sign, "\\" + sign if sign != "\\" else r"\textbackslash ")
    for sign, maths in (("×", r"\times"), ("∞", r"\infty"), ("<", "<"), ("−", "-")):
        text = text.replace(sign, f"${maths}$")
    return text.replace("–", "--")


def write_tables(comparison: Comparison, stem: str | os.PathLike[str]) -> list[Path]:
    """Write the rows as CSV, Parquet and LaTeX beside one another, and bands or frames as CSV and Parquet."""
    stem = Path(stem)
    latex = stem.with_name(f"{stem.name}.tex")
    with replacing(latex) as temporary:
        temporary.write_text(to_latex(comparison), encoding="utf-8")
    parts = part_rows([row.result for row in comparison.rows])
    more = write_frame(typed_frame(parts, PART_COLUMNS), stem.with_name(f"{stem.name}_parts")) if parts else []
    return [*write_frame(to_frame(comparison), stem), latex, *more]


def write_frame(frame: "polars.DataFrame", stem: Path) -> list[Path]:
    """Write a data frame as CSV and Parquet beside one another."""
    paths = [stem.with_name(stem.name + suffix) for suffix in (".csv", ".parquet")]
    with replacing(paths[0]) as temporary:
        frame.write_csv(temporary)
    with replacing(paths[1]) as temporary:
        frame.write_parquet(temporary)
    return paths
