"""The single numbers of a verification: their names, which way they are good, what they mean. They stand once."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from srlens.imaging.terms import worded
from srlens.trust.verification import Verification

#: Which way a number is good, as tables say it.
Direction = Literal["higher is better", "lower is better", "1 is perfect", "near its floor is best", "neither way"]


@dataclass(frozen=True)
class Number:
    """One number of a verification.

    Attributes:
        key: in records and tables.
        label: in figures and on the terminal.
        of: draws it; None where it does not exist.
        digits: after the point.
        direction: which way it is good.
        meaning: in one line.
        unit: ``"%"`` of shares, ``"LR px"``, or none.
    """

    key: str
    label: str
    of: Callable[[Verification], float | None]
    digits: int
    direction: Direction
    meaning: str
    unit: str = ""

    def text(self, found: Verification) -> str:
        """As it is shown, with its unit; "–" where it does not exist."""
        value = self.of(found)
        if value is None:
            return "–"
        scaled = 100 * value if self.unit == "%" else value
        unit = worded(self.unit, found.attribution.scale)
        return f"{scaled:.{self.digits}f} {unit}".strip().replace("-", "−")

    def meaning_for(self, found: Verification) -> str:
        """``meaning`` in the words of the network's scale."""
        return worded(self.meaning, found.attribution.scale)


def _others(found: Verification) -> float | None:
    known = [float(one) for one in found.agreement.matrix[0, 1:] if not np.isnan(one)]
    return float(np.median(known)) if known else None


#: Every number of a verification, in the order of cards and records.
NUMBERS: tuple[Number, ...] = (
    Number(
        "diffusion_index", "DI", lambda v: v.attribution.diffusion_index, 2, "neither way",
        "how widely the absolute map spreads; it depends on the LR size",
    ),
    Number(
        "index_error", "DI error", lambda v: v.stability.index_error, 2, "lower is better",
        "by how much DI moves under noise of one grey level and one SR pixel aside",
    ),
    Number(
        "causal_reach", "Causal reach", lambda v: float(v.reach.radius), 0, "neither way",
        "what lies farther, replaced, changes the window by less than the threshold", "LR px",
    ),
    Number(
        "map_beyond_reach", "Map beyond reach", lambda v: v.beyond_reach, 1, "lower is better",
        "share of the absolute map on pixels that change nothing that counts", "%",
    ),
    Number(
        "deletion_gain", "Deletion gain", lambda v: v.deletion.gain_over_distance, 3, "higher is better",
        'over the order of distance; 0: the map says nothing but "near"',
    ),
    Number(
        "insertion_gain", "Insertion gain", lambda v: v.insertion.gain_over_distance, 3, "higher is better",
        "the same for pixels that are restored",
    ),
    Number(
        "infidelity_correlation", "Additivity, r", lambda v: v.infidelity.correlation, 2, "1 is perfect",
        "the map's sums over random sets against the effects of replacing them",
    ),
    Number(
        "infidelity_slope", "Additivity, slope", lambda v: v.infidelity.slope, 2, "1 is perfect",
        "effect per unit of the map's sum; below 1 the map claims more than is found",
    ),
    Number(
        "randomisation", "Randomised", lambda v: v.randomisation.rank_correlation[-1], 2, "near its floor is best",
        "rank correlation with the map of the same network, all weights re-drawn",
    ),
    Number(
        "randomisation_floor", "Its floor", lambda v: v.randomisation.floor.rank_correlation, 2, "neither way",
        "the same of two random networks: what picture and path alone make alike",
    ),
    Number(
        "noise", "Under noise", lambda v: v.stability.worst("noise"), 2, "higher is better",
        "least rank correlation with the map under noise of one grey level",
    ),
    Number(
        "shift", "Under shift", lambda v: v.stability.worst("shift"), 2, "higher is better",
        "least rank correlation with the map of a window one SR pixel aside",
    ),
    Number(
        "agreement", "Other methods", _others, 2, "higher is better",
        "median rank correlation with the maps of other methods",
    ),
)  # fmt: skip
