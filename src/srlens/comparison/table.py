"""A comparison as rows: for the terminal, CSV, Parquet and LaTeX."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from srlens.atomic import replacing
from srlens.comparison.comparable import check_comparable
from srlens.comparison.compare import Comparison, Explained
from srlens.errors import SettingError
from srlens.measures.extent import mass_area, mass_radius, used_fraction

if TYPE_CHECKING:
    import polars


def measured(row: Explained) -> dict[str, Any]:
    """Every number and condition of one network, flat: one row of a table."""
    result, network = row.result, row.network
    window, scale = result.window, result.scale
    height, width = result.lr_size
    seen = _visible_pixels(row)
    area95 = mass_area(result.map, 0.95)
    radius = mass_radius(result.map, window.on_lr(scale))
    return {
        "network": result.network,
        "family": network.family,
        "kind": network.kind,
        "diffusion_index": result.diffusion_index,
        "lr_height": height,
        "lr_width": width,
        "effective_pixels": result.effective_pixels,
        "area50": mass_area(result.map, 0.50),
        "area90": mass_area(result.map, 0.90),
        "area95": area95,
        "radius_mean": radius.mean,
        "radius_rms": radius.rms,
        "receptive_field": str(network.receptive_field),
        "receptive_field_pixels": seen,
        "receptive_field_used": used_fraction(area95, seen) if seen is not None else None,
        "psnr_window": row.psnr_window,
        "psnr_image": row.psnr_image,
        "completeness_gap": result.completeness_gap,
        "map_error": result.map_error,
        "evaluations": result.evaluations,
        "seconds": row.seconds,
        "top": window.top,
        "left": window.left,
        "window_height": window.height,
        "window_width": window.width,
        "scale": scale,
        "detector": result.method.detector.name,
        "preset": result.method.preset_text,
        "conditions": result.conditions,
        "network_sha256": result.network_digest,
    }


def _visible_pixels(row: Explained) -> int | None:
    """LR pixels of this image that can reach the window by the architecture; None where that is unknown."""
    field, result = row.network.receptive_field, row.result
    if not field.known:
        return None
    height, width = result.lr_size
    read = result.read_window
    top, bottom = field.footprint(read.top, read.bottom, result.scale, height)
    left, right = field.footprint(read.left, read.right, result.scale, width)
    return (bottom - top) * (right - left)


SORT_KEYS: dict[str, tuple[str, bool]] = {
    "di": ("diffusion_index", True),
    "pixels": ("effective_pixels", True),
    "area": ("area95", True),
    "psnr": ("psnr_window", True),
    "psnr-image": ("psnr_image", True),
    "gap": ("completeness_gap", False),
    "error": ("map_error", False),
    "name": ("network", False),
}
"""Columns by which a comparison can be sorted, and whether the largest comes first."""


def sort_rows(rows: Sequence[Explained], by: str | None) -> tuple[Explained, ...]:
    """Sort by a key of :data:`SORT_KEYS`, rows without that number last; None keeps the order given.

    Raises:
        SettingError: no such key.

    Warns:
        IncomparableWarning: sorted by the diffusion index, and those of the rows cannot be compared.
    """
    if by is None:
        return tuple(rows)
    if by not in SORT_KEYS:
        raise SettingError(f"Cannot sort by {by!r}; known: {', '.join(SORT_KEYS)}.")
    column, descending = SORT_KEYS[by]
    if column == "diffusion_index":
        check_comparable([row.result for row in rows])
    values = {id(row): measured(row)[column] for row in rows}
    known = [row for row in rows if values[id(row)] is not None]
    unknown = [row for row in rows if values[id(row)] is None]
    key: Callable[[Explained], Any] = lambda row: values[id(row)]  # noqa: E731
    return (*sorted(known, key=key, reverse=descending), *unknown)


def to_frame(*comparisons: Comparison) -> "polars.DataFrame":
    """One row a network, as a polars data frame; those of several comparisons below one another.

    Warns:
        IncomparableWarning: their diffusion indices cannot be compared.
    """
    import polars

    check_comparable([row.result for comparison in comparisons for row in comparison.rows])
    rows = [
        {
            "image": comparison.subject.name,
            "part_of_image": str(comparison.subject.part) if comparison.subject.part is not None else "whole",
            **measured(row),
        }
        for comparison in comparisons
        for row in comparison.rows
    ]
    return polars.DataFrame(rows, infer_schema_length=None)


_LATEX_COLUMNS: tuple[tuple[str, str, str], ...] = (
    ("network", "Network", "{}"),
    ("receptive_field", "RF", "{}"),
    ("diffusion_index", r"DI (LR SIZE)", "{:.2f}"),
    ("effective_pixels", "Eff.\\ pixels", "{:.1f}"),
    ("area95", "Area$_{95}$", "{:.0f}"),
    ("psnr_window", "PSNR (window)", "{:.2f}"),
    ("psnr_image", "PSNR (image)", "{:.2f}"),
    ("completeness_gap", "Gap (\\%)", "{:.2f}"),
    ("map_error", "Map error (\\%)", "{:.1f}"),
)
_PERCENT = ("completeness_gap", "map_error")


def to_latex(comparison: Comparison) -> str:
    """A booktabs table; the LR size stands beside DI, and comments below state every condition of the numbers."""
    rows = [measured(row) for row in comparison.rows]
    columns = [c for c in _LATEX_COLUMNS if any(row[c[0]] is not None for row in rows)]
    size = r"{}$\times${}".format(*comparison.rows[0].result.lr_size)
    titles = [title.replace("SIZE", size) for _, title, _ in columns]
    lines = [
        r"% \usepackage{booktabs}",
        r"\begin{tabular}{ll" + "r" * (len(columns) - 2) + "}",
        r"\toprule",
        " & ".join(titles) + r" \\",
        r"\midrule",
    ]
    for row in rows:
        lines.append(" & ".join(_cell(row[key], key, form) for key, _, form in columns) + r" \\")
    lines += [r"\bottomrule", r"\end{tabular}"]
    conditions = dict.fromkeys(row["conditions"] for row in rows)
    lines += [f"% {comparison.subject.name}: {text}" for text in conditions]
    return "\n".join(lines) + "\n"


def _cell(value: Any, key: str, form: str) -> str:
    if value is None:
        return "--"
    if isinstance(value, str):
        return _escaped(value)
    if not math.isfinite(value):
        return r"$\infty$"
    return form.format(value * 100 if key in _PERCENT else value)


def _escaped(text: str) -> str:
    for sign in r"\&%$#_{}":
        text = text.replace(sign, "\\" + sign if sign != "\\" else r"\textbackslash ")
    return text.replace("×", r"$\times$")


def write_tables(comparison: Comparison, stem: Path) -> list[Path]:
    """Write the rows as CSV, Parquet and LaTeX beside one another."""
    latex = stem.with_name(f"{stem.name}.tex")
    with replacing(latex) as temporary:
        temporary.write_text(to_latex(comparison), encoding="utf-8")
    return [*write_frame(to_frame(comparison), stem), latex]


def write_frame(frame: "polars.DataFrame", stem: Path) -> list[Path]:
    """Write a data frame as CSV and Parquet beside one another."""
    paths = [stem.with_name(stem.name + suffix) for suffix in (".csv", ".parquet")]
    with replacing(paths[0]) as temporary:
        frame.write_csv(temporary)
    with replacing(paths[1]) as temporary:
        frame.write_parquet(temporary)
    return paths
