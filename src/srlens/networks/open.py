"""One way to name a network, for the command line, studies and the web page."""

import os
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

import torch

from srlens.errors import CheckpointError, SettingError
from srlens.networks.catalog import catalog, fetch
from srlens.networks.default import DEFAULT_NETWORKS, DISPLAY_NAMES
from srlens.networks.load import load_network
from srlens.networks.network import Network
from srlens.networks.shipped import load_default, shipped_name
from srlens.networks.user_module import load_module_network

_SUFFIXES = (".pth", ".pt", ".ckpt", ".bin", ".safetensors", ".pkl")


def open_network(
    spec: str | os.PathLike[str],
    *,
    scale: int | None = None,
    value_range: float | None = None,
    channels: int | None = None,
    name: str | None = None,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
    module: bool = False,
) -> Network:
    """Open a network by whatever names it.

    In this order: a shipped network (``"plain"`` or ``"srlens-plain-x4"``), a published checkpoint of the catalogue
    (``"imdn-x4"``; fetched when it is not there yet), a file. A file with the name of a network is written with its
    folder (``"./plain"``) or given as a :class:`~pathlib.Path`.

    Args:
        spec: the name, the file, or with ``module`` the user's own ``"package.module:factory"``.
        scale: which scale of a network that holds several; needed for a ``module``.
        value_range: overrides what is known of the network (1.0 or 255.0).
        channels: of a ``module`` only; 3 by default.
        name: for captions.
        device: where to put the weights.
        dtype: the weights' type; float32 by default.
        module: ``spec`` is ``"package.module:factory"``; **the module is imported and the factory called, that is,
            the user's own code is executed**. Nothing else that can be opened executes anything.

    Raises:
        CheckpointError: nothing has that name, or the file cannot be used.
        CatalogError: a published checkpoint cannot be fetched, or has the wrong hash.
        SettingError: the network has no such scale; the module or its factory is no good.
        NotDifferentiableError, NotFiniteError: as :func:`load_network`.
    """
    if module:
        return load_module_network(
            os.fspath(spec),
            scale=scale,
            value_range=value_range,
            channels=channels,
            name=name,
            device=device,
            dtype=dtype,
        )
    if isinstance(spec, str):
        short = shipped_name(spec)
        if short is not None:
            network = _restate(load_default(short, device=device, dtype=dtype), scale, value_range)
            return network if name is None else replace(network, name=name)
        entry = catalog().get(spec)
        if entry is not None:
            network = load_network(
                fetch(spec),
                scale=entry.scales[0] if scale is None and len(entry.scales) == 1 else scale,
                value_range=entry.value_range if value_range is None else value_range,
                name=name or spec,
                device=device,
                dtype=dtype,
            )
            return replace(network, source=f"{spec} ({entry.url})")
    path = Path(spec).expanduser()
    if not path.exists():
        raise CheckpointError(_nothing_found(os.fspath(spec)))
    return load_network(path, scale=scale, value_range=value_range, name=name, device=device, dtype=dtype)


def _restate(network: Network, scale: int | None, value_range: float | None) -> Network:
    if scale is not None and scale != network.scale:
        raise SettingError(f"{network.name} has no scale {scale}; it has {network.scale}.")
    if value_range is None:
        return network
    if not value_range > 0:
        raise SettingError(f"value_range must be positive (1.0 or 255.0 as a rule), got {value_range!r}.")
    return replace(network, value_range=float(value_range))


def _nothing_found(spec: str) -> str:
    """What would have been accepted, and what looks like it."""
    if _is_factory(spec):
        return (
            f"{spec!r} looks like package.module:factory. That executes your own code, so it must be asked for: "
            "module=True, or --module on the command line."
        )
    path = Path(spec).expanduser()
    if path.suffix.lower() in _SUFFIXES or path.parent != Path():
        siblings = [file.name for file in path.parent.glob("*") if file.suffix.lower() in _SUFFIXES]
        close = [str(path.parent / file) for file in get_close_matches(path.name, siblings, n=3)]
        start = f"No file {spec}."
    else:
        files = [file.name for file in Path().glob("*") if file.suffix.lower() in _SUFFIXES]
        names = [*DEFAULT_NETWORKS, *DISPLAY_NAMES.values(), *catalog(), *files]
        close = get_close_matches(spec, names, n=3, cutoff=0.5)
        start = f"No network and no file is called {spec!r}."
    hint = f" Did you mean {' or '.join(close)}?" if close else ""
    return (
        f"{start}{hint} Accepted: a checkpoint file ({', '.join(_SUFFIXES[:-1])}), a shipped network "
        f"({', '.join(DEFAULT_NETWORKS)}), or a published one (`srlens networks list` shows {len(catalog())})."
    )


def _is_factory(spec: str) -> bool:
    module, colon, factory = spec.partition(":")
    return bool(colon) and factory.isidentifier() and all(part.isidentifier() for part in module.split("."))
