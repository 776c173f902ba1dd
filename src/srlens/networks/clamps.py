"""Clamps inside a network, whose gradient is zero wherever they bind."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

_OPERATORS = ("clamp", "clamp_", "clamp_min", "clamp_min_", "clamp_max", "clamp_max_", "hardtanh", "hardtanh_")


@dataclass(frozen=True)
class Clamp:
    """One clamp that was met.

    Attributes:
        stage: where: ``"condition"``, ``"step 3"`` (from 1), ``"output"``.
        low: the lower bound; None where there is none, or where it is a tensor.
        high: the upper bound, likewise.
        share: of the values that lay outside, in [0, 1]: no gradient passes them.
    """

    stage: str
    low: float | None
    high: float | None
    share: float

    def __str__(self) -> str:
        """In words."""
        bounds = f"[{'' if self.low is None else f'{self.low:g}'}, {'' if self.high is None else f'{self.high:g}'}]"
        return f"{self.stage}: clamp to {bounds} stops the gradient at {self.share:.1%} of the values"


class ClampWatch(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch leaves it unannotated
    """Collects every clamp that is computed within it; ``stage`` is the caller's to set.

    A bound counts as reached where the value lies beyond it: at the bound itself torch passes the gradient.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.stage = "condition"
        self.found: list[Clamp] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Count what lies outside, then compute as ever."""
        kwargs = kwargs or {}
        name = func.overloadpacket.__name__
        if name in _OPERATORS:
            given = {
                argument.name: value for argument, value in zip(func._schema.arguments, args, strict=False)
            } | kwargs
            low, high = given.get("min", given.get("min_val")), given.get("max", given.get("max_val"))
            self.found.append(Clamp(self.stage, _number(low), _number(high), _outside(given["self"], low, high)))
        return func(*args, **kwargs)


@contextmanager
def watched() -> Iterator[ClampWatch]:
    """Within the block clamps are collected."""
    with ClampWatch() as watch:
        yield watch


def _outside(values: Tensor, low: Any, high: Any) -> float:
    outside = torch.zeros_like(values, dtype=torch.bool)
    if low is not None:
        outside |= values < low
    if high is not None:
        outside |= values > high
    return float(outside.double().mean())


def _number(bound: Any) -> float | None:
    return None if bound is None or isinstance(bound, Tensor) else float(bound)
