"""One way to name a network, for the command line, studies and the web page."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import torch

from srlens.errors import CheckpointError, SettingError
from srlens.naming import known_name
from srlens.networks.catalog import SHIPPED, Checkpoint, catalog_names, fetch, find_entry, published
from srlens.networks.colours import Colour
from srlens.networks.device import Device
from srlens.networks.hub import fetch_from_hub
from srlens.networks.load import load_network
from srlens.networks.network import Network
from srlens.networks.origin import Origin
from srlens.networks.user_module import load_module_network

#: How an address ``scheme://rest`` becomes a local file, by scheme: a function of ``rest``.
SCHEMES: dict[str, Callable[[str], Origin]] = {"hf": fetch_from_hub}

_SUFFIXES = (".pth", ".pt", ".ckpt", ".bin", ".safetensors", ".pkl")


def open_network(
    spec: str | os.PathLike[str],
    *,
    scale: int | None = None,
    value_range: float | None = None,
    channels: int | None = None,
    colour: Colour | None = None,
    name: str | None = None,
    device: Device = None,
    dtype: torch.dtype | None = None,
    module: bool = False,
) -> Network:
    """Open a network by whatever names it.

    In this order: a shipped network (``"plain"`` or ``"srlens-plain-x4"``), a published checkpoint of the catalogue
    (``"imdn-x4"``; fetched when it is not there yet), an address (``"hf://owner/repo/file@revision"`` of the Hugging
    Face Hub; ``SCHEMES``), a file. A file with the name of a network is written with its folder (``"./plain"``) or
    given as a :class:`~pathlib.Path`.

    Args:
        spec: the name, the address, the file, or with ``module`` the user's own ``"package.module:factory"``.
        scale: which scale of a network that holds several; needed for a ``module``.
        value_range: overrides what is known of the network (1.0 or 255.0).
        channels: of a ``module`` only; 3 by default.
        colour: overrides what is known of the channels: ``"y"`` or ``"grey"`` for one, see :class:`Network`.
        name: for captions.
        device: where to put the weights.
        dtype: the weights' type; float32 by default.
        module: ``spec`` is ``"package.module:factory"``; **the module is imported and the factory called, that is,
            the user's own code is executed**. Nothing else that can be opened executes anything.

    Raises:
        CheckpointError: nothing has that name, an address has an unknown scheme, or the file cannot be used.
        CatalogError: a published checkpoint, or a file of the hub, cannot be fetched or has the wrong hash.
        SettingError: the network has no such scale; the module or its factory is no good.
        NotDifferentiableError, NotFiniteError: as :func:`load_network`.

    Warns:
        AmbiguousNameWarning: ``spec`` is also the name of a file, which is left aside.
    """
    given: dict[str, Any] = {"scale": scale, "value_range": value_range, "colour": colour, "name": name}
    given |= {"device": device, "dtype": dtype}
    if module:
        return load_module_network(os.fspath(spec), channels=channels, **given)
    entry = find_entry(known_name(spec, catalog_names()) or "")
    if entry is not None:
        return _open_entry(entry, given)
    origin = fetched(spec) if isinstance(spec, str) else None
    if origin is not None:
        network = load_network(origin.path, **{**given, "name": name or origin.name})
        return replace(network, source=origin.source)
    path = Path(spec).expanduser()
    if not path.exists():
        raise CheckpointError(_nothing_found(os.fspath(spec)))
    return load_network(path, **given)


def load_default(name: str = "plain", *, device: Device = None, dtype: torch.dtype | None = None) -> Network:
    """Load a network that ships with srlens: RGB, no download.

    Three for ×4 super-resolution share their 3×3 convolutions and differ in how far they see: ``"plain"`` has
    convolutions only, ``"channel"`` adds channel attention by global pooling, ``"nonlocal"`` adds non-local attention.
    Two remove white Gaussian noise of σ 15 to 50 grey levels: ``"denoise-plain"``, ``"denoise-nonlocal"``.

    Args:
        name: one of these; the display name (``"srlens-plain-x4"``) does as well.
        device: where to put the weights; the CPU by default.
        dtype: the weights' type; float32 by default.

    Raises:
        SettingError: no shipped network has that name.
    """
    entry = find_entry(name)
    if entry is None or not entry.shipped:
        raise SettingError(f"No shipped network is called {name!r}; there are {', '.join(SHIPPED)}.")
    return _open_entry(entry, {"device": device, "dtype": dtype})


def _open_entry(entry: Checkpoint, settings: Mapping[str, Any]) -> Network:
    """Open an entry of the catalogue with what it knows, but for what ``settings`` of :func:`load_network` say."""
    known: dict[str, Any] = {"value_range": entry.value_range, "name": entry.title or entry.name}
    if len(entry.scales) == 1:
        known["scale"] = entry.scales[0]
    said = {key: value for key, value in settings.items() if value is not None}
    return replace(load_network(fetch(entry.name), **{**known, **said}), source=entry.source)


def fetched(spec: str) -> Origin | None:
    """The local file of an address; None for what is none.

    Raises:
        CheckpointError, CatalogError: the address has an unknown scheme, or nothing can be fetched from it.
    """
    address = re.fullmatch(r"([A-Za-z][A-Za-z0-9+.-]+)://(.+)", spec)
    if address is None:
        return None
    scheme, rest = address.groups()
    if scheme.lower() not in SCHEMES:
        known = ", ".join(f"{known}://" for known in SCHEMES)
        raise CheckpointError(
            f"{spec}: addresses of the kind {scheme}:// are not known (known: {known}). Download the file, and open it "
            "by its path."
        )
    return SCHEMES[scheme.lower()](rest)


def _nothing_found(spec: str) -> str:
    """What would have been accepted, and what looks like it."""
    module, _, factory = spec.partition(":")
    if factory.isidentifier() and all(part.isidentifier() for part in module.split(".")):
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
        names = [*catalog_names(), *files]
        close = get_close_matches(spec, names, n=3, cutoff=0.5)
        start = f"No network and no file is called {spec!r}."
    hint = f" Did you mean {' or '.join(close)}?" if close else ""
    return (
        f"{start}{hint} Accepted: a checkpoint file ({', '.join(_SUFFIXES[:-1])}), a shipped network "
        f"({', '.join(SHIPPED)}), or a published one (`srlens networks list` shows {len(published())})."
    )
