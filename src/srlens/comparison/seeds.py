"""The verb: one window of one sampled network by the noise of several seeds: map, reach and attention of each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor

from srlens.attribution.attention import attention as read_attention
from srlens.attribution.attention_maps import AttentionMaps
from srlens.attribution.scene import Progress
from srlens.attribution.seeds import SeedMaps, chosen_seeds
from srlens.comparison.compare import Comparison, explain, shown, step_of
from srlens.comparison.explained import Explained
from srlens.comparison.measures import MEASURES
from srlens.comparison.subject import Subject
from srlens.errors import NoAttentionError
from srlens.imaging.window import Window
from srlens.networks.network import Network
from srlens.trust.reach_result import Reach


class OverSeeds(NamedTuple):
    """A measure over seeds.

    Attributes:
        mean: of those seeds for which it is known.
        deviation: their standard deviation (n − 1); None for fewer than two.
        seeds: how many these are.
    """

    mean: float
    deviation: float | None
    seeds: int


@dataclass(frozen=True, eq=False, repr=False)
class SeedComparison(Comparison):
    """One window of one network with the noise of several seeds, a row each: a :class:`Comparison` of seeds.

    Causal reach and attention are measured with the noise of the row's seed, as its map is.
    """

    @property
    def summary(self) -> str:
        """What it is, in one line."""
        return self.maps.summary

    @cached_property
    def maps(self) -> SeedMaps:
        """The maps alone, with what holds over all of them."""
        return SeedMaps(
            tuple(int(row.result.facts["seed"]) for row in self.rows), tuple(row.result for row in self.rows)
        )

    @property
    def conditions(self) -> tuple[str, ...]:
        """Every condition of the numbers."""
        return (self.maps.conditions,)

    @property
    def attention(self) -> tuple[AttentionMaps, ...]:
        """Of each seed; empty where the network has none, or it was not asked."""
        return tuple(row.attention for row in self.rows if row.attention is not None)

    @property
    def reaches(self) -> tuple[Reach, ...]:
        """Of each seed; empty where they were not measured."""
        return tuple(row.reach for row in self.rows if row.reach is not None)

    @property
    def rank_correlation(self) -> float | None:
        """Of the mean map with the mean SRAM; None where there is no attention."""
        return self.maps.rank_correlation(self.attention) if self.attention else None

    @cached_property
    def over_seeds(self) -> Mapping[str, OverSeeds]:
        """Mean and standard deviation over seeds of every measure that is a number and not the same by definition."""
        found = {}
        for key, measure in MEASURES.items():
            values = [measure.value(row) for row in self.rows]
            known = [float(one) for one in values if isinstance(one, int | float) and not isinstance(one, bool)]
            if known and key != "seed" and np.isfinite(known).all():
                deviation = float(np.std(known, ddof=1)) if len(known) > 1 else None
                found[key] = OverSeeds(float(np.mean(known)), deviation, len(known))
        return MappingProxyType(found)

    def record(self) -> dict[str, Any]:
        """Numbers and conditions as plain values, for result.json."""
        record = super().record()
        maps = self.maps
        return {
            **{key: value for key, value in record.items() if key != "networks"},
            "network": maps.results[0].network,
            "over_seeds": {
                "seeds": list(maps.seeds),
                "stable_sign_share": maps.stable_share,
                "rank_correlation_of_mean_map_and_attention": self.rank_correlation,
                **{key: one._asdict() for key, one in self.over_seeds.items() if key in _TOLD},
            },
            "seeds": record["networks"],
        }


#: Measures whose spread over seeds a record tells: those of the map, its tests and the picture.
_TOLD = (
    "diffusion_index",
    "effective_pixels",
    "area95",
    "causal_reach",
    "beyond_reach",
    "attention_rank_correlation",
    "attention_imacs",
    "psnr_window",
    "psnr_image",
    "completeness_gap",
    "map_error",
)


def compare_seeds(
    network: Network,
    image: Subject | Tensor,
    window: Window | None = None,
    *,
    seeds: int | Sequence[int] = 4,
    clean: Tensor | None = None,
    size: int = 16,
    reach: bool | None = None,
    attention: bool | None = None,
    progress: Callable[[str], Progress] | None = None,
    **settings: Any,
) -> SeedComparison:
    """Explain one window of a sampled network with the noise of several seeds; measure reach and attention beside.

    Args:
        network: one that samples, see :meth:`srlens.Network.from_sampler`.
        image: as for :func:`srlens.compare`.
        window: likewise; the hardest one for the first seed if None.
        seeds: the seeds, or how many, from 0.
        clean: as for :func:`srlens.compare`.
        size: likewise.
        reach: whether the causal reach is measured, with each seed's noise, under ``REACH_FILLS``; None:
            where that costs less than the map.
        attention: whether cross-attention is read; None: where the network has any.
        progress: gives a progress callback for ``"seed 0"``, and for its reach and attention ``"seed 0: reach"``.
        **settings: of :func:`srlens.attribute`.

    Raises:
        SettingError: no seed, or one twice.
        NoAttentionError: attention was asked for, and the network has none.
        SrlensError: what :func:`srlens.compare` raises.
    """
    chosen = chosen_seeds(network, seeds)
    subject, window, choice, (sr,) = shown([network.seeded(chosen[0])], image, window, clean, size)
    asked = attention is not False
    rows: list[Explained] = []
    for number, seed in enumerate(chosen):
        name = f"seed {seed}"
        named = {"map": name, "reach": f"{name}: reach", "attention": f"{name}: attention"}
        steps = partial(step_of, progress, named)
        rendered = sr if number == 0 else None
        row = explain(network, subject, window, rendered, reach=reach, seed=seed, progress=steps, **settings)
        if asked:
            try:
                seeded = network.seeded(seed)
                row = replace(row, attention=read_attention(seeded, subject.lr, window, progress=steps("attention")))
            except NoAttentionError:
                if attention:
                    raise
                asked = False
        rows.append(row)
    return SeedComparison(subject, window, choice, tuple(rows))
