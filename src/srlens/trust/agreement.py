"""Do methods that ask the same question give the same map? Rank correlation of every pair at one window."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srlens.attribution.result import Attribution
from srlens.trust.randomisation import likeness


@dataclass(frozen=True, eq=False)
class Agreement:
    """Maps of several methods at one window, with what interventions say of each.

    Attributes:
        methods: names, that of the tested map first.
        matrix: n×n, symmetric, float64, read-only: Spearman's rank correlation of the absolute maps over the LR pixels
            where either is not zero, in [−1, 1]; NaN where a map is zero everywhere or has no ranks.
        diffusion_index: one a method; None for a map that is zero everywhere.
        gain_over_distance: of the deletion test (see :class:`~srlens.trust.deletion.Deletion`), one a method; None
            where it was not made.
        infidelity_correlation: see :class:`~srlens.trust.infidelity.Infidelity`, likewise.
    """

    methods: tuple[str, ...]
    matrix: NDArray[np.float64]
    diffusion_index: tuple[float | None, ...]
    gain_over_distance: tuple[float | None, ...]
    infidelity_correlation: tuple[float | None, ...]

    def __post_init__(self) -> None:
        self.matrix.setflags(write=False)

    def record(self) -> dict[str, Any]:
        """Plain values that JSON can hold."""
        return {
            "methods": list(self.methods),
            "rank_correlation": [[None if np.isnan(one) else float(one) for one in line] for line in self.matrix],
            "diffusion_index": list(self.diffusion_index),
            "gain_over_distance": list(self.gain_over_distance),
            "infidelity_correlation": list(self.infidelity_correlation),
        }


def agreement_matrix(results: Sequence[Attribution]) -> NDArray[np.float64]:
    """Rank correlation of every pair of maps of one LR image, n×n; NaN where one has no ranks."""
    count = len(results)
    matrix = np.eye(count)
    for i in range(count):
        for j in range(i):
            found = likeness(results[i], results[j]).rank_correlation
            matrix[i, j] = matrix[j, i] = np.nan if found is None else found
    return matrix
