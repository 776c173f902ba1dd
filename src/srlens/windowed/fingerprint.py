"""What a module's computation depends on, in one number: a record of it is valid as long as that stays the same."""

from collections import OrderedDict
from collections.abc import Hashable, Mapping
from typing import Any

import torch
from torch import Tensor, nn


def fingerprint(module: nn.Module) -> int:
    """Changes when a weight or buffer is replaced or written to, and when any attribute or hook of a layer changes.

    Objects that are neither plain values nor collections count by their identity. What it cannot see: functions
    patched in classes, global variables, and objects that change within.
    """
    layers = [(type(layer), *_described(vars(layer))) for layer in module.modules()]
    return hash((tuple(layers), _norms([*module.parameters(), *module.buffers()])))


def last_written(tensor: Tensor) -> int | None:
    """Grows with every write to the tensor's memory; None where that is not counted (inference mode)."""
    return None if tensor.is_inference() else int(tensor._version)


def _norms(tensors: list[Tensor]) -> str:
    """The size of each tensor's values: writing to ``weight.data`` leaves no other trace."""
    values = [t.detach() for t in tensors if t.is_floating_point() and t.numel()]
    if not values:
        return ""
    norms = torch._foreach_norm(values)
    return repr(torch.stack([norm.to(values[0].device, torch.float64) for norm in norms]).tolist())


def _described(attributes: Mapping[str, Any]) -> list[Hashable]:
    """Name and content of every attribute; empty collections, of which a layer has a dozen, are left out."""
    described: list[Hashable] = []
    for name, value in attributes.items():
        kind = type(value)
        if kind in _PLAIN:
            described.append((name, kind, value))
        elif kind not in _COLLECTIONS or value:
            described.append((name, _content(value, 0)))
    return described


def _content(value: Any, depth: int) -> Hashable:
    if type(value) in _PLAIN:
        return type(value), value
    if isinstance(value, Tensor):
        return id(value), value.data_ptr(), last_written(value)
    if depth < _DEEPEST:
        if isinstance(value, Mapping):
            return tuple((_content(k, depth + 1), _content(v, depth + 1)) for k, v in value.items())
        if isinstance(value, list | tuple | set | frozenset):
            return tuple(_content(member, depth + 1) for member in value)
    return id(value)


_PLAIN = frozenset({bool, int, float, complex, str, bytes, type(None)})
_COLLECTIONS = frozenset({dict, OrderedDict, list, tuple, set, frozenset})
_DEEPEST = 4
