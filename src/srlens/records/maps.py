"""Attribution maps as safetensors with their record as JSON metadata."""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srlens.atomic import replacing
from srlens.attribution.result import Attribution
from srlens.errors import InputError

FORMAT = "srlens-map-1"


@dataclass(frozen=True, eq=False)
class StoredMap:
    """What a map file holds.

    Attributes:
        map: signed map, C×h×w, float64.
        record: :meth:`Attribution.record` as it was written.
    """

    map: NDArray[np.float64]
    record: dict[str, Any]


def save_map(result: Attribution, path: Path, extra: dict[str, Any] | None = None) -> None:
    """Write the signed map (float64) and its record, with ``extra`` entries, into one safetensors file."""
    from safetensors.numpy import save_file

    record = {**result.record(), **(extra or {})}
    metadata = {"format": FORMAT, "record": to_json(record)}
    with replacing(path) as temporary:
        save_file({"map": np.ascontiguousarray(result.map)}, temporary, metadata=metadata)


def load_map(path: Path) -> StoredMap:
    """Read a file of :func:`save_map`.

    Raises:
        InputError: the file is missing, damaged or of another kind.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") != FORMAT:
                raise InputError(f"{path} is no srlens map (format {metadata.get('format')!r}, expected {FORMAT!r}).")
            values = file.get_tensor("map")
        return StoredMap(map=values, record=json.loads(metadata["record"]))
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} cannot be read as a map: {error}. It is missing or damaged.") from error


def to_json(value: Any, *, indent: int | None = None) -> str:
    """Strict JSON: infinities and NaN, which JSON lacks, become the strings "inf", "-inf" and "nan"."""
    return json.dumps(_plain(value), indent=indent, ensure_ascii=False, allow_nan=False)


def save_json(value: Any, path: Path) -> None:
    """Write a value as readable JSON, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(to_json(value, indent=2) + "\n", encoding="utf-8")


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
