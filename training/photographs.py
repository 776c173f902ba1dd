"""Training pairs from the photographs inside the scikit-image wheel, and from nothing else."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import skimage
import torch
from skimage.io import imread
from torch import Tensor
from torch.nn.functional import interpolate

SCALE = 4
MARGIN = 2
"""LR pixels cut on each side after shrinking: bicubic shrinking reads two LR pixels beyond its patch."""
SOFTEST = 1.6
"""Softened patches are blurred by a Gaussian of up to this σ, in HR pixels, before they are shrunk."""
NOISE = (15.0, 50.0)
"""Noisy patches have a σ between these, in 8-bit grey levels."""

# How often each is drawn. Scenes with edges at many scales come first; textures, microscopy and a fundus
# follow. Chosen from what the pictures show, before any training.
PHOTOGRAPHS = {
    "astronaut.png": 4,
    "coffee.png": 4,
    "chelsea.png": 4,
    "camera.png": 3,
    "rocket.jpg": 2,
    "coins.png": 2,
    "brick.png": 1,
    "grass.png": 1,
    "gravel.png": 1,
    "ihc.png": 1,
    "hubble_deep_field.jpg": 1,
    "retina.jpg": 1,
    "cell.png": 1,
}
SIZES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)
"""Each photograph is also used shrunk: sharper edges, and free of the camera's own blur and JPEG blocks."""


@dataclass(frozen=True)
class Picture:
    """A 3×H×W uint8 photograph at one size, and its share of the draws."""

    pixels: Tensor
    share: float


def read_photographs(smallest: int) -> list[Picture]:
    """Read every photograph at every size whose shorter side has ``smallest`` HR pixels or more."""
    folder = Path(skimage.__file__).parent / "data"
    pictures = []
    for name, weight in PHOTOGRAPHS.items():
        pixels = np.asarray(imread(folder / name))
        if pixels.ndim == 2:
            pixels = np.repeat(pixels[..., None], 3, axis=2)
        full = torch.from_numpy(pixels[..., :3].copy()).permute(2, 0, 1)
        sizes = [quantise(shrink(full, size)) for size in SIZES]
        kept = [picture for picture in sizes if min(picture.shape[-2:]) >= smallest]
        sides = sum(picture.shape[-2] for picture in kept)
        pictures += [Picture(picture, weight * picture.shape[-2] / sides) for picture in kept]
    return pictures


def shrink(pixels: Tensor, size: float) -> Tensor:
    """Shrink a 3×H×W uint8 picture with an antialiased bicubic kernel; floats, about 0 to 255."""
    height, width = (round(side * size) for side in pixels.shape[-2:])
    return interpolate(pixels[None].float(), size=(height, width), mode="bicubic", antialias=True)[0]


def quantise(values: Tensor) -> Tensor:
    """Round to the 256 values an 8-bit file can hold."""
    return values.round().clamp(0, 255).to(torch.uint8)


class PatchSampler:
    """Draws patches of ``side`` pixels from the photographs. Everything follows from ``seed``.

    Of two candidate places the one with more detail is kept; then come flips, a transposition and a permutation of the
    colour channels.
    """

    def __init__(self, side: int, batch: int, seed: int) -> None:
        self.side, self.batch = side, batch
        self.pictures = read_photographs(side)
        share = np.array([picture.share for picture in self.pictures])
        self.probability = share / share.sum()
        self.random = np.random.default_rng(seed)

    def patches(self) -> Iterator[Tensor]:
        """One batch of 3×side×side uint8 patches, one after another."""
        for i in self.random.choice(len(self.pictures), size=self.batch, p=self.probability):
            yield self._patch(self.pictures[i].pixels)

    def _patch(self, pixels: Tensor) -> Tensor:
        candidates = [self._crop(pixels) for _ in range(2)]
        patch = max(candidates, key=detail)
        if self.random.random() < 0.5:
            patch = patch.flip(-1)
        if self.random.random() < 0.5:
            patch = patch.flip(-2)
        if self.random.random() < 0.5:
            patch = patch.transpose(-1, -2)
        if self.random.random() < 0.25:
            patch = patch[torch.from_numpy(self.random.permutation(3))]
        return patch

    def _crop(self, pixels: Tensor) -> Tensor:
        top, left = (int(self.random.integers(length - self.side + 1)) for length in pixels.shape[-2:])
        return pixels[:, top : top + self.side, left : left + self.side]


class PairSampler(PatchSampler):
    """Draws (LR, HR) batches: N×3×s×s and N×3×4s×4s floats in [0, 1], LR of 8-bit values.

    LR is MATLAB's bicubic by four.

    ``soft_share`` of the patches are softened. Photographs differ in sharpness, and whether a soft edge is
    soft in the scene or only in its LR picture cannot be told from the edge alone; the rest of the picture
    tells.
    """

    def __init__(self, lr_size: int, batch: int, seed: int, soft_share: float) -> None:
        super().__init__((lr_size + 2 * MARGIN) * SCALE, batch, seed)
        self.soft_share = soft_share

    def draw(self) -> tuple[Tensor, Tensor]:
        """Draw one batch."""
        patches = torch.stack([self._soften(patch) for patch in self.patches()])
        small = interpolate(patches, scale_factor=1 / SCALE, mode="bicubic", antialias=True)
        lr = quantise(small[..., MARGIN:-MARGIN, MARGIN:-MARGIN]).float() / 255
        border = MARGIN * SCALE
        return lr, patches[..., border:-border, border:-border] / 255

    def _soften(self, patch: Tensor) -> Tensor:
        values = patch.float()
        if self.soft_share == 0 or self.random.random() >= self.soft_share:
            return values
        blur = gaussian_matrix(self.side, self.random.uniform(0, SOFTEST))
        return blur @ values @ blur.T


class NoisySampler(PatchSampler):
    """Draws (noisy, clean) batches, both N×3×side×side, clean ones in [0, 1].

    The noise is white and Gaussian and not clipped; its σ is drawn for each patch, evenly from :data:`NOISE`.
    """

    def draw(self) -> tuple[Tensor, Tensor]:
        """Draw one batch."""
        clean = torch.stack(list(self.patches())).float() / 255
        sigma = self.random.uniform(*NOISE, size=(self.batch, 1, 1, 1)) / 255
        noise = sigma * self.random.standard_normal(clean.shape, dtype=np.float32)
        return clean + torch.from_numpy(noise.astype(np.float32)), clean


def gaussian_matrix(side: int, sigma: float) -> Tensor:
    """Return the side×side matrix that blurs a column of pixels; ``sigma`` in pixels, rows sum to one."""
    place = torch.arange(side, dtype=torch.float32)
    weights = torch.exp(-((place[:, None] - place) ** 2) / (2 * sigma**2 + 1e-6))
    weights = torch.where(weights > 1e-6, weights, 0)  # denormal numbers are slow
    return weights / weights.sum(dim=1, keepdim=True)


def detail(patch: Tensor) -> float:
    """Mean absolute difference of horizontal neighbours, green channel, every second row."""
    green = patch[1, ::2].float()
    return float((green[:, 1:] - green[:, :-1]).abs().mean())
