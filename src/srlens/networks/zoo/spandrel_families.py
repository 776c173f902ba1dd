"""The architectures that spandrel itself opens: facts (a table in TOML), and how it is called."""

import tomllib
from functools import cache
from importlib import resources
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from srlens.networks.checkpoint import StateDict
from srlens.networks.receptive_field import GLOBAL, UNKNOWN, ReceptiveField
from srlens.networks.zoo import spandrel_reach
from srlens.networks.zoo.family import Family


@cache
def spandrel_families() -> tuple[Family, ...]:
    """One family per super-resolution architecture of spandrel whose bare module gives one image."""
    text = resources.files(__package__).joinpath("spandrel_families.toml").read_text(encoding="utf-8")
    return tuple(_family(entry) for entry in tomllib.loads(text)["family"])


def _family(entry: dict[str, str]) -> Family:
    known: dict[str, Any] = {"global": GLOBAL, "unknown": UNKNOWN, "pooled": _global_where_pooled}
    reach = entry.pop("receptive_field")
    spandrel_id = entry.pop("id")
    fields: dict[str, Any] = {
        "name": spandrel_id,
        "spandrel_id": spandrel_id,
        "receptive_field": known[reach] if reach in known else getattr(spandrel_reach, reach),
    }
    if (argument := entry.pop("value_range", None)) is not None:
        fields["value_range"] = lambda module: float(spandrel_reach.arguments(module)[argument])
    return Family(**(fields | entry))


def _global_where_pooled(module: nn.Module) -> ReceptiveField:
    return GLOBAL if any(isinstance(layer, nn.AdaptiveAvgPool2d) for layer in module.modules()) else UNKNOWN


def load_by_spandrel(state: StateDict) -> Any:
    """Build and fill the module of a state dict; spandrel's descriptor of it.

    Raises:
        spandrel.UnsupportedModelError: it knows no such architecture.
        Exception: of many kinds, where the state dict is incomplete or of a variant.
    """
    from srlens.extras import spandrel

    with _Building():
        return spandrel.MAIN_REGISTRY.load(state)


class _Building(TorchFunctionMode):
    """Two things that spandrel's modules leave to be set for the whole process, done for this thread alone.

    Modules are built in torch's default type. float64 weights are not rounded on their way in: the float32 tensor that
    they are copied into becomes float64 first. ``torch.meshgrid`` is told the indexing that it would warn about.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call ``func``, which is any function of torch."""
        kwargs = dict(kwargs or {})
        if func is torch.meshgrid:
            kwargs["indexing"] = kwargs.get("indexing") or "ij"
        elif func is Tensor.copy_ and args[1].dtype == torch.float64 and args[0].dtype == torch.float32:
            args[0].data = args[0].data.double()
        return func(*args, **kwargs)
