"""Clips: the pages of a TIFF file, the pictures of a folder, or a ``.npy`` array of four axes."""

import hashlib
import os
from pathlib import Path

import torch
from torch import Tensor

from srlens.errors import ImageError, SrlensError
from srlens.imaging.files import MAX_PIXELS, Alpha, image_digest, read_bytes, read_image, settled
from srlens.imaging.npy import decode_npy, is_npy
from srlens.imaging.tiff import decode_tiff_frames, is_tiff

_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".npy")


def read_clip(path: str | os.PathLike[str], *, alpha: Alpha = "white", max_pixels: int = MAX_PIXELS) -> Tensor:
    """Read a clip.

    Args:
        path: a folder, whose pictures are the frames in the order of their names; a TIFF file of several pages; or a
            ``.npy`` array T×C×H×W.
        alpha: see :func:`srlens.read_image`.
        max_pixels: that all frames together may have.

    Returns:
        T×C×H×W float32 in [0, 1].

    Raises:
        ImageError, NotFiniteError: as :func:`srlens.read_image`; fewer than two frames, or frames of several sizes.
    """
    source = Path(path).expanduser()
    if source.is_dir():
        frames, left = [], max_pixels
        for file in _frames(source):
            frames.append(read_image(file, alpha=alpha, max_pixels=left))
            left -= frames[-1].shape[-2] * frames[-1].shape[-1]
    else:
        data = read_bytes(source)
        try:
            if is_npy(data):
                frames = list(torch.from_numpy(decode_npy(data, max_pixels, axes=4)))
            elif is_tiff(data):
                frames = [settled(page, alpha) for page in decode_tiff_frames(data, max_pixels)]
            else:
                raise ImageError("It is no clip. Give a folder of pictures, a TIFF file of several pages, or .npy.")
        except SrlensError as error:
            raise type(error)(f"{source}: {error}") from error
    if len(frames) < 2:
        raise ImageError(f"{source} holds {len(frames)} pictures; a clip has at least two.")
    if len(shapes := {tuple(frame.shape) for frame in frames}) > 1:
        raise ImageError(f"{source}: the frames of a clip have one size and channel count, not {sorted(shapes)}.")
    return torch.stack(frames)


def clip_digest(path: str | os.PathLike[str]) -> str:
    """SHA-256 (hex) of a clip's file, or of the digests of a folder's pictures in their order.

    Raises:
        ImageError: as :func:`srlens.imaging.files.image_digest`.
    """
    source = Path(path).expanduser()
    if not source.is_dir():
        return image_digest(source)
    return hashlib.sha256("\n".join(image_digest(file) for file in _frames(source)).encode()).hexdigest()


def _frames(folder: Path) -> list[Path]:
    return sorted(file for file in folder.iterdir() if file.suffix.lower() in _SUFFIXES)
