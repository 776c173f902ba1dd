"""Files from the browser: bounded before they are opened, read safely, and gone as soon as they are read."""

import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from srlens.errors import CheckpointError, ImageError, OutOfMemoryError, SrlensError
from srlens.imaging.files import image_digest, read_image
from srlens.networks.checkpoint import read_state_dict
from srlens.networks.device import Device
from srlens.networks.load import load_network
from srlens.networks.network import Network
from srlens.web.limits import MIB, Limits
from srlens.web.session import Picture

_SMALLEST = 8  # pixels a side: below, no network has anything to look at
_LONGEST_NAME = 80
_NUMBER = re.compile(r"\d+")


@contextmanager
def _opened(path: Path, refusal: type[SrlensError]) -> Iterator[str]:
    """The file's name, for the block that reads it; the file is removed, and no message names its folder."""
    name = display_name(path)
    try:
        yield name
    except SrlensError as error:
        raise type(error)(without_folder(str(error), path)) from error
    except (MemoryError, torch.OutOfMemoryError) as error:
        raise OutOfMemoryError(f"{name} needs more memory than is free here.") from error
    except OSError as error:
        raise refusal(f"{name} cannot be read: {error.strerror or 'it has gone'}. Choose it again.") from error
    finally:
        path.unlink(missing_ok=True)


def take_picture(path: Path, limits: Limits) -> Picture:
    """Read an uploaded picture and remove its file, whatever comes of it.

    Raises:
        ImageError, NotFiniteError, OutOfMemoryError: it is too large or too small, or no picture; the message names no
            folder.
    """
    with _opened(path, ImageError) as name:
        size = path.stat().st_size
        if size > limits.picture_bytes:
            raise ImageError(
                f"{name} has {size / MIB:.0f} MiB; this page takes pictures up to {limits.picture_bytes // MIB} MiB. "
                "Crop it, or use the command line."
            )
        image = read_image(path, max_pixels=limits.picture_pixels)
        if min(image.shape[-2:]) < _SMALLEST:
            raise ImageError(
                f"{name} has {image.shape[-2]}×{image.shape[-1]} pixels; give at least {_SMALLEST}×{_SMALLEST}."
            )
        return Picture(name=name, image=image, digest=image_digest(path))


def take_network(path: Path, limits: Limits, device: Device = None) -> Network:
    """Read an uploaded network file and remove it, whatever comes of it. Nothing in it is executed.

    Raises:
        CheckpointError, NotFiniteError, NotDifferentiableError, OutOfMemoryError: it cannot be used.
    """
    with _opened(path, CheckpointError) as name:
        _check_size(path, name, limits)
        try:
            _check_indices(list(read_state_dict(path)), name)
            return load_network(path, name=Path(name).stem, device=device)
        except (SrlensError, OSError, MemoryError, torch.OutOfMemoryError):
            raise
        except Exception as error:
            # A crafted file can make torch or an architecture fail in any way; that is the file's fault.
            raise CheckpointError(
                f"{name} cannot be used as a network: {type(error).__name__}. It is damaged or of an unknown kind."
            ) from error


def display_name(path: Path) -> str:
    """The file's own name, without folders and control characters, at most 80 characters."""
    name = "".join(c for c in path.name if c.isprintable()) or "file"
    return name if len(name) <= _LONGEST_NAME else f"{path.stem[: _LONGEST_NAME - 10]}…{path.suffix[:9]}"


def without_folder(message: str, path: Path) -> str:
    """The message with the file's name in place of its path on the server."""
    return message.replace(str(path), display_name(path)).replace(str(path.parent), "")


def _check_size(path: Path, name: str, limits: Limits) -> None:
    bound = limits.checkpoint_bytes
    size = path.stat().st_size
    if size > bound:
        raise CheckpointError(f"{name} has {size / MIB:.0f} MiB; this page takes up to {bound // MIB} MiB.")
    if zipfile.is_zipfile(path):
        try:
            with zipfile.ZipFile(path) as archive:
                unpacked = sum(entry.file_size for entry in archive.infolist())
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
            return  # the loader says what is wrong with it
        if unpacked > bound:
            raise CheckpointError(
                f"{name} unpacks to {unpacked / MIB:.0f} MiB; this page takes up to {bound // MIB} MiB."
            )


def _check_indices(keys: list[str], name: str) -> None:
    """Refuse keys whose numbers promise far more layers than the file holds: building those would fill the memory."""
    largest = max((int(number[:9]) for key in keys for number in _NUMBER.findall(key)), default=0)
    if largest > 16 * len(keys) + 64:
        raise CheckpointError(
            f"{name} numbers a layer {largest}, but holds {len(keys)} tensors. It is damaged or was tampered with."
        )
