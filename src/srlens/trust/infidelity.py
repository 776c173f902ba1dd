"""Does the map add up to what interventions do? Sums of the map over random sets against effects (Yeh et al. 2019)."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srlens.attribution.result import Attribution
from srlens.attribution.scene import Progress
from srlens.errors import SettingError
from srlens.imaging.check import whole
from srlens.trust.fills import BaselineFill, Fill, find_fill
from srlens.trust.intervention import Interventions
from srlens.trust.maps import counted


@dataclass(frozen=True, eq=False)
class Infidelity:
    """Effects of replacing random sets of blocks beside the map's sums over them.

    Attributes:
        correlation: Pearson's, in [−1, 1]; 1 for a map whose sums are the effects up to a factor and a constant. None
            where either does not vary.
        slope: of the effect on the map's sum, least squares through the origin (the factor by which the map's
            infidelity is least); 1 for a perfect additive map, below 1 where the map claims more than interventions
            find. None where all sums are 0.
        sums: Σ_S map, one a set, in the detector's unit, read-only.
        effects: D(F(I)) − D(F(I_S)), likewise.
        fill: its name.
        block: side of the blocks in LR pixels.
        seed: of the sets.
        passes: forward passes taken.
    """

    correlation: float | None
    slope: float | None
    sums: NDArray[np.float64]
    effects: NDArray[np.float64]
    fill: str
    block: int
    seed: int
    passes: int

    def __post_init__(self) -> None:
        for values in (self.sums, self.effects):
            values.setflags(write=False)

    def record(self) -> dict[str, Any]:
        """Plain values that JSON can hold."""
        return {
            "correlation": self.correlation,
            "slope": self.slope,
            "sets": len(self.sums),
            "fill": self.fill,
            "block": self.block,
            "seed": self.seed,
            "passes": self.passes,
        }


def fill_of(result: Attribution) -> Fill:
    """What takes away what the map shares out: the baseline of its path, or the blur for methods without a path."""
    path = getattr(result.method.algorithm, "path", None)
    return find_fill("blur") if path is None else BaselineFill(path.baseline)


def infidelity(
    interventions: Interventions,
    results: Sequence[Attribution],
    *,
    sets: int = 128,
    block: int = 4,
    seed: int = 0,
    fill: str | Fill | None = None,
    progress: Progress | None = None,
) -> tuple[Infidelity, ...]:
    """Replace random sets of blocks, and compare the effects with the sums of maps over the same sets.

    A set has from one block to half of all; the number is uniform on a logarithmic scale, so that small sets, which
    tell single places apart, and large ones, in which they act together, both occur.

    Args:
        interventions: of the window, with the maps' detector.
        results: maps of the window; the effects are computed once for all.
        sets: how many, at least 3.
        block: side of the blocks in LR pixels.
        seed: of the sets.
        fill: a name of :data:`srlens.trust.fills.FILLS`, or a fill; None: the path's own baseline of the first map.
        progress: called with (images done, all of them).

    Returns:
        One a map.

    Raises:
        SettingError: a value out of range, or no such fill.
    """
    whole("sets", sets, 3)
    height, width = interventions.image.shape[-2:]
    if whole("block", block, hint=" LR pixels") > min(height, width):
        raise SettingError(f"block={block} is larger than the LR image of {height}×{width} pixels.")
    chosen = find_fill(fill) if fill is not None else fill_of(results[0])
    masks, before = _random_sets(height, width, block, sets, seed), interventions.passes
    effects = interventions.effects(_replaced(interventions.image, chosen, masks, counted(progress, sets))).detector
    passes = interventions.passes - before
    found = []
    for result in results:
        signed = result.map.sum(axis=0)
        sums = np.array([float(signed[mask].sum()) for mask in masks])
        numbers = _correlation(sums, effects), float(sums @ effects / (sums @ sums)) if sums.any() else None
        found.append(Infidelity(*numbers, sums, effects, chosen.name, block, seed, passes))
    return tuple(found)


def _random_sets(height: int, width: int, block: int, sets: int, seed: int) -> NDArray[np.bool_]:
    """sets×h×w; the last blocks of rows and columns are smaller where the sides are no multiple."""
    random = np.random.default_rng(seed)
    rows, columns = -(-height // block), -(-width // block)
    every = rows * columns
    masks = np.zeros((sets, rows, columns), dtype=bool)
    for mask in masks:
        count = max(1, round(2 ** random.uniform(0, np.log2(max(every / 2, 1)))))
        mask.flat[random.choice(every, count, replace=False)] = True
    return masks.repeat(block, axis=1).repeat(block, axis=2)[:, :height, :width]


def _replaced(image: Tensor, fill: Fill, masks: NDArray[np.bool_], tick: Callable[[], None]) -> Iterator[Tensor]:
    for mask in masks:
        tick()
        yield fill.replaced(image, torch.from_numpy(mask))


def _correlation(a: NDArray[np.float64], b: NDArray[np.float64]) -> float | None:
    from scipy.stats import pearsonr

    return float(pearsonr(a, b).statistic) if np.ptp(a) > 0 and np.ptp(b) > 0 else None
