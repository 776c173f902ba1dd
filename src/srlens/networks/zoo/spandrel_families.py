"""The architectures that spandrel itself opens: facts (a table in TOML), and how it is called."""

from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from srlens.networks.checkpoint import StateDict
from srlens.networks.listing import family_facts
from srlens.networks.receptive_field import GLOBAL, UNKNOWN, ReceptiveField
from srlens.networks.zoo import spandrel_reach
from srlens.networks.zoo.family import Family


@cache
def spandrel_families() -> tuple[Family, ...]:
    """One family per architecture of spandrel that makes one picture of one."""
    return tuple(_family(dict(entry)) for entry in family_facts("spandrel").values())


def _family(entry: dict[str, Any]) -> Family:
    known: dict[str, Any] = {"global": GLOBAL, "unknown": UNKNOWN, "pooled": _global_where_pooled}
    reach = entry.pop("receptive_field")
    told = known[reach] if reach in known else getattr(spandrel_reach, reach)
    fields: dict[str, Any] = {"spandrel_id": entry.pop("id"), "receptive_field": told}
    if (argument := entry.pop("value_range", None)) is not None:
        fields["value_range"] = lambda module: float(spandrel_reach.arguments(module)[argument])
    if entry.pop("symmetric", False):
        fields["forward"] = _on_symmetric_range
    if entry.pop("noise_map", False):
        fields["noise_map"] = _takes_noise_map
    return Family(**(fields | entry))


def _on_symmetric_range(module: nn.Module, x: Tensor) -> Tensor:
    """A module that was trained on −1 to 1, on 0 to 1."""
    return (module(2 * x - 1) + 1) / 2


def _takes_noise_map(module: nn.Module) -> bool:
    built = spandrel_reach.arguments(module)
    return bool(built["in_nc"] == built["out_nc"] + 1)


def _global_where_pooled(module: nn.Module) -> ReceptiveField:
    return GLOBAL if any(isinstance(layer, nn.AdaptiveAvgPool2d) for layer in module.modules()) else UNKNOWN


def spandrel_name(state: StateDict) -> str | None:
    """What spandrel calls the architecture of a state dict; None where it knows none."""
    from srlens.extras import spandrel

    state = spandrel.canonicalize_state_dict(_with_branches(state))
    known = spandrel.MAIN_REGISTRY.architectures("detection")
    return next((one.architecture.name for one in known if one.detect(state)), None)


def load_by_spandrel(state: StateDict) -> Any:
    """Build and fill the module of a state dict; spandrel's descriptor of it.

    Raises:
        Exception: of many kinds, where the state dict is incomplete or of a variant.
    """
    from srlens.extras import spandrel

    with _Building():
        return spandrel.MAIN_REGISTRY.load(_with_branches(state))


def _with_branches(state: StateDict) -> StateDict:
    """A deployed SPAN, of which the merged convolutions (``eval_conv``) are left, with branches that merge to them.

    spandrel's module merges them anew in each call: here an identity, the convolution itself and another identity, to
    the last bit, and no skip. Layers are twice as wide in training.
    """
    merged = [key.removesuffix("eval_conv.weight") for key in state if key.endswith(".eval_conv.weight")]
    if not merged or f"{merged[0]}sk.weight" in state:
        return state
    full = dict(state)
    for layer in merged:
        kernel, bias = state[f"{layer}eval_conv.weight"], state[f"{layer}eval_conv.bias"]
        out, into = kernel.shape[:2]
        parts = {
            "sk.weight": kernel.new_zeros(out, into, 1, 1),
            "conv.0.weight": nn.init.dirac_(kernel.new_empty(2 * into, into, 1, 1)),
            "conv.1.weight": nn.functional.pad(kernel, (0, 0, 0, 0, 0, into, 0, out)),
            "conv.2.weight": nn.init.dirac_(kernel.new_empty(out, 2 * out, 1, 1)),
            "sk.bias": torch.zeros_like(bias),
            "conv.0.bias": bias.new_zeros(2 * into),
            "conv.1.bias": bias.new_zeros(2 * out),
            "conv.2.bias": bias,
        }
        full |= {f"{layer}{name}": part for name, part in parts.items()}
    return full


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
