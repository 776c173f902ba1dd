"""What the tests of one map found."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srlens.attribution.result import Attribution
from srlens.imaging.terms import worded
from srlens.shown import Shown
from srlens.trust.agreement import Agreement
from srlens.trust.budget import Plan
from srlens.trust.deletion import Deletion
from srlens.trust.infidelity import Infidelity
from srlens.trust.randomisation import Randomisation
from srlens.trust.reach_result import Reach, ReachPoint
from srlens.trust.stability import Stability

_TOLD = 16  # LR pixels: beyond this, if the picture is large enough, the summary tells what is there


@dataclass(frozen=True, eq=False, repr=False)
class Verification(Shown):
    """Whether a map is true: interventions beside it, and tests of it.

    Single numbers of it, with their direction and meaning: :data:`srlens.NUMBERS`.

    Attributes:
        attribution: the map that is tested.
        reach: how far from the window pixels matter, whatever the map says.
        beyond: share of the absolute map farther than r LR pixels (Chebyshev) from those that the window covers, for
            r = 0, 1, 2, … to the image's border; read-only, in [0, 1].
        deletion: pixels replaced in the map's order, and in others.
        insertion: pixels restored likewise.
        infidelity: sums of the map over random sets, and their effects.
        randomisation: the map of networks whose weights are re-drawn.
        stability: the map under small changes.
        agreement: the maps of other methods.
        plan: how much of each test was made.
        passes: forward passes that all took, with those of the map; a gradient is counted as three.
    """

    attribution: Attribution
    reach: Reach
    beyond: NDArray[np.float64]
    deletion: Deletion
    insertion: Deletion
    infidelity: Infidelity
    randomisation: Randomisation
    stability: Stability
    agreement: Agreement
    plan: Plan
    passes: int

    def __post_init__(self) -> None:
        self.beyond.setflags(write=False)

    @property
    def summary(self) -> str:
        """What it is, in one line."""
        reach = worded(f"{self.reach.radius} LR px", self.attribution.scale)
        return (
            f"{self.attribution.method.name} of {self.attribution.network}: {self.beyond_reach:.0%} of the map beyond "
            f"the causal reach of {reach}, gain over distance {self.deletion.gain_over_distance:+.2f}"
        )

    @property
    def conditions(self) -> str:
        """One line with every setting that the numbers depend on, for captions."""
        base, added = self.stability.base, self.infidelity
        parts = [
            self.attribution.conditions,
            f"fills {', '.join(self.deletion.fills)}",
            f"{len(added.sums)} random sets of {added.block}×{added.block} blocks replaced by {added.fill}",
            f"maps compared: {worded(base.method.described(base.evaluations), base.scale)}",
            f"{self.passes} forward passes",
        ]
        return "; ".join(parts)

    @property
    def beyond_reach(self) -> float:
        """Share of the absolute map beyond the causal reach, in [0, 1]: on pixels that change nothing that counts."""
        return float(self.beyond[min(self.reach.radius, len(self.beyond) - 1)])

    @property
    def words(self) -> tuple[str, ...]:
        """What was found, in plain sentences."""
        found = (self._far(), self._reached(), self._ordered(), self._summed(), self._learnt(), self._steady())
        return tuple(worded(sentence, self.attribution.scale) for sentence in found)

    def record(self) -> dict[str, Any]:
        """Everything but arrays of pixels, as plain values that JSON can hold."""
        from srlens.trust.numbers import NUMBERS

        return {
            "numbers": {one.key: one.of(self) for one in NUMBERS},
            "words": list(self.words),
            "attribution": self.attribution.record(),
            "reach": self.reach.record(),
            "map_beyond": self.beyond.tolist(),
            "deletion": self.deletion.record(),
            "insertion": self.insertion.record(),
            "infidelity": self.infidelity.record(),
            "randomisation": self.randomisation.record(),
            "stability": self.stability.record(),
            "agreement": self.agreement.record(),
            "plan": asdict(self.plan),
            "passes": self.passes,
        }

    def _far(self) -> str:
        """Of what lies far off, by the map and by intervention."""
        fill = max(self.reach.curves, key=lambda curve: curve.radius)
        points = [p for p in fill.farther if p.radius & (p.radius - 1) == 0 and 0 < p.radius <= _TOLD]
        with_map = [p for p in points if p.radius < len(self.beyond) and self.beyond[p.radius] >= 0.005]
        if not with_map:
            return "The whole map lies beside the window."
        point = with_map[-1]
        return (
            f"{100 * self.beyond[point.radius]:.0f} % of the map lies beyond {point.radius} LR pixels; replacing all "
            f"of that by {fill.fill} {_changes(point)}."
        )

    def _reached(self) -> str:
        limit, share = self.reach.radius, 100 * 10 ** (-self.reach.threshold_db / 20)
        if self.reach.whole_image:
            return (
                f"The window needs the whole picture: even its farthest pixels, replaced, change it by {share:.2g} %."
            )
        return (
            f"Beyond {limit} LR pixels nothing that was replaced changes the window by {share:.2g} % of the value "
            f"range; {100 * self.beyond_reach:.0f} % of the map lies there."
        )

    def _ordered(self) -> str:
        gain = self.deletion.gain_over_distance
        more, verdict = ("more", "more than") if gain > 0 else ("less", "no more than")
        each = ", ".join(f"{fill} {self.deletion.gain('distance', fill=fill):+.3f}" for fill in self.deletion.fills)
        disagree = "" if self.deletion.fills_agree else f" The fills disagree: {each.replace('-', '−')}."
        if self.deletion.diverged:
            disagree = (
                f" On pictures that are partly replaced by {' or '.join(self.deletion.diverged)} the network diverges, "
                "so that no gain under that fill tells anything."
            )
        if next(iter(self.deletion.fills)) in self.deletion.diverged:
            return disagree.strip()
        return (
            f"Replaced in the map's order, pixels change the window {abs(gain):.3f} of its whole change {more} than in "
            f'the order of distance: the map says {verdict} "near".{disagree}'
        )

    def _summed(self) -> str:
        found = self.infidelity
        if found.correlation is None or found.slope is None:
            return "Random sets of blocks have no effect, or no part in the map: it cannot be told whether it adds up."
        return (
            f"Sums of the map over random sets of blocks go with the effects of replacing them: correlation "
            f"{found.correlation:.2f}, slope {found.slope:.2f} (1 and 1: the map adds up)."
        )

    def _learnt(self) -> str:
        last, floor = self.randomisation.rank_correlation[-1], self.randomisation.floor.rank_correlation
        if last is None or floor is None:
            return "With all weights re-drawn there is no map to compare with."
        return (
            f"With all weights re-drawn the map's rank correlation with the true one is {last:.2f}; two random "
            f"networks have {floor:.2f} with each other."
        )

    def _steady(self) -> str:
        error = self.stability.index_error
        if error is None:
            return f"DI {self.attribution.diffusion_index:.2f}; how far it moves was not tested."
        return (
            f"DI {self.attribution.diffusion_index:.2f} moves by {error:.2f} under noise of one grey level and windows "
            "one SR pixel aside."
        )


def _changes(point: ReachPoint) -> str:
    if point.rmse == 0:
        return "changes nothing"
    psnr = "" if point.psnr_change is None else f" and its PSNR by {round(point.psnr_change, 1) + 0.0:+.1f} dB"
    return f"changes the window by {-point.change_db:.0f} dB{psnr}".replace("-", "−")
