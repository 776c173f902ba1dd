"""A field on disk: points are written as they come, and a run that was cut off goes on where it stopped."""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
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
from srlens.networks.sampled import sampling_facts
from srlens.records.archive import decode, encode, to_json
from srlens.records.output import FORMATS, Format, draw, file_name, settings_name


def run_field(
    network: Network,
    subject: Subject,
    method: Method,
    folder: str | os.PathLike[str],
    *,
    size: int = 16,
    stride: int | None = None,
    memory: int = 2**30,
    regional: bool = True,
    formats: Sequence[Format] = FORMATS,
    progress: Progress | None = None,
) -> tuple[Field, list[Path]]:
    """Compute a field and write picture (by default PNG and PDF), table (Parquet) and the points' log into ``folder``.

    The log is appended to window by window. A later run with the same network, image and settings takes from it what
    is done, whatever ended the first.

    Returns:
        The field, and the files, the picture first.
    """
    network = subject.told(network)
    height, width = subject.lr.shape[-2:]
    stride = size if stride is None else stride
    windows = grid_windows(height * network.scale, width * network.scale, size, stride)
    folder = Path(folder)
    stem = folder / file_name(subject.name, network.name, "field", f"{size}x{size}", *settings_name(method))
    log = stem.with_name(stem.name + ".jsonl")
    key = to_json(_key(network, subject, method, size, stride))
    known = _read(log, key)
    missing = [window for window in windows if window not in known]
    folder.mkdir(parents=True, exist_ok=True)
    network.upscale(subject.lr)  # for its warning: windows are computed by themselves
    explainer = Explainer(network, subject.lr, method, regional=regional, **subject.made)
    with log.open("a" if known else "w", encoding="utf-8") as file:
        if not known:
            file.write(key + "\n")
        for result in explainer.windows(missing, memory=memory, progress=progress):
            point = known[result.window] = FieldPoint.of(result), result.evaluations, result.evaluation
            file.write(to_json(encode(point, "", {})) + "\n")
            file.flush()
    *_, evaluations, evaluation = known[windows[-1]]
    points, of = tuple(known[window][0] for window in windows), (network.scale, network.name, network.digest)
    found = Field(points, (height, width), *of, method, evaluations, evaluation, explainer.image.numpy())
    table = _write_table(found, subject, stem, sampling_facts(network))  # first, so that no failure to draw costs it
    return found, [*draw(found, stem, formats, lr=subject.picture), table, log]


def _key(network: Network, subject: Subject, method: Method, size: int, stride: int) -> dict[str, Any]:
    """Everything that the numbers depend on."""
    return {
        "format": "srlens-field-2",
        "srlens": __version__,
        "weights_sha256": network.digest,
        "value_range": network.value_range,
        "noise_level": network.noise_level,
        **sampling_facts(network),
        "image": subject.name,
        "image_sha256": subject.digest,
        "degradation": subject.degradation,
        "lr_size": list(subject.lr.shape[-2:]),
        # A part of the picture, another seed: what the file's digest does not tell.
        "pixels_sha256": [None if one is None else _digest(one) for one in (subject.lr, subject.hr)],
        "size": size,
        "stride": stride,
        "method": method.to_record(),
    }


def _digest(image: Tensor) -> str:
    return hashlib.sha256(image.contiguous().cpu().numpy().tobytes()).hexdigest()


def _read(log: Path, key: str) -> dict[Window, tuple[FieldPoint, int, str]]:
    """Points of an earlier run of the same, with how they were evaluated; a line cut off at the end is left out."""
    lines = log.read_text(encoding="utf-8").splitlines() if log.is_file() else []
    known: dict[Window, tuple[FieldPoint, int, str]] = {}
    if not lines or lines[0] != key:
        return known
    for line in lines[1:]:
        try:
            point, evaluations, evaluation = decode(json.loads(line), {})
        except json.JSONDecodeError:  # the line that was being written when the run ended
            break
        known[point.window] = point, evaluations, evaluation
    with replacing(log) as temporary:
        temporary.write_text("\n".join(lines[: 1 + len(known)]) + "\n", encoding="utf-8")
    return known


def _write_table(found: Field, subject: Subject, stem: Path, sampling: Mapping[str, int | None]) -> Path:
    """One row a window, every condition beside it."""
    from srlens.extras import polars

    conditions = {
        "image": subject.name,
        "network": found.network,
        "weights_sha256": found.network_digest,
        "lr_height": found.lr_size[0],
        "lr_width": found.lr_size[1],
        "scale": found.scale,
        "degradation": subject.degradation,
        **found.method.to_record(),
        **sampling,
    }
    rows = []
    for point in found.points:
        values = asdict(point)
        rows.append({**values.pop("window"), **values, **conditions})
    path = stem.with_name(stem.name + ".parquet")
    with replacing(path) as temporary:
        polars.DataFrame(rows, infer_schema_length=None).write_parquet(temporary)
    return path
