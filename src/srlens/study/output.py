"""The files of a comparison: figure, maps, result.json."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from srlens._version import __version__
from srlens.records.maps import save_json, save_map
from srlens.study.compare import Comparison
from srlens.study.interest import Interest, area_of_interest
from srlens.study.sweep import Sweep
from srlens.study.table import write_frame

if TYPE_CHECKING:
    from matplotlib.figure import Figure


Format = Literal["png", "pdf", "svg"]
FORMATS: tuple[Format, ...] = ("png", "pdf")
"""What figures are saved as unless the caller says otherwise."""


def write_comparison(
    comparison: Comparison,
    folder: Path,
    *,
    style: Literal["default", "paper"] = "default",
    formats: Sequence[Format] = FORMATS,
) -> list[Path]:
    """Write the figure, one map a network (safetensors with its record) and result.json into ``folder``.

    Several networks have a second figure: their area of interest.

    Returns:
        The paths written, the figure first.
    """
    from srlens.figures.comparison import comparison_figure
    from srlens.figures.explain import explain_figure
    from srlens.figures.row import Row
    from srlens.figures.save import save_figure

    subject, window = comparison.subject, comparison.window
    place = f"t{window.top}_l{window.left}"
    rows = [Row(row.result, row.sr, row.psnr_window, row.psnr_image) for row in comparison.rows]
    if len(rows) == 1:
        stem = folder / file_name(subject.name, rows[0].result.network, place)
        only = rows[0]
        figure = explain_figure(
            only.result,
            subject.lr,
            only.sr,
            subject.hr,
            psnr=only.psnr_window,
            psnr_image=only.psnr_image,
            style=style,
        )
    else:
        stem = folder / file_name(subject.name, "comparison", place)
        figure = comparison_figure(rows, subject.lr, subject.hr, style=style)
    files = list(save_figure(figure, stem, formats))
    record = comparison.record()
    if len(rows) > 1:
        interest = area_of_interest(comparison)
        record["area_of_interest"] = interest.record()
        stem = folder / file_name(subject.name, "comparison_interest", place)
        files += save_figure(_interest_figure(comparison, interest), stem, formats)
    for row in comparison.rows:
        path = folder / f"{file_name(subject.name, row.result.network, place)}.safetensors"
        save_map(row.result, path, extra={"image": subject.name, "image_sha256": subject.digest})
        files.append(path)
    path = folder / "result.json"
    save_json({"srlens": __version__, **record}, path)
    return [*files, path]


def write_sweep(swept: Sweep, folder: Path, *, formats: Sequence[Format] = FORMATS) -> list[Path]:
    """Write the picture of a sweep and its table (CSV, Parquet) into ``folder``; returns the paths written."""
    from srlens.figures.save import save_figure
    from srlens.figures.sweep import sweep_figure

    results = {name: [point.result for point in points] for name, points in swept.points.items()}
    stem = folder / f"sweep_{swept.setting}"
    files = list(save_figure(sweep_figure(swept.setting, swept.values, results), stem, formats))
    return files + write_frame(swept.to_frame(), stem)


def _interest_figure(comparison: Comparison, interest: Interest) -> "Figure":
    from srlens.figures.interest import Shared, interest_figure

    results = [row.result for row in comparison.rows]
    names = [result.network for result in results]
    shared = Shared(
        interest.consensus,
        interest.difference,
        interest.better,
        interest.worse,
        interest.judged_by,
        interest.matrix(names, "rank_correlation"),
        interest.matrix(names, "overlap"),
    )
    return interest_figure(results, comparison.subject.lr, shared)


def file_name(*parts: str) -> str:
    """Join parts into a file name that every system takes: letters, digits, dot, dash and underscore."""
    return "_".join(re.sub(r"[^\w.-]+", "-", part, flags=re.ASCII).strip("-.") or "x" for part in parts)
