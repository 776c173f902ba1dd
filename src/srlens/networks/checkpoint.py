"""Network files: read safely, whatever they are nested in. Nothing in a file is ever executed."""

import os
import pickle
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from srlens.errors import CheckpointError, NotFiniteError, UnsafeCheckpointError

StateDict = dict[str, Tensor]

# Where training scripts put the weights; the averaged ones first, since those are what papers evaluate.
_NESTS = (
    "params_ema", "params-ema", "ema", "state_dict_ema", "params", "state_dict", "model_state_dict", "model",
    "net", "network", "generator", "weights",
)  # fmt: skip
_PREFIXES = ("module.", "netG.", "net_g.", "generator.", "model.", "_orig_mod.", "network.")


def read_state_dict(path: str | os.PathLike[str]) -> StateDict:
    """Read the weights from a .safetensors file or a PyTorch checkpoint, onto the CPU.

    Nesting (``params``, ``params_ema``, ``state_dict``, …) and prefixes that all keys share (``module.``, …) are
    taken off. PyTorch files are read with ``weights_only=True``: no code in them runs.

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
    content = _read_safetensors(path) if _is_safetensors(path) else _read_torch(path)
    state = _clean(content, path)
    for key, tensor in state.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            bad = int((~torch.isfinite(tensor)).sum())
            raise NotFiniteError(
                f"{path.name}: {bad} of {tensor.numel()} values of {key!r} are NaN or infinite. The training "
                "diverged or the file is damaged; use another checkpoint."
            )
    return state


def _is_safetensors(path: Path) -> bool:
    if path.suffix.lower() == ".safetensors":
        return True
    with path.open("rb") as file:
        return file.read(9)[8:] == b"{"  # an eight-byte length, then the JSON header


def _read_safetensors(path: Path) -> Mapping[str, Any]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        state: Mapping[str, Any] = load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(
            f"{path} cannot be read as safetensors: {error}. It is truncated or of another kind; fetch it again."
        ) from error
    return state


def _read_torch(path: Path) -> Mapping[str, Any]:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if _looks_pickled(path):
            raise UnsafeCheckpointError(
                f"{path.name} is not a plain state dict: reading it would run code stored in the file "
                f"({_first_line(error)}). srlens never does that. If you trust its author, load it once where it was "
                "made and save the weights alone: torch.save(model.state_dict(), 'weights.pth')."
            ) from error
        raise _unreadable(path, error) from error
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, IndexError, TypeError, AttributeError,
            AssertionError, UnicodeDecodeError, zipfile.BadZipFile) as error:  # fmt: skip
        # What a damaged file raises depends on where it is damaged.
        raise _unreadable(path, error) from error
    if not isinstance(content, Mapping):
        raise CheckpointError(
            f"{path.name} holds a {type(content).__name__}, not a state dict. Save `model.state_dict()`."
        )
    return content


def _unreadable(path: Path, error: Exception) -> CheckpointError:
    if _is_torchscript(path):
        return CheckpointError(
            f"{path.name} is a TorchScript program, not a checkpoint. Save `model.state_dict()` instead, or wrap the "
            "loaded module with srlens.Network.wrap."
        )
    return CheckpointError(
        f"{path.name} cannot be read as a PyTorch checkpoint: {_first_line(error)}. It is truncated or no checkpoint; "
        "fetch it again."
    )


def _is_torchscript(path: Path) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any("/code/" in name for name in archive.namelist())


def _looks_pickled(path: Path) -> bool:
    """Whether the file is a zip archive of torch.save or starts with a pickle protocol mark."""
    with path.open("rb") as file:
        start = file.read(2)
    return zipfile.is_zipfile(path) or (start[:1] == b"\x80" and start[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"))


def _first_line(error: Exception) -> str:
    """The gist of torch's message: what the pickle wanted to call, or the first line without the advice."""
    text = str(error).strip()
    wanted = re.search(r"GLOBAL (\S+)", text)
    if wanted:
        return f"it calls {wanted[1]}"
    return (text.splitlines()[0] if text else type(error).__name__).rstrip(".")[:200]


def _clean(content: Mapping[str, Any], path: Path) -> StateDict:
    """Find the mapping of names to tensors and take shared prefixes off."""
    level: Mapping[str, Any] = content
    while not any(isinstance(value, Tensor) for value in level.values()):
        nests = [key for key in _NESTS if isinstance(level.get(key), Mapping) and level[key]]
        maps = [key for key, value in level.items() if isinstance(value, Mapping) and value]
        if not nests and len(maps) != 1:
            raise CheckpointError(
                f"{path.name} holds no tensors under any known key (found: {', '.join(map(str, list(level)[:6]))}). "
                "Save `model.state_dict()`."
            )
        level = level[nests[0] if nests else maps[0]]
    state = {str(key): value for key, value in level.items() if isinstance(value, Tensor)}
    shortened = True
    while shortened:
        shortened = False
        for prefix in _PREFIXES:
            if all(key.startswith(prefix) and len(key) > len(prefix) for key in state):
                state = {key[len(prefix) :]: value for key, value in state.items()}
                shortened = True
    return state
