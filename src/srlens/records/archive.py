"""Any result as one file: arrays as safetensors, everything else as JSON beside them, equal to the last bit.

Nothing in a file is executed: the types that a file may name are listed here.
"""

import json
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from fractions import Fraction
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from srlens.atomic import replacing
from srlens.attribution.method import Method
from srlens.errors import InputError
from srlens.networks.network import Network
from srlens.shown import Shown

FORMAT = "srlens-result-1"

#: The types that a file may hold.
_HOMES = {
    "Attribution": "srlens.attribution.result",
    "Comparison": "srlens.comparison.compare",
    "EffectiveField": "srlens.comparison.effective",
    "Explained": "srlens.comparison.explained",
    "Field": "srlens.attribution.field",
    "FieldOfView": "srlens.comparison.field_of_view",
    "FieldPoint": "srlens.attribution.field",
    "GradientSupport": "srlens.comparison.support",
    "Interest": "srlens.comparison.interest",
    "NetworkFacts": "srlens.networks.facts",
    "Measurable": "srlens.comparison.explained",
    "Pair": "srlens.comparison.interest",
    "ReceptiveField": "srlens.networks.receptive_field",
    "Stage": "srlens.networks.receptive_field",
    "Subject": "srlens.comparison.subject",
    "Sweep": "srlens.comparison.sweep",
    "SweepPoint": "srlens.comparison.sweep",
    "Window": "srlens.imaging.window",
}


def save(result: Shown, path: str | os.PathLike[str], extra: Mapping[str, Any] | None = None) -> Path:
    """Write a result; see :meth:`srlens.shown.Shown.save`.

    Args:
        result: of any kind.
        path: of the file.
        extra: entries for the readable record (``record`` in the file's header), beside those of the result.
    """
    from safetensors.numpy import save_file

    target = Path(path)
    target = target if target.suffix else target.with_suffix(".safetensors")
    arrays: dict[str, np.ndarray[Any, Any]] = {}
    content = _encoded(result, "", arrays)
    own = getattr(result, "record", None)
    record = {**(own() if own is not None else {"summary": result.summary}), **(extra or {})}
    # One entry, since safetensors writes several in any order, and equal results are to be equal files.
    header = to_json({"format": FORMAT, "record": record, "content": content})
    with replacing(target) as temporary:
        save_file(arrays, temporary, metadata={"srlens": header})
    return target


def load(path: str | os.PathLike[str]) -> Any:
    """Read a result of any kind that :meth:`~srlens.shown.Shown.save`, ``srlens explain`` or a study wrote.

    Raises:
        InputError: the file is missing, damaged or of another kind.
    """
    content, arrays, _ = _read(path)
    try:
        return _decoded(content, arrays)
    except InputError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{path} holds no result of this version of srlens: {error}.") from error


def load_record(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The readable record of a file: numbers and settings as plain values.

    Raises:
        InputError: as :func:`load`.
    """
    return _read(path)[2]


def _read(path: str | os.PathLike[str]) -> tuple[Any, dict[str, np.ndarray[Any, Any]], dict[str, Any]]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as file:
            header = json.loads((file.metadata() or {}).get("srlens", "{}"))
            if header.get("format") != FORMAT:
                raise InputError(f"{path} is no srlens result (format {header.get('format')!r}, not {FORMAT!r}).")
            arrays = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - it is no mapping
        return header["content"], arrays, header["record"]
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} cannot be read as a result: {error}. It is missing or damaged.") from error


def _encoded(value: Any, place: str, arrays: dict[str, np.ndarray[Any, Any]]) -> Any:
    """A value as JSON can hold it; what JSON lacks is an object with one key that starts with ``$``."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"$float": str(value)}
    if isinstance(value, Tensor | np.ndarray):
        key = place or "value"
        arrays[key] = np.ascontiguousarray(value.detach().cpu().numpy() if isinstance(value, Tensor) else value)
        return {"$tensor" if isinstance(value, Tensor) else "$array": key}
    if isinstance(value, tuple | list):
        items = [_encoded(one, f"{place}.{k}", arrays) for k, one in enumerate(value)]
        return {"$tuple": items} if isinstance(value, tuple) else items
    if isinstance(value, Mapping):
        pairs = value.items()
        return {"$map": [[_encoded(k, place, arrays), _encoded(v, f"{place}.{k}", arrays)] for k, v in pairs]}
    if isinstance(value, Fraction):
        return {"$fraction": str(value)}
    if isinstance(value, Method):
        return {"$method": _encoded(value.to_record(), place, arrays)}
    if isinstance(value, Network):
        value = value.facts
    name = type(value).__name__
    if not is_dataclass(value) or name not in _HOMES:
        raise TypeError(f"{name} at {place or 'the top'} cannot be saved")
    entries = ((f.name, getattr(value, f.name)) for f in fields(value) if f.init)
    prefix = f"{place}." if place else ""
    return {"$type": name, "fields": {key: _encoded(one, prefix + key, arrays) for key, one in entries}}


def _decoded(value: Any, arrays: Mapping[str, np.ndarray[Any, Any]]) -> Any:
    if isinstance(value, list):
        return [_decoded(one, arrays) for one in value]
    if not isinstance(value, dict):
        return value
    if "$type" in value:
        name = value["$type"]
        if name not in _HOMES:
            raise InputError(f"The file names a type that is no result: {name!r}.")
        kind = getattr(import_module(_HOMES[name]), name)
        return kind(**{key: _decoded(one, arrays) for key, one in value["fields"].items()})
    ((tag, content),) = value.items()
    return _DECODERS[tag](content, arrays)


_DECODERS: Mapping[str, Callable[[Any, Mapping[str, np.ndarray[Any, Any]]], Any]] = {
    "$float": lambda content, _: float(content),
    "$array": lambda content, arrays: arrays[content],
    "$tensor": lambda content, arrays: torch.from_numpy(arrays[content]),
    "$tuple": lambda content, arrays: tuple(_decoded(one, arrays) for one in content),
    "$map": lambda content, arrays: {_decoded(k, arrays): _decoded(v, arrays) for k, v in content},
    "$fraction": lambda content, _: Fraction(content),
    "$method": lambda content, arrays: Method.from_record(_decoded(content, arrays)),
}


def to_json(value: Any, *, indent: int | None = None) -> str:
    """Strict JSON: infinities and NaN, which JSON lacks, become the strings "inf", "-inf" and "nan"."""
    return json.dumps(_plain(value), indent=indent, ensure_ascii=False, allow_nan=False)


def save_json(value: Any, path: Path) -> None:
    """Write a value as readable JSON, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(to_json(value, indent=2) + "\n", encoding="utf-8")


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
