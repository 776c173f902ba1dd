"""From a file to a :class:`Network`, by the file alone."""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from srlens.errors import CheckpointError, SettingError, UnknownArchitectureError
from srlens.networks.checkpoint import StateDict, read_state_dict, readings
from srlens.networks.differentiable import ensure_differentiable
from srlens.networks.network import Colour, Network
from srlens.networks.padding import Padding
from srlens.networks.receptive_field import UNKNOWN


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
    chosen = dtype if dtype is not None else torch.float64 if double else torch.float32
    with warnings.catch_warnings():
        # spandrel's CRAFT calls torch.meshgrid in its old form. torch says so once a process; nobody here can mend it.
        warnings.filterwarnings("ignore", message="torch.meshgrid", category=UserWarning)
        with _default_dtype(torch.float64 if double else torch.float32):
            network = _from_state_dict(state, path.name, scale=scale, value_range=value_range, name=name or path.stem)
        network.module.eval().requires_grad_(False).to(device=device, dtype=chosen)
        ensure_differentiable(network)
    return network


def _from_state_dict(
    state: StateDict, file: str, *, scale: int | None, value_range: float | None, name: str
) -> Network:
    from spandrel import ImageModelDescriptor, UnsupportedModelError

    from srlens.networks.zoo.registry import families

    try:
        descriptor = _load_first(readings(state))
    except UnsupportedModelError as error:
        keys = ", ".join(list(state)[:4])
        raise UnknownArchitectureError(
            f"{file} is a checkpoint of no known architecture (first keys: {keys}). `srlens networks list` shows the "
            "known ones; for your own, build the module and use srlens.Network.wrap, or --module on the command line."
        ) from error
    except (
        RuntimeError,
        KeyError,
        ValueError,
        AssertionError,
        IndexError,
        TypeError,
        ZeroDivisionError,
    ) as error:
        # The keys look like a family's, but the rest does not follow from it: a variant or a damaged file.
        raise CheckpointError(
            f"{file} looks like a known architecture, but does not load strictly: {str(error).splitlines()[0][:300]}. "
            "It is a variant or an incomplete file; use srlens.Network.wrap with its own module."
        ) from error
    if not isinstance(descriptor, ImageModelDescriptor):
        raise UnknownArchitectureError(f"{file} is a {descriptor.architecture.name}, which is no image network.")
    module: nn.Module = descriptor.model
    family = families().get(descriptor.architecture.id)
    chosen = _choose_scale(module, descriptor.scale, scale, file)
    requirements = descriptor.size_requirements
    if value_range is None:
        value_range = family.value_range(module) if family is not None else 1.0
    elif not 0 < value_range < float("inf"):
        raise SettingError(f"value_range must be positive (1.0 or 255.0 as a rule), got {value_range!r}.")
    colours: dict[int, Colour] = {1: "y", 3: "rgb"}
    return Network(
        module=module,
        scale=chosen,
        channels=descriptor.input_channels,
        value_range=float(value_range),
        name=name,
        family=family.name if family is not None else descriptor.architecture.name,
        kind=family.kind if family is not None else None,
        colour=colours.get(descriptor.input_channels, "any"),
        padding=Padding(
            multiple=max(requirements.multiple_of, 1),
            minimum=max(requirements.minimum, 1),
            square=requirements.square,
        ),
        receptive_field=family.receptive_field(module) if family is not None else UNKNOWN,
        source=file,
    )


def _load_first(candidates: Iterator[StateDict]) -> Any:
    """Load the first reading of a state dict that some architecture knows."""
    from spandrel import UnsupportedModelError

    from srlens.networks.zoo.registry import registry

    for state in candidates:
        try:
            return registry().load(state)
        except UnsupportedModelError as error:
            unsupported = error
    raise unsupported


@contextmanager
def _default_dtype(dtype: torch.dtype) -> Iterator[None]:
    """Modules are built in this type, so that float64 weights are not rounded on their way in."""
    previous = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(previous)


def _choose_scale(module: nn.Module, found: int, wanted: int | None, file: str) -> int:
    if wanted is None or wanted == found:
        return found
    scales: tuple[int, ...] = tuple(getattr(module, "scales", (found,)))
    select = getattr(module, "select_scale", None)
    if select is None or wanted not in scales:
        raise SettingError(f"{file} has no scale {wanted}; it has {', '.join(map(str, scales))}.")
    select(wanted)
    return wanted
