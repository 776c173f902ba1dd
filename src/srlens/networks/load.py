"""From a file to a :class:`Network`, by the file alone."""

import os
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from srlens.errors import CheckpointError, SettingError, SrlensError, UnknownArchitectureError
from srlens.networks.checkpoint import StateDict, read_state_dict
from srlens.networks.differentiable import ensure_differentiable
from srlens.networks.network import Network


def load_network(
    path: str | os.PathLike[str],
    *,
    scale: int | None = None,
    value_range: float | None = None,
    name: str | None = None,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
) -> Network:
    """Load a published or home-made checkpoint; architecture, size and scale are read from its weights.

    Known are srlens's own families (``srlens networks list``) and all of spandrel's. The file is read with
    ``weights_only``: nothing in it is executed. The network comes in eval mode, its weights frozen.

    Args:
        path: .pth, .pt, .ckpt, .bin or .safetensors.
        scale: which scale to use of a file that holds several (CARN-M, FSRCNN); by default 4 where there is one.
        value_range: overrides the family's value range (1.0 or 255.0).
        name: for captions; the file's stem by default.
        device: where to put the weights; the CPU by default.
        dtype: the weights' type; by default float64 for a file of float64 weights and float32 for all others.

    Raises:
        CheckpointError, UnsafeCheckpointError, UnknownArchitectureError: the file cannot be used.
        NotFiniteError: it holds NaN or infinity.
        NotDifferentiableError: no gradient reaches the input.
        SettingError: the file has no such scale.
    """
    path = Path(path)
    state = read_state_dict(path)
    double = any(tensor.dtype == torch.float64 for tensor in state.values())
    if value_range is not None and not 0 < value_range < float("inf"):
        raise SettingError(f"value_range must be positive (1.0 or 255.0 as a rule), got {value_range!r}.")
    network = _from_state_dict(state, path.name)
    network = replace(
        network,
        scale=_choose_scale(network.module, network.scale, scale, path.name),
        value_range=network.value_range if value_range is None else float(value_range),
        name=name or path.stem,
        source=path.name,
    )
    network.module.eval().requires_grad_(False)
    network.module.to(device=device, dtype=dtype or (torch.float64 if double else torch.float32))
    ensure_differentiable(network)
    return network


def _from_state_dict(state: StateDict, file: str) -> Network:
    from srlens.networks.zoo.registry import open_state

    try:
        network = open_state(state, file)
    except SrlensError:
        raise
    except (RuntimeError, KeyError, ValueError, AssertionError, IndexError, TypeError, ZeroDivisionError) as error:
        # The keys look like a family's, but the rest does not follow from it: a variant or a damaged file.
        raise CheckpointError(
            f"{file} looks like a known architecture, but does not load strictly: {str(error).splitlines()[0][:300]}. "
            "It is a variant or an incomplete file; use srlens.Network.wrap with its own module."
        ) from error
    if network is None:
        keys = ", ".join(list(state)[:4])
        raise UnknownArchitectureError(
            f"{file} is a checkpoint of no known architecture (first keys: {keys}). `srlens networks list` shows the "
            "known ones; for your own, build the module and use srlens.Network.wrap, or --module on the command line."
        )
    return network


def _choose_scale(module: nn.Module, found: int, wanted: int | None, file: str) -> int:
    if wanted is None or wanted == found:
        return found
    scales: tuple[int, ...] = tuple(getattr(module, "scales", (found,)))
    select = getattr(module, "select_scale", None)
    if select is None or wanted not in scales:
        raise SettingError(f"{file} has no scale {wanted}; it has {', '.join(map(str, scales))}.")
    select(wanted)
    return wanted
