"""Any result as one file: arrays as safetensors, everything else as JSON beside them, equal to the last bit.

Nothing in a file is executed: the types that a file may name are listed in types.toml.
"""

import json
import math
import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from fractions import Fraction
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np
import torch
from torch import Tensor

from srlens.atomic import replacing
from srlens.attribution.method import Method
from srlens.errors import InputError, SettingError
from srlens.networks.network import Network
from srlens.shown import Shown

FORMAT = "srlens-result-1"
Arrays = Mapping[str, np.ndarray[Any, Any]]

#: The types that a file may hold.
_HOMES: dict[str, str] = tomllib.loads(files(__package__).joinpath("types.toml").read_text(encoding="utf-8"))


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
    content = encode(result, "", arrays)
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
        InputError: the file is missing, damaged or of another kind, or was made with a plug-in that is not loaded.
    """
    from safetensors import safe_open

    try:
        with safe_open(os.fsdecode(path), framework="np") as file:
            header = json.loads((file.metadata() or {}).get("srlens", "null"))
            if not isinstance(header, dict) or header.get("format") != FORMAT:
                raise InputError(f"it is no srlens result of the format {FORMAT!r}.")
            arrays = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - it is no mapping
        value = decode(header["content"], arrays)
        if not isinstance(value, Shown):
            raise InputError(f"it holds a {type(value).__name__}, which is no result.")
        return value
    except InputError as error:
        raise InputError(f"{path} holds no result that can be read: {error}") from error
    except Exception as error:  # whatever a file may hold, it is the file that is wrong
        raise InputError(
            f"{path} holds no result that can be read: {type(error).__name__}: {error}. It is missing or damaged, or "
            "of another version of srlens."
        ) from error


def encode(value: Any, place: str, arrays: dict[str, np.ndarray[Any, Any]]) -> Any:
    """A value as JSON can hold it; what JSON lacks is an object with one key that starts with ``$``.

    Args:
        value: a result, or a part of one.
        place: the name of it, from which those of its arrays are made.
        arrays: to which the arrays are added.

    Raises:
        TypeError: it holds something that results do not consist of.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"$float": str(value)}
    if isinstance(value, Tensor | np.ndarray):
        key = place or "value"
        arrays[key] = np.ascontiguousarray(value.detach().cpu().numpy() if isinstance(value, Tensor) else value)
        return {"$tensor" if isinstance(value, Tensor) else "$array": key}
    if isinstance(value, tuple | list):
        items = [encode(one, f"{place}.{k}", arrays) for k, one in enumerate(value)]
        return {"$tuple": items} if isinstance(value, tuple) else items
    if isinstance(value, Mapping):
        pairs = value.items()
        return {"$map": [[encode(k, place, arrays), encode(v, f"{place}.{k}", arrays)] for k, v in pairs]}
    if isinstance(value, Fraction):
        return {"$fraction": str(value)}
    if isinstance(value, Method):
        return {"$method": encode(value.to_record(), place, arrays)}
    if isinstance(value, Network):
        value = value.facts
    name = type(value).__name__
    if not is_dataclass(value) or name not in _HOMES:
        raise TypeError(f"{name} at {place or 'the top'} cannot be saved")
    entries = ((f.name, getattr(value, f.name)) for f in fields(value) if f.init)
    prefix = f"{place}." if place else ""
    return {"$type": name, "fields": {key: encode(one, prefix + key, arrays) for key, one in entries}}


def decode(value: Any, arrays: Arrays) -> Any:
    """An equal value from :func:`encode`; a part that is of another type than its place asks for is an error."""
    if isinstance(value, list):
        return [decode(one, arrays) for one in value]
    if not isinstance(value, dict):
        return value
    if "$type" in value:
        name = value["$type"]
        if name not in _HOMES:
            raise InputError(f"it names a type that is no result: {name!r}.")
        kind = getattr(import_module(_HOMES[name]), name)
        given, types = {key: decode(one, arrays) for key, one in value["fields"].items()}, get_type_hints(kind)
        if wrong := [key for key, one in given.items() if not _is_a(one, types[key])]:
            raise InputError(f"{wrong[0]} of its {name} is of the wrong type. The file is damaged.")
        return kind(**given)
    ((tag, content),) = value.items()
    return _DECODERS[tag](content, arrays)


def _is_a(value: Any, kind: Any) -> bool:
    """Whether a value is of an annotated type; what mappings and arrays hold is not looked at."""
    origin, parts = get_origin(kind) or kind, get_args(kind)
    if kind is Any:
        return True
    if origin in (Union, UnionType):
        return any(_is_a(value, part) for part in parts)
    if origin is Literal:
        return value in parts
    if origin is tuple and isinstance(value, tuple):
        expected = parts[:1] * len(value) if parts[1:] == (Ellipsis,) else parts
        return len(value) == len(expected) and all(map(_is_a, value, expected))
    number = int | float if origin is float else origin
    return isinstance(value, number) and (origin is bool or not isinstance(value, bool))


def _method(content: Any, arrays: Arrays) -> Method:
    record = decode(content, arrays)
    try:
        return Method.from_record(record)
    except SettingError as error:
        raise InputError(
            f"it was made with {record}. {error} Where that is a plug-in's, import it first, or name it in "
            "SRLENS_PLUGINS."
        ) from error


_DECODERS: Mapping[str, Callable[[Any, Arrays], Any]] = {
    "$float": lambda content, _: float(content),
    "$array": lambda content, arrays: arrays[content],
    "$tensor": lambda content, arrays: torch.from_numpy(arrays[content]),
    "$tuple": lambda content, arrays: tuple(decode(one, arrays) for one in content),
    "$map": lambda content, arrays: {decode(k, arrays): decode(v, arrays) for k, v in content},
    "$fraction": lambda content, _: Fraction(*map(int, content.split("/"))),  # in no other notation, such as 1e999999
    "$method": _method,
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
    if isinstance(value, np.generic):
        value = value.item()
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
