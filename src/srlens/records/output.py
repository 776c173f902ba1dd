"""The files of a comparison, a sweep, fields of view: figures, maps, tables, result.json."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from srlens._version import __version__
from srlens.comparison.compare import Comparison
from srlens.comparison.field_of_view import FieldOfView, to_frame
from srlens.comparison.interest import Interest, area_of_interest
from srlens.comparison.sweep import Sweep
from srlens.comparison.table import write_frame
from srlens.records.archive import save, save_json

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from srlens.figures.field_of_view import View


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
    from srlens.comparison.row import Row
    from srlens.figures.comparison import comparison_figure
    from srlens.figures.explain import explain_figure
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
        save(row.result, path, extra={"image": subject.name, "image_sha256": subject.digest})
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


def write_fields_of_view(
    fields: Sequence[FieldOfView], folder: Path, *, formats: Sequence[Format] = FORMATS
) -> list[Path]:
    """Write the picture of fields of view and their table (CSV, Parquet) into ``folder``; returns the paths written."""
    from srlens.figures.field_of_view import field_of_view_figure
    from srlens.figures.save import save_figure

    first = fields[0]
    note = (
        f"Effective fields are means over {first.effective.images} places, supports over {first.support.draws} random "
        f"images. Attribution maps: {first.attribution.window}, {first.attribution.method.detector.name} detector."
    )
    stem = folder / "field-of-view"
    files = list(save_figure(field_of_view_figure([_view(field) for field in fields], note), stem, formats))
    return files + write_frame(to_frame(fields), stem)


def _view(field: FieldOfView) -> "View":
    from srlens.figures.field_of_view import View

    reach, effective = field.network.receptive_field, field.effective
    top, left, bottom, right = effective.window.on_lr(effective.scale)
    share = field.lam_share
    radii = "/".join(f"{radius:.1f}" for radius in effective.radii.values())
    support = "×".join(map(str, field.support_size))
    return View(
        name=field.network.name,
        effective=effective.map.numpy(),
        centre=((top + bottom) / 2, (left + right) / 2),
        theoretical=reach.true,
        theoretical_text=f"RF {reach}",
        support=field.support.bounds,
        radii=effective.radii,
        lam_radius=field.lam_radius,
        facts={
            "Support, LR pixels": "whole image" if field.support.is_whole_image else support,
            "Effective σ": "–" if effective.sigma == float("inf") else f"{effective.sigma:.1f}",
            "Radii 50/90/95 %": radii,
            "Map, 95 % area": f"{field.lam_area:.0f}",
            "Map, 95 % radius": f"{field.lam_radius:.1f}",
            "95 % area / RF": "–" if share is None else f"{100 * share:.0f} %",
            f"DI (LR {field.side}×{field.side})": f"{field.attribution.diffusion_index:.2f}",
        },
    )


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
