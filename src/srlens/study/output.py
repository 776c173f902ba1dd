"""The files of a comparison: figure, maps, result.json."""

import re
from pathlib import Path
from typing import Literal

from srlens._version import __version__
from srlens.records.maps import save_json, save_map
from srlens.study.compare import Comparison


def write_comparison(
    comparison: Comparison, folder: Path, *, style: Literal["default", "paper"] = "default"
) -> list[Path]:
    """Write the figure (PNG, PDF), one map a network (safetensors with its record) and result.json into ``folder``.

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
    files = list(save_figure(figure, stem))
    for row in comparison.rows:
        path = folder / f"{file_name(subject.name, row.result.network, place)}.safetensors"
        save_map(row.result, path, extra={"image": subject.name, "image_sha256": subject.digest})
        files.append(path)
    path = folder / "result.json"
    save_json({"srlens": __version__, **comparison.record()}, path)
    return [*files, path]


def file_name(*parts: str) -> str:
    """Join parts into a file name that every system takes: letters, digits, dot, dash and underscore."""
    return "_".join(re.sub(r"[^\w.-]+", "-", part, flags=re.ASCII).strip("-.") or "x" for part in parts)
