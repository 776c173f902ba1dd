"""Fills: what stands in the place of pixels that an intervention takes away.

One fill proves nothing: a blurred picture has the image's own brightness, so that it cannot show the use of brightness.
Those here differ in kind.
"""

from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.linalg import splu
from torch import Tensor

from srlens.attribution.baseline import Baseline, Blurred, Mean
from srlens.errors import ImageError, SettingError
from srlens.imaging.patches import PACKAGED, SIDE, find_bank, with_channels
from srlens.naming import look_up


class Fill(Protocol):
    """A rule that replaces pixels of any LR image; a frozen dataclass."""

    @property
    def name(self) -> str:
        """Its key in :data:`FILLS`."""
        ...

    @property
    def drawn(self) -> bool:
        """Whether it draws random numbers, so that another draw gives another picture."""
        ...

    def replaced(self, image: Tensor, where: Tensor, draw: int = 0) -> Tensor:
        """The image with pixels replaced.

        Args:
            image: C×h×w in [0, 1], float64, CPU.
            where: h×w, boolean: the pixels to replace, in all channels.
            draw: which of the pictures that it may draw, from 0; equal numbers give equal pictures, whatever
                ``where`` is where the fill does not look at the pixels that stay.

        Returns:
            C×h×w, float64; equal to the image where ``where`` is False.
        """
        ...


@dataclass(frozen=True)
class BaselineFill:
    """The same pixels of a baseline of the whole image.

    Attributes:
        baseline: which.
    """

    baseline: Baseline
    drawn: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """That of the baseline."""
        return self.baseline.name

    def replaced(self, image: Tensor, where: Tensor, draw: int = 0) -> Tensor:  # noqa: ARG002 - it draws nothing
        """See :meth:`Fill.replaced`."""
        return torch.where(_fitting(where, image), self.baseline.of(image), image)


_NEIGHBOURS = tuple(
    (down, across, 1 / 12 if down and across else 1 / 6)
    for down in (-1, 0, 1)
    for across in (-1, 0, 1)
    if down or across
)


@dataclass(frozen=True)
class NaturalPatches:
    """Patches of other natural pictures (Hu et al., IEEE TPAMI 2025), 8×8 LR pixels each, side by side over the image.

    Another draw is another picture of patches. Bands other than RGB and grey: see
    :func:`srlens.imaging.patches.with_channels`.

    Attributes:
        bank: the packaged one, or a folder of pictures; see :func:`srlens.imaging.patches.find_bank`.
    """

    bank: str = PACKAGED
    name: ClassVar[str] = "patches"
    drawn: ClassVar[bool] = True

    def replaced(self, image: Tensor, where: Tensor, draw: int = 0) -> Tensor:
        """See :meth:`Fill.replaced`."""
        generator = torch.Generator().manual_seed(draw)
        channels, height, width = image.shape
        picture = with_channels(find_bank(self.bank).mosaic(height, width, SIDE, generator), channels)
        return torch.where(_fitting(where, image), picture.to(image), image)


@dataclass(frozen=True)
class NoisyLinear:
    """Noisy linear imputation (Rong et al., ROAD, ICML 2022): each pixel is the weighted mean of its eight neighbours.

    Neighbours across an edge weigh 1/6, across a corner 1/12; at the border those that there are share the weight. The
    equations of all replaced pixels are solved at once, and normal noise is added, so that a network cannot read off
    which pixels were replaced. Where every pixel is replaced, nothing is left to interpolate: the mean is taken.

    Attributes:
        noise: standard deviation of the noise, in [0, 1] terms, ≥ 0; the authors' is 0.01.

    Raises:
        SettingError: it is negative or not finite.
    """

    noise: float = 0.01
    name: ClassVar[str] = "linear"
    drawn: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not 0 <= self.noise < float("inf"):
            raise SettingError(
                f"noise must be at least 0 and finite, in [0, 1] terms (0.01 is usual); got {self.noise!r}."
            )

    def replaced(self, image: Tensor, where: Tensor, draw: int = 0) -> Tensor:
        """See :meth:`Fill.replaced`; the noise of a pixel depends on the draw alone."""
        mask = _fitting(where, image).numpy()
        noise = torch.randn(image.shape, generator=torch.Generator().manual_seed(draw), dtype=image.dtype)
        smooth = Mean().of(image) if mask.all() else image.clone()
        if mask.any() and not mask.all():
            smooth[:, where] = torch.from_numpy(_interpolated(image.numpy(), mask)).to(image)
        return torch.where(where, (smooth + self.noise * noise).clamp(0, 1), image)


def _interpolated(image: NDArray[np.float64], mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Values C×n of the n pixels in ``mask`` (h×w), row by row, from those outside it."""
    height, width = mask.shape
    rows, columns = np.nonzero(mask)
    number = np.zeros(mask.shape, dtype=np.int64)
    number[mask] = np.arange(len(rows))
    weight, known = np.zeros(len(rows)), np.zeros((image.shape[0], len(rows)))
    entries = []
    for down, across, share in _NEIGHBOURS:
        y, x = rows + down, columns + across
        inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
        weight[inside] += share
        here, y, x = np.flatnonzero(inside), y[inside], x[inside]
        unknown = mask[y, x]
        known[:, here[~unknown]] += share * image[:, y[~unknown], x[~unknown]]
        entries.append((here[unknown], number[y, x][unknown], np.full(np.count_nonzero(unknown), -share)))
    own = np.arange(len(rows))
    i, j, value = (np.concatenate(parts) for parts in zip(*entries, (own, own, weight), strict=True))
    solved: NDArray[np.float64] = splu(coo_array((value, (i, j)), shape=(len(own), len(own))).tocsc()).solve(known.T)
    return solved.T


def _fitting(where: Tensor, image: Tensor) -> Tensor:
    """The pixels to replace, once they are known to be those of the image."""
    if where.shape != image.shape[-2:] or where.dtype != torch.bool:
        raise ImageError(
            f"Pixels to replace are given as a boolean h×w of the image, {tuple(image.shape[-2:])}; got "
            f"{tuple(where.shape)} of {where.dtype}."
        )
    return where


#: Fills by name. Add your own here.
FILLS: dict[str, Fill] = {
    fill.name: fill for fill in (BaselineFill(Blurred()), BaselineFill(Mean()), NaturalPatches(), NoisyLinear())
}


def find_fill(fill: str | Fill) -> Fill:
    """A fill by name, or the one given.

    Raises:
        SettingError: no fill has that name.
    """
    return look_up("fill", fill, FILLS) if isinstance(fill, str) else fill
