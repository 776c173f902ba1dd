"""Occlusion: what the detector loses when a block of the image is replaced."""

from copy import copy
from dataclasses import dataclass
from itertools import compress, product
from typing import Self

import torch
from torch import Tensor

from srlens.attribution.baseline import Baseline, check_baseline, find_baseline, given_clean, in_words
from srlens.attribution.blocks import replaced_values, within_reach
from srlens.attribution.scene import Algorithm, Explanation, Scene
from srlens.errors import SettingError
from srlens.imaging.check import whole


@dataclass(frozen=True)
class Occlusion(Algorithm):
    """Occlusion (Zeiler & Fergus 2014): blocks of all channels are replaced by the same pixels of a fill picture.

    A block's effect, D(F(I)) − D(F(I with the block replaced)), is spread evenly over its pixels and channels; where
    blocks overlap, a pixel takes the mean of theirs. Without overlap the map sums to the sum of all effects. Blocks
    outside the receptive field are not computed: their effect is exactly 0.

    Attributes:
        block: side of a block in LR pixels.
        stride: distance of neighbouring blocks in LR pixels, at most ``block``; None: ``block``. The last block of a
            row ends at the border.
        fill: the name of a baseline (``srlens.BASELINES``): ``"blur"``, ``"mean"``, ``"black"``,
            ``"clean"``.
        sigma: of the fill's blur, in LR pixels; None: the paper's.
        kernel: of the fill's blur, in LR pixels; None: what σ needs.

    Raises:
        SettingError: a value out of range, or an unknown fill.
    """

    block: int = 4
    stride: int | None = None
    fill: str = "blur"
    sigma: float | None = None
    kernel: int | None = None

    def __post_init__(self) -> None:
        block = whole("block", self.block, hint=" LR pixels")
        if self.stride is not None and whole("stride", self.stride, hint=" LR pixels") > block:
            raise SettingError(f"stride must be from 1 to the block's side ({block}), got {self.stride}.")
        _ = self._filling

    def reading(self, clean: Tensor | None, image: Tensor) -> Self:
        """The same with what blocks are filled with in hand."""
        own = copy(self)
        object.__setattr__(own, "_given", given_clean(self._filling, clean, image))
        return own

    def question(self, what: str) -> str:
        """What the map answers."""
        filled = in_words(self._filling)
        return f"how does the window change, in {what}, where a block of the input becomes that of {filled}?"

    @property
    def _filling(self) -> Baseline:
        given: Baseline | None = vars(self).get("_given")
        return (
            given
            if given is not None
            else find_baseline(self.fill, {"sigma": self.sigma, "kernel": self.kernel}, "fill")
        )

    @property
    def together(self) -> bool:
        """Windows share the forward passes."""
        return True

    @property
    def expected(self) -> int:
        """One forward pass a block; enough of them for windowed evaluation to pay."""
        return 64

    @property
    def by_values(self) -> bool:
        """One forward pass a block."""
        return True

    def known(self, image: Tensor) -> Tensor:
        """The image and what it is filled with."""
        return torch.stack([image, self._filling.of(image)])

    def check(self, height: int, width: int) -> None:
        """Raise a named error if a block, or the kernel of the fill's blur, is larger than the LR image."""
        if self.block > min(height, width):
            raise SettingError(f"block={self.block} is larger than the LR image of {height}×{width} pixels.")
        check_baseline(self._filling, height, width)

    def explain(self, scene: Scene) -> Explanation:
        """Replace each block in turn."""
        channels, height, width = scene.image.shape
        fill = self._filling.of(scene.image)
        stride = self.stride if self.stride is not None else self.block
        corners = product(*(_starts(side, self.block, stride) for side in (height, width)))
        blocks = [(slice(top, top + self.block), slice(left, left + self.block)) for top, left in corners]
        scene.expect(len(blocks) + 2)
        scene.gradients(scene.image[None])  # where evaluation by windows is proven, and with it the reach
        reached = list(compress(blocks, within_reach(blocks, scene)))
        scene.expect(len(reached) + 2)
        whole_value = scene.values(scene.image[None])[0]
        total = torch.zeros(len(scene.windows), height, width, dtype=torch.float64)
        count = torch.zeros(height, width, dtype=torch.float64)
        for block in blocks:
            count[block] += 1
        values = replaced_values(scene, ((block, fill[:, *block]) for block in reached))
        for block, value in zip(reached, values, strict=True):
            total[:, *block] += (whole_value - value)[:, None, None] / (self.block**2 * channels)
        return Explanation((total / count)[:, None].expand(-1, channels, -1, -1).contiguous())


def _starts(side: int, block: int, stride: int) -> list[int]:
    """Where blocks start along a side: every ``stride`` pixels, and the last one at the border."""
    return sorted({*range(0, side - block + 1, stride), side - block})
