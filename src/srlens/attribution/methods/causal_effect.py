"""Causal effect maps: what the detector loses on average when a block is replaced by natural patches."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, sqrt
from numbers import Real

import numpy as np
import torch
from torch import Tensor

from srlens.attribution.blocks import Block, partition, pixels, replaced_values, stays_inside, within_reach
from srlens.attribution.scene import Algorithm, Explanation, Scene
from srlens.errors import SettingError
from srlens.imaging.check import whole
from srlens.imaging.patches import PACKAGED, SIDE, PatchBank, find_bank, with_channels

_NEGLIGIBLE = 1e-3  # of the detector's value; 0.01 dB are 2.3e-3 of an energy
_CONFIDENCE = 0.95
_CHANGING = 0.2  # share of the blocks within reach that need the fine stage, about, for the progress bar


@dataclass(frozen=True)
class CausalEffect(Algorithm):
    """Causal effect map (Hu et al., IEEE TPAMI 47(8), 2025): blocks of all channels are replaced by natural patches.

    The effect of a block is D(F(I)) − mean D(F(I with the block replaced)), over random patches. Positive: the detector
    loses without the block. With the detector ``psnr`` that is the authors' map, in dB: a block with a positive effect
    helps, one with a negative effect harms. The window's own blocks count like any other (the authors' code takes
    their absolute value).

    In two stages: a few patches for every block, and many new ones where some of the few changed the detector by the
    threshold. So what decides whether a block is looked at does not bias its effect. Elsewhere the effect is 0. Blocks
    outside the receptive field are never computed: theirs is exactly 0.

    A block's effect is spread evenly over its pixels and channels, so that the map is in units of the detector per LR
    pixel and sums to the sum of all effects. Its diffusion index counts blocks, not pixels: compare it at one block
    size only, and not with that of a map by pixels.

    In restoration (scale 1), where the clean picture and how it was degraded are known, the clean content of a block is
    replaced and degraded anew with the same random numbers, as the authors do; in super-resolution, or where that is
    not known, the image's own.

    ``Attribution.interval`` holds the Student t interval of each block's effect from its draws, spread likewise; for
    blocks within reach that are left at 0 it is the threshold, which none of the few patches reached.

    Attributes:
        block: side of a block in LR pixels; None: 8 clean pixels, that is 2 at scale 4 and 8 at scale 1. The blocks at
            the right and bottom are cut off.
        patches: what blocks are replaced by: ``"packaged"``, the bank of the packaged photographs, or a folder of
            pictures (:class:`srlens.imaging.patches.PatchBank`).
        draws: patches a block in the fine stage, at least 2.
        coarse_draws: patches a block in the coarse stage; 0: the fine stage everywhere.
        threshold: change of the detector, in its unit, which the fine stage needs; None: 0.01 dB for ``psnr``, for
            others what they hold to be negligible, as a rule a thousandth of D(F(I)).
        draw_seed: of the patches; each block draws its own, whatever other blocks do.

    Raises:
        SettingError: a value out of range.
    """

    block: int | None = None
    patches: str = PACKAGED
    draws: int = 50
    coarse_draws: int = 3
    threshold: float | None = None
    draw_seed: int = 0

    def __post_init__(self) -> None:
        if self.block is not None:
            whole("block", self.block, hint=" LR pixels")
        whole("draws", self.draws, 2, "; an interval needs two")
        whole("coarse_draws", self.coarse_draws, 0)
        whole("draw_seed", self.draw_seed, 0)
        if not isinstance(self.patches, str):
            raise SettingError(f"patches must be {PACKAGED!r} or the name of a folder, got {self.patches!r}.")
        if self.threshold is not None and not (isinstance(self.threshold, Real) and 0 <= self.threshold < inf):
            raise SettingError(f"threshold must be a change of the detector, at least 0, got {self.threshold!r}.")

    @property
    def expected(self) -> int:
        """Forward passes, many more than windowed evaluation needs to pay."""
        return 64

    @property
    def by_values(self) -> bool:
        """One forward pass a patch."""
        return True

    def known(self, image: Tensor) -> Tensor:
        """The image, and one of random patches."""
        generator = torch.Generator().manual_seed(self.draw_seed)
        height, width = image.shape[-2:]
        mosaic = find_bank(self.patches).mosaic(height, width, self.block or SIDE, generator)
        return torch.stack([image, with_channels(mosaic, len(image))])

    def check(self, height: int, width: int) -> None:
        """Raise a named error if a block is larger than the LR image, or the folder of patches cannot be read."""
        if self.block is not None and self.block > min(height, width):
            raise SettingError(f"block={self.block} is larger than the LR image of {height}×{width} pixels.")
        find_bank(self.patches)

    def described(self, evaluations: int) -> str:
        """The settings in words, with the number of evaluations that were made."""
        size = "8 clean pixels" if self.block is None else f"{self.block} LR pixels"
        least = "" if self.threshold is None else f" above {self.threshold:g}"
        stages = f"{self.coarse_draws} then {self.draws} patches" if self.coarse_draws else f"{self.draws} patches"
        return (
            f"blocks of {size}, {stages}{least} ({self.patches}; seed {self.draw_seed}), 95 % t intervals, "
            f"{evaluations} evaluations"
        )

    def explain(self, scene: Scene) -> Explanation:
        """Look at each block coarsely, then closely where something changed."""
        channels, height, width = scene.image.shape
        side = self.block if self.block is not None else max(1, round(SIDE / scene.scale))
        bank, blocks = find_bank(self.patches), partition(height, width, side)
        scene.gradients(scene.image[None])  # where evaluation by windows is proven, and with it the reach
        value = float(scene.values(scene.image[None])[0, 0])
        near = within_reach(blocks, scene)
        if scene.making is not None and not stays_inside(blocks[len(blocks) // 2], scene.making):
            near = [True] * len(blocks)  # what becomes of a block may be seen far from it
        reached = [number for number, one in enumerate(near) if one]
        threshold = self._threshold(scene, value)
        guess = 1 if not self.coarse_draws else _CHANGING
        scene.expect(2 + len(reached) * self.coarse_draws + round(guess * len(reached) * self.draws))
        fine = reached
        if self.coarse_draws:
            coarse = value - self._values(scene, bank, blocks, reached, side, stage=0)
            fine = [number for number, some in zip(reached, coarse, strict=True) if some.abs().max() >= threshold]
            scene.expect(2 + len(reached) * self.coarse_draws + len(fine) * self.draws)
        draws = value - self._values(scene, bank, blocks, fine, side, stage=1)
        effects, halves = draws.mean(dim=1), half_widths(draws)
        summed, interval = torch.zeros(2, height, width, dtype=torch.float64)
        for number in reached if self.coarse_draws else []:
            interval[blocks[number]] = threshold / pixels(blocks[number])
        for number, effect, half in zip(fine, effects, halves, strict=True):
            summed[blocks[number]] = effect / pixels(blocks[number])
            interval[blocks[number]] = half / pixels(blocks[number])
        return Explanation(
            (summed / channels).expand(1, channels, -1, -1).contiguous(),
            intervals=interval[None],
            facts={
                "block": side,
                "blocks": len(blocks),
                "blocks_outside_reach": len(blocks) - len(reached),
                "blocks_fine": len(fine),
                "blocks_uncertain": int(((effects != 0) & (effects.abs() <= halves)).sum()),
                "threshold": threshold,
                "degraded_anew": scene.making.name if scene.making is not None else None,
                "patches_sha256": bank.digest,
            },
        )

    def _threshold(self, scene: Scene, value: float) -> float:
        if self.threshold is not None:
            return float(self.threshold)
        least = scene.detector.negligible
        return least if least is not None else _NEGLIGIBLE * abs(value)

    def _values(
        self, scene: Scene, bank: PatchBank, blocks: Sequence[Block], chosen: Sequence[int], side: int, stage: int
    ) -> Tensor:
        """The detector with each of the chosen blocks replaced: one row a block, one column a patch."""
        count = (self.coarse_draws, self.draws)[stage]
        channels = len(scene.image if scene.making is None else scene.making.clean)

        def replacements(number: int) -> list[tuple[Block, Tensor]]:
            rows, columns = blocks[number]
            seed = np.random.SeedSequence((self.draw_seed, stage, number)).generate_state(1, np.uint64)[0]
            drawn = bank.draw(count, side, torch.Generator().manual_seed(int(seed >> np.uint64(1))))
            cut = with_channels(drawn, channels)[..., : rows.stop - rows.start, : columns.stop - columns.start]
            return [(blocks[number], patch) for patch in cut]

        each = (one for number in chosen for one in replacements(number))
        found = list(replaced_values(scene, each, scene.making))
        return torch.stack(found)[:, 0].reshape(-1, count) if found else torch.zeros(0, count, dtype=torch.float64)


def half_widths(draws: Tensor) -> Tensor:
    """Half the width of the 95 % Student t interval of each row's mean: M×n to M."""
    from scipy.stats import t

    count = draws.shape[1]
    return float(t.ppf((1 + _CONFIDENCE) / 2, count - 1)) / sqrt(count) * draws.std(dim=1)
