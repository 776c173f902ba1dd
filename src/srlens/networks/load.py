"""From a file to a :class:`Network`, by the file alone."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from srlens.errors import SettingError
from srlens.imaging.check import check_range
from srlens.networks.checkpoint import read_state_dict
from srlens.networks.colours import Colour, colour_of
from srlens.networks.device import Device
from srlens.networks.differentiable import ensure_differentiable
from srlens.networks.frozen import settle
from srlens.networks.likeness import warn_where_unlike
from srlens.networks.network import Network


def load_network(
    path: str | os.PathLike[str],
    *,
    scale: int | None = None,
    value_range: float | None = None,
    colour: Colour | None = None,
    name: str | None = None,
    device: Device = None,
    dtype: torch.dtype | None = None,
) -> Network:
    """Load a published or home-made checkpoint; architecture, size and scale are read from its weights.

    Known are srlens's own families (``srlens networks list``) and all of spandrel's. The file is read with
    ``weights_only``: nothing in it is executed. The network comes in eval mode, its weights frozen.

    Args:
        path: .pth, .pt, .ckpt, .bin or .safetensors.
        scale: which scale to use of a file that holds several (CARN-M, FSRCNN); by default 4 where there is one.
        value_range: overrides the family's value range (1.0 or 255.0).
        colour: overrides what is known of the channels: ``"y"`` or ``"grey"`` for one, see :class:`Network`.
        name: for captions; the file's stem by default.
        device: where to put the weights; the CPU by default.
        dtype: the weights' type; by default float64 for a file of float64 weights and float32 for all others.

    Raises:
        CheckpointError, UnsafeCheckpointError, UnknownArchitectureError: the file cannot be used.
        NotFiniteError: it holds NaN or infinity.
        NotDifferentiableError: no gradient reaches the input.
        SettingError: the file has no such scale, or cannot have that range or colour.

    Warns:
        UnlikeInputWarning: what it makes of a photograph does not look like it.
    """
    from srlens.networks.zoo.registry import open_state

    path = Path(path)
    state = read_state_dict(path)
    double = any(tensor.dtype == torch.float64 for tensor in state.values())
    network = open_state(state, path.name)
    network = replace(
        network,
        scale=_choose_scale(network.module, network.scale, scale, path.name),
        value_range=network.value_range if value_range is None else check_range(value_range),
        colour=network.colour if colour is None else colour_of(network.channels, colour, scale=network.scale),
        name=name or path.stem,
        source=path.name,
    )
    settle(network.module, device, dtype or (torch.float64 if double else torch.float32))
    ensure_differentiable(network)
    warn_where_unlike(network)
    return network


def _choose_scale(module: Any, found: int, wanted: int | None, file: str) -> int:
    scales: tuple[int, ...] = tuple(getattr(module, "scales", (found,)))
    if wanted is None:
        return found
    if wanted not in scales:
        raise SettingError(f"{file} has no scale {wanted}; it has {', '.join(map(str, scales))}.")
    chosen = scales[scales.index(wanted)]  # 4 for 4.0
    if chosen != found:
        module.select_scale(chosen)
    return chosen
