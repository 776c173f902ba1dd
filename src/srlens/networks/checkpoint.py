"""Network files: read safely, whatever they are nested in. Nothing in a file is ever executed."""

import os
import pickle
import pickletools
import re
import threading
import zipfile
from collections.abc import Iterator, Mapping
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from srlens.errors import CheckpointError, NotFiniteError, UnsafeCheckpointError
from srlens.imaging.foreign import kind_of

StateDict = dict[str, Tensor]

# Where training scripts put the weights …
_NESTS = (
    "params", "state_dict", "model_state_dict", "model", "net", "network", "generator", "net_g", "netG", "weights",
)  # fmt: skip
# … of which averaged ones come first, under whatever name, since those are what papers evaluate.
_AVERAGED = re.compile(r"(?:^|[_.-])(?:ema|averaged?|avg|swa)(?:[_.-]|$)")
# What wrappers put before every key (DataParallel, BasicSR) …
_PREFIXES = ("module.", "netG.", "net_g.")
# … and parts of which one is the network: prefixes that may be a wrapper's, or the architecture's own (ESRGAN's first
# naming starts with "model."), …
_NETWORKS = re.compile(r"(?:(?:ema|averaged|online)_)?(?:model|net|network|generator|net_?g|g|module)(?:_ema)?", re.I)
# … beside which a training script keeps its other parts.
_BESIDE = re.compile(r"(?:net_?)?d(?:_ema)?|disc.*|.*loss.*|criterion.*|lpips|vgg.*|perceptual.*|.*preprocessor", re.I)
_DEEPEST_NEST = 5


def read_state_dict(path: str | os.PathLike[str]) -> StateDict:
    """Read the weights from a .safetensors file or a PyTorch checkpoint, onto the CPU.

    Nesting (``params``, ``params_ema``, ``state_dict``, …) and wrappers' prefixes that all keys share (``module.``, …)
    are taken off; for those that may be the architecture's own see :func:`readings`. PyTorch files are read with
    ``weights_only=True``: no code in them runs.

    Raises:
        CheckpointError: the file is missing, empty, truncated or no checkpoint.
        UnsafeCheckpointError: the file can only be read by running code from it (a pickled module).
        NotFiniteError: a weight is NaN or infinite.
    """
    path = Path(path)
    if path.is_dir():
        raise CheckpointError(f"{path} is a folder; a network file was expected (.pth, .pt, .ckpt, .safetensors).")
    if not path.is_file():
        raise CheckpointError(f"No file {path}. Check the path; `srlens networks list` shows what can be fetched.")
    if path.stat().st_size == 0:
        raise CheckpointError(f"{path} is empty (0 bytes): the download failed. Fetch it again.")
    with path.open("rb") as file:
        start = file.read(512)
    if (kind := kind_of(start)) is not None:
        raise CheckpointError(
            f"{path} cannot be read as a network: it is {kind}. Give a network's own file (.pth, .pt, .ckpt, "
            ".safetensors), or fetch it again."
        )
    safe = path.suffix.lower() == ".safetensors" or start[8:9] == b"{"  # an eight-byte length, then the JSON header
    state = _clean(_read_safetensors(path) if safe else _read_torch(path), path)
    for key, tensor in state.items():
        if tensor.is_meta or tensor.layout != torch.strided:
            kind = "has no values (a meta tensor)" if tensor.is_meta else "is sparse"
            raise CheckpointError(f"{path.name}: {key!r} {kind}. Save dense weights, with values.")
        finite = torch.isfinite(tensor.float() if tensor.itemsize == 1 else tensor)  # not known of float8
        if not finite.all():
            bad = int((~finite).sum())
            raise NotFiniteError(
                f"{path.name}: {bad} of {tensor.numel()} values of {key!r} are NaN or infinite. The training "
                "diverged or the file is damaged; use another checkpoint."
            )
    return state


def readings(state: StateDict) -> Iterator[StateDict]:
    """The state dict as it stands, then whatever else it may be, likeliest first.

    That is: without wrappers inside (``body.module.0``); and each part that may be the network (``model.``,
    ``generator_ema.``), averaged ones first, where all else is single numbers and what training scripts keep beside it.
    """
    yield state
    bare = {key.replace(".module.", "."): value for key, value in state.items()}
    if len(bare) == len(state) and bare.keys() != state.keys():
        yield from readings(bare)
    parts: dict[str, StateDict] = {}
    for key, value in state.items():
        first, _, rest = key.partition(".")
        if rest:
            parts.setdefault(first, {})[rest] = value
        elif value.numel() > 1:
            return
    networks = [name for name in parts if _NETWORKS.fullmatch(name)]
    if all(name in networks or _BESIDE.fullmatch(name) for name in parts):
        for name in sorted(networks, key=_is_averaged, reverse=True):
            yield from readings(parts[name])


def _is_averaged(key: object) -> bool:
    return _AVERAGED.search(str(key).lower()) is not None


def _read_safetensors(path: Path) -> StateDict:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return dict(load_file(path))
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(
            f"{path} cannot be read as safetensors: {error}. It is truncated or of another kind; fetch it again."
        ) from error


def _read_torch(path: Path) -> Mapping[str, Any]:
    if _is_torchscript(path):
        raise CheckpointError(
            f"{path.name} is a TorchScript program, not a checkpoint. Save `model.state_dict()` instead, or wrap the "
            "loaded module with srlens.Network.wrap."
        )
    try:
        # It may warn of the pickle's protocol. Python's warning filters belong to the whole process, in other threads
        # of which runs go on: they are left alone. What torch allows in a file belongs to it too, hence the lock.
        with _READING, torch.serialization.safe_globals(_numpy_names()):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # what a damaged file raises depends on where it is damaged
        # "from None": torch's own words advise to read the file with its code.
        if isinstance(error, pickle.UnpicklingError | UserWarning) and _names_code(path):
            found = re.search(r"GLOBAL (\S+)", str(error))
            named = f" ({found[1]})" if found else ""
            raise UnsafeCheckpointError(
                f"{path.name} is not a plain state dict: reading it would run code stored in the file{named}. srlens "
                "never does that. If you trust its author, load it once where it was made and save the weights alone: "
                "torch.save(model.state_dict(), 'weights.pth')."
            ) from None
        words = re.sub(r"^.*WeightsUnpickler error:\s*", "", str(error).strip(), flags=re.S).split("\n")[0]
        reason = "its pickle makes no sense" if "weights_only" in words.lower() else words.rstrip(".")[:200]
        raise CheckpointError(
            f"{path.name} cannot be read as a PyTorch checkpoint: {reason}. It is truncated or no checkpoint; fetch it "
            "again."
        ) from None
    if not isinstance(content, Mapping):
        raise CheckpointError(
            f"{path.name} holds a {type(content).__name__}, not a state dict. Save `model.state_dict()`."
        )
    return content


def _is_torchscript(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return any("/code/" in name for name in archive.namelist())
    except Exception:  # no archive, or a damaged one, of which zipfile raises many things
        return False


def _names_code(path: Path) -> bool:
    """Whether the file holds a whole pickle that names functions or classes. Only its opcodes are read, none is run."""
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                content = archive.read(next(name for name in archive.namelist() if name.endswith("data.pkl")))
        else:
            content = path.read_bytes()
        stream = BytesIO(content)
        # Before torch 1.6: magic number, protocol and system, each a pickle of its own, and then the object.
        pickles = ([code.name for code, _, _ in pickletools.genops(stream)] for _ in range(4))
        return any(not _CODE_OPCODES.isdisjoint(names) for names in pickles)
    except Exception:  # cut off or damaged: the opcodes make no sense
        return False


_CODE_OPCODES = frozenset({"GLOBAL", "STACK_GLOBAL", "INST", "OBJ", "REDUCE", "NEWOBJ", "NEWOBJ_EX", "BUILD"})


_READING = threading.Lock()


@cache
def _numpy_names() -> list[Any]:
    """What NumPy scalars and arrays in a pickle are made by, under the names of NumPy 1 and 2: mere numbers."""
    kinds = [np.dtype(code) for code in "?bBhHiIlLqQefdFDSU"]
    functions: list[Any] = [np.float64().__reduce__()[0], np.zeros(0).__reduce__()[0]]
    homes = ("numpy.core.multiarray", "numpy._core.multiarray")
    named = [(function, f"{home}.{function.__name__}") for function in functions for home in homes]
    return [np.ndarray, np.dtype, *{type(kind) for kind in kinds}, *named]


def _clean(content: Mapping[str, Any], path: Path) -> StateDict:
    """Find the mapping of names to tensors and take wrappers' prefixes off."""
    level = _weights(content, _DEEPEST_NEST)
    if level is None:
        raise CheckpointError(
            f"{path.name} holds no tensors under any known key (found: {', '.join(map(str, list(content)[:6]))}). "
            "Save `model.state_dict()`."
        )
    # torch.compile puts a layer of its own around whatever it compiles; a profiler (thop) leaves counters in every one.
    counters = ("total_ops", "total_params")
    tensors = {str(key): value for key, value in level.items() if isinstance(value, Tensor)}
    state = {key.replace("_orig_mod.", ""): tensors[key] for key in tensors if not key.endswith(counters)}
    while shorter := next(filter(None, (_without(prefix, state) for prefix in _PREFIXES)), None):
        state = shorter
    return state


def _weights(level: Mapping[str, Any], depth: int) -> Mapping[str, Any] | None:
    """The mapping of names to tensors: under a known key, else here, else under the only key that holds tensors.

    Known keys come first, since training scripts keep single tensors (the best score) beside the weights.
    """
    if depth == 0:
        return None
    for key in (*filter(_is_averaged, level), *_NESTS):
        if isinstance(level.get(key), Mapping) and (found := _weights(level[key], depth - 1)) is not None:
            return found
    if any(isinstance(value, Tensor) for value in level.values()):
        return level
    inside = [_weights(value, depth - 1) for value in level.values() if isinstance(value, Mapping)]
    held = [found for found in inside if found is not None]
    return held[0] if len(held) == 1 else None


def _without(prefix: str, state: StateDict) -> StateDict | None:
    """The state dict without a prefix that all keys share; None where they do not."""
    if all(key.startswith(prefix) and len(key) > len(prefix) for key in state):
        return {key[len(prefix) :]: value for key, value in state.items()}
    return None
