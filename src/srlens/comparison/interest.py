"""The paper's area of interest: what all networks use at one window, and what the better ones use more."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srlens.comparison.compare import Comparison, Explained
from srlens.errors import SettingError
from srlens.measures import agreement
from srlens.shown import Shown

#: Share of a map's mass whose smallest area counts as the area that a network uses.
AREA = 0.9


@dataclass(frozen=True)
class Pair:
    """How far two networks agree at one window.

    Attributes:
        first: name of a network.
        second: name of another.
        rank_correlation: Spearman's, over all LR pixels, in [−1, 1].
        overlap: intersection over union of the areas that hold 90 % of each map's mass, in [0, 1].
        total_variation: share of the mass that lies elsewhere, in [0, 1].
    """

    first: str
    second: str
    rank_correlation: float
    overlap: float
    total_variation: float


@dataclass(frozen=True, eq=False, repr=False)
class Interest(Shown):
    """Agreement and difference of the networks of one comparison.

    Attributes:
        pairs: every pair of networks.
        consensus: h×w, the pixelwise minimum of the unit-mass maps; its sum is ``shared``.
        shared: share of the mass that all networks place alike, in [0, 1].
        better: the network with the higher score.
        worse: the network with the lowest score.
        judged_by: what the score is: PSNR of the window, or the diffusion index where HR is not known.
        difference: h×w, unit-mass map of ``better`` minus that of ``worse``; sums to 0.
        comparison: what it was drawn from.
    """

    pairs: tuple[Pair, ...]
    consensus: NDArray[np.float64]
    shared: float
    better: str
    worse: str
    judged_by: str
    difference: NDArray[np.float64]
    comparison: Comparison

    @property
    def summary(self) -> str:
        """What it is, in one line."""
        names = len(self.comparison.rows)
        return f"{self.shared:.0%} of the mass shared by {names} networks; {self.better} against {self.worse}"

    def record(self) -> dict[str, Any]:
        """The numbers as plain values."""
        return {
            "shared_mass": self.shared,
            "better": self.better,
            "worse": self.worse,
            "judged_by": self.judged_by,
            "pairs": [vars(pair).copy() for pair in self.pairs],
        }

    def matrix(self, names: Sequence[str], measure: str) -> NDArray[np.float64]:
        """A measure of every pair (``"rank_correlation"``, ``"overlap"``, ``"total_variation"``), n×n, symmetric.

        The diagonal holds what a network has with itself: 1, or 0 for the total variation.
        """
        values = np.eye(len(names)) if measure != "total_variation" else np.zeros((len(names), len(names)))
        for pair in self.pairs:
            i, j = names.index(pair.first), names.index(pair.second)
            values[i, j] = values[j, i] = getattr(pair, measure)
        return values


def area_of_interest(comparison: Comparison) -> Interest:
    """Compare the maps of all networks of a comparison with one another.

    Raises:
        SettingError: fewer than two networks.
    """
    rows = comparison.rows
    if len(rows) < 2:
        raise SettingError(f"An area of interest needs at least two networks; the comparison has {len(rows)}.")
    pairs = tuple(
        Pair(
            a.network.name,
            b.network.name,
            agreement.rank_correlation(a.result.map, b.result.map),
            agreement.overlap(a.result.map, b.result.map, AREA),
            agreement.total_variation(a.result.map, b.result.map),
        )
        for a, b in combinations(rows, 2)
    )
    by_psnr = all(row.psnr_window is not None for row in rows)

    def score(row: Explained) -> float:
        return float(row.psnr_window if by_psnr and row.psnr_window is not None else row.result.diffusion_index)

    best, last = max(rows, key=score), min(rows, key=score)
    common = agreement.consensus([row.result.map for row in rows])
    return Interest(
        pairs=pairs,
        consensus=common,
        shared=float(common.sum()),
        better=best.network.name,
        worse=last.network.name,
        judged_by="PSNR of the window" if by_psnr else "diffusion index",
        difference=agreement.difference(best.result.map, last.result.map),
        comparison=comparison,
    )
