"""Patches of natural pictures, by which parts of another picture are replaced (causal effect maps; Hu et al. 2025)."""

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property, partial
from math import ceil
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srlens.errors import ImageError, ImageTooSmallError
from srlens.imaging.check import whole
from srlens.imaging.colour import match_channels
from srlens.imaging.files import PICTURE_SUFFIXES, read_image
from srlens.imaging.resample import bicubic
from srlens.imaging.samples import SAMPLES, sample_image

#: Side of a patch in pixels of the pictures that it is cut from.
SIDE = 8
#: Patches of a bank.
COUNT = 10_000

#: The name of the bank of the packaged photographs.
PACKAGED = "packaged"


@dataclass(frozen=True, eq=False)
class PatchBank:
    """RGB patches, 8×8 pixels each, of natural pictures.

    Attributes:
        patches: N×3×8×8 in [0, 1], float32, read-only.
        name: ``"packaged"``, or the folder they are cut from.
    """

    patches: NDArray[np.float32]
    name: str

    def __post_init__(self) -> None:
        self.patches.setflags(write=False)

    def __repr__(self) -> str:
        return f"PatchBank: {len(self.patches)} patches, {self.name:.100}"

    @classmethod
    def of(cls, pictures: Sequence[Tensor], name: str, *, count: int = COUNT, seed: int = 0) -> "PatchBank":
        """Cut patches from pictures: the same number from each, at random places, which may overlap.

        Args:
            pictures: each C×H×W in [0, 1], of 1 or 3 channels, at least 8×8 pixels; float32, or rounded to it.
            name: of the bank.
            count: patches.
            seed: of the places.

        Raises:
            ImageError: there is no picture.
            ImageTooSmallError: a picture holds no patch.
            SettingError: ``count`` is no whole number of at least 1.
        """
        return cls._cut((picture for picture in pictures), len(pictures), name, count, seed)

    @classmethod
    def of_folder(cls, folder: str | os.PathLike[str], *, count: int = COUNT, seed: int = 0) -> "PatchBank":
        """Cut patches from every picture in a folder and the folders inside, in the order of their names.

        Raises:
            ImageError: there is no such folder, no picture in it, or a file that cannot be read.
            ImageTooSmallError: a picture holds no patch.
            SettingError: ``count`` is no whole number of at least 1.
        """
        path = Path(folder).expanduser()
        files = sorted(file for file in path.rglob("*") if file.suffix.lower() in PICTURE_SUFFIXES and file.is_file())
        if not files:
            raise ImageError(
                f"{path} is no folder that holds a picture ({', '.join(PICTURE_SUFFIXES)}). Give a folder of natural "
                f"pictures, or {PACKAGED!r}."
            )
        return cls._cut(map(read_image, files), len(files), str(path), count, seed)

    @classmethod
    def _cut(cls, pictures: Iterable[Tensor], number: int, name: str, count: int, seed: int) -> "PatchBank":
        if not number:
            raise ImageError("A bank of patches needs at least one picture.")
        generator = torch.Generator().manual_seed(seed)
        shares = np.diff(np.linspace(0, whole("count", count), number + 1).astype(int))
        pieces = [_pieces(picture, int(share), generator) for picture, share in zip(pictures, shares, strict=True)]
        return cls(torch.cat(pieces).numpy(), name)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the patches, in hexadecimal."""
        return hashlib.sha256(np.ascontiguousarray(self.patches, dtype="<f4").tobytes()).hexdigest()

    def draw(self, count: int, side: int, generator: torch.Generator) -> Tensor:
        """Random patches, with replacement, of any side.

        Smaller sides than 8 are the patches shrunk by MATLAB's bicubic; larger ones are put together of whole patches
        at their own size (the last ones cut off), so that detail stays as fine as that of the pictures.

        Args:
            count: patches.
            side: of each, in pixels.
            generator: of random numbers, on the CPU.

        Returns:
            count×3×side×side in [0, 1], float64.

        Raises:
            SettingError: ``count`` or ``side`` is no whole number of at least 1.
        """
        count, side = whole("count", count), whole("side", side)
        along = ceil(side / SIDE)
        chosen = torch.randint(len(self.patches), (count * along**2,), generator=generator)
        patches = torch.from_numpy(self.patches[chosen.numpy()]).double()
        if side < SIDE:
            return bicubic(patches, Fraction(side, SIDE)).clamp(0, 1)
        return _tiled(patches, along, along)[..., :side, :side].contiguous()

    def mosaic(self, height: int, width: int, side: int, generator: torch.Generator) -> Tensor:
        """A picture of random patches side by side, those at the right and bottom cut off.

        Args:
            height: of the picture, in pixels.
            width: likewise.
            side: of each patch, as of :meth:`draw`.
            generator: of random numbers, on the CPU.

        Returns:
            3×height×width in [0, 1], float64.

        Raises:
            SettingError: a size is no whole number of at least 1.
        """
        side = whole("side", side)
        rows, columns = ceil(whole("height", height) / side), ceil(whole("width", width) / side)
        return _tiled(self.draw(rows * columns, side, generator), rows, columns)[0, :, :height, :width].contiguous()


@cache
def packaged_bank() -> PatchBank:
    """The bank of the packaged photographs: the same 10,000 patches on every machine."""
    return PatchBank.of([sample_image(name) for name in SAMPLES], PACKAGED)


@cache
def _bank_of(folder: Path) -> PatchBank:
    return PatchBank.of_folder(folder)


def find_bank(name: str | os.PathLike[str]) -> PatchBank:
    """The bank of the packaged photographs by its name, or that of a folder; each is made once a process.

    Raises:
        ImageError, ImageTooSmallError: see :meth:`PatchBank.of_folder`.
    """
    return packaged_bank() if name == PACKAGED else _bank_of(Path(name))


def with_channels(patches: Tensor, channels: int) -> Tensor:
    """RGB patches with as many channels as a network takes.

    One channel: luma (:func:`~srlens.imaging.colour.match_channels`). Any other number N: channel k is colour ⌊3k/N⌋ of
    the patch, so that the bands of a multispectral picture show the same structure in natural, unequal strengths.

    Args:
        patches: …×3×h×w.
        channels: wanted.

    Returns:
        …×channels×h×w.
    """
    matched = match_channels(patches, channels)
    if matched.shape[-3] == channels:
        return matched
    return patches[..., [3 * k // channels for k in range(channels)], :, :]


def _pieces(picture: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """So many patches of one picture: count×3×8×8, float32 in [0, 1]."""
    height, width = picture.shape[-2:]
    if min(height, width) < SIDE:
        raise ImageTooSmallError(
            f"A picture of {height}×{width} pixels holds no patch of {SIDE}×{SIDE}. Leave it out, or give a larger one."
        )
    rgb = match_channels(picture.float().clamp(0, 1), 3)
    place = partial(torch.randint, size=(count,), generator=generator)
    tops, lefts = place(height - SIDE + 1), place(width - SIDE + 1)
    within = torch.arange(SIDE)
    rows, columns = (tops[:, None] + within)[:, :, None], (lefts[:, None] + within)[:, None, :]
    return rgb[:, rows, columns].movedim(0, 1).contiguous()


def _tiled(patches: Tensor, rows: int, columns: int) -> Tensor:
    """(M·rows·columns)×C×s×s put together: M×C×(rows·s)×(columns·s)."""
    _, channels, side, _ = patches.shape
    grid = patches.reshape(-1, rows, columns, channels, side, side).permute(0, 3, 1, 4, 2, 5)
    return grid.reshape(-1, channels, rows * side, columns * side)
