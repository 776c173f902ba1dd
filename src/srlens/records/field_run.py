"""A field on disk: points are written as they come, and a run that was cut off goes on where it stopped."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import Tensor

from srlens._version import __version__
from srlens.atomic import replacing
from srlens.attribution.explainer import Explainer
from srlens.attribution.field import Field, FieldPoint, grid_windows
from srlens.attribution.method import Method
from srlens.attribution.scene import Progress
from srlens.comparison.subject import Subject
from srlens.imaging.window import Window
from srlens.networks.network import Network
from srlens.records.archive import to_json


def run_field(
    network: Network,
    subject: Subject,
    method: Method,
    folder: Path,
    *,
    size: int = 16,
    stride: int | None = None,
    memory: int = 2**30,
    regional: bool = True,
    formats: Sequence[str] = ("png", "pdf"),
    progress: Progress | None = None,
) -> tuple[Field, list[Path]]:
    """Compute a field and write picture (by default PNG and PDF), table (Parquet) and the points' log into ``folder``.

    The log is appended to window by window. A later run with the same network, image and settings takes from it what
    is done, whatever ended the first.

    Returns:
        The field, and the files, the picture first.
    """
    from srlens.records.output import file_name

    height, width = (side * network.scale for side in subject.lr.shape[-2:])
    windows = grid_windows(height, width, size, stride if stride is not None else size)
    stem = folder / file_name(subject.name, network.name, "field")
    log = stem.with_name(stem.name + ".jsonl")
    key = to_json(_key(network, subject, method, size, stride))
    known, evaluation, evaluations = _read(log, key)
    missing = tuple(window for window in windows if window not in known)
    folder.mkdir(parents=True, exist_ok=True)
    with log.open("a" if known else "w", encoding="utf-8") as file:
        if not known:
            file.write(key + "\n")
        explainer = Explainer(network, subject.lr, method, clean=subject.hr, regional=regional)
        for result in explainer.windows(missing, memory=memory, progress=progress):
            point = FieldPoint.of(result)
            known[point.window] = point
            evaluation, evaluations = result.evaluation, result.evaluations
            file.write(to_json({**asdict(point), "evaluation": evaluation, "evaluations": evaluations}) + "\n")
            file.flush()
    found = Field(
        points=tuple(known[window] for window in windows),
        lr_size=(subject.lr.shape[-2], subject.lr.shape[-1]),
        scale=network.scale,
        network=network.name,
        network_digest=network.digest,
        method=method,
        evaluations=evaluations,
        evaluation=evaluation,
    )
    table = _write_table(found, subject, stem)  # first, so that no failure to draw costs it
    return found, [*_write_figure(found, subject.lr, stem, formats), table, log]


def _key(network: Network, subject: Subject, method: Method, size: int, stride: int | None) -> dict[str, Any]:
    """Everything that the numbers depend on."""
    return {
        "format": "srlens-field-1",
        "srlens": __version__,
        "weights_sha256": network.digest,
        "value_range": network.value_range,
        "image": subject.name,
        "image_sha256": subject.digest,
        "degradation": subject.degradation,
        "lr_size": list(subject.lr.shape[-2:]),
        "size": size,
        "stride": stride,
        "method": method.to_record(),
    }


def _read(log: Path, key: str) -> tuple[dict[Window, FieldPoint], str, int]:
    """Points of an earlier run of the same; a line cut off at the end is left out."""
    if not log.is_file():
        return {}, "", 0
    lines = log.read_text(encoding="utf-8").splitlines()
    if not lines or lines[0] != key:
        return {}, "", 0
    known: dict[Window, FieldPoint] = {}
    evaluation, evaluations = "", 0
    for line in lines[1:]:
        try:
            entry = json.loads(line)
        except json.JSONDecodeError:  # the line that was being written when the run ended
            break
        evaluation, evaluations = entry.pop("evaluation"), entry.pop("evaluations")
        window = Window(**entry.pop("window"))
        entry = {name: float(value) if value is not None else None for name, value in entry.items()}
        known[window] = FieldPoint(window=window, **entry)
    kept = "\n".join([key, *(line for line in lines[1 : 1 + len(known)])]) + "\n"
    with replacing(log) as temporary:
        temporary.write_text(kept, encoding="utf-8")
    return known, evaluation, evaluations


def _write_figure(found: Field, lr: Tensor, stem: Path, formats: Sequence[str]) -> list[Path]:
    from srlens.figures.field import field_figure
    from srlens.figures.save import save_figure

    return list(save_figure(field_figure(found, lr), stem, formats))


def _write_table(found: Field, subject: Subject, stem: Path) -> Path:
    """One row a window, every condition beside it."""
    from srlens.extras import polars

    conditions = {
        "image": subject.name,
        "network": found.network,
        "weights_sha256": found.network_digest,
        "lr_height": found.lr_size[0],
        "lr_width": found.lr_size[1],
        "scale": found.scale,
        **found.method.to_record(),
    }
    rows = []
    for point in found.points:
        values = asdict(point)
        rows.append({**values.pop("window"), **values, **conditions})
    path = stem.with_name(stem.name + ".parquet")
    with replacing(path) as temporary:
        polars.DataFrame(rows, infer_schema_length=None).write_parquet(temporary)
    return path
