"""Maps of a sampled network for several seeds: one seed's map says nothing yet about the network."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from srlens.attribution.attention_maps import AttentionMaps
from srlens.attribution.explainer import Explainer
from srlens.attribution.method import Method
from srlens.attribution.result import Attribution
from srlens.attribution.scene import Progress
from srlens.errors import SettingError
from srlens.imaging.check import whole
from srlens.imaging.window import Window
from srlens.measures.agreement import rank_correlation
from srlens.networks.network import Network
from srlens.shown import Shown


@dataclass(frozen=True, eq=False, repr=False)
class SeedMaps(Shown):
    """One window of one sampled network, explained with the noise of several seeds.

    Attributes:
        seeds: of the noise.
        results: one a seed, in that order.
    """

    seeds: tuple[int, ...]
    results: tuple[Attribution, ...]

    @property
    def summary(self) -> str:
        """What it is, in one line."""
        indices = ", ".join("zero" if one is None else f"{one:.1f}" for one in self.diffusion_indices)
        stable = "" if self.stable_share is None else f"; one sign in all for {self.stable_share:.0%} of the mass"
        first = self.results[0]
        return f"{first.method.name} of {first.network}, {first.window}, seeds {list(self.seeds)}, DI {indices}{stable}"

    @property
    def conditions(self) -> str:
        """One line with every setting that the numbers depend on, for captions."""
        shared = self.results[0].conditions.removesuffix(f", seed {self.seeds[0]}")
        return f"{shared}, {len(self.seeds)} seeds of the noise"

    @cached_property
    def mean(self) -> NDArray[np.float64]:
        """Mean of the signed maps, channels summed: h×w, in units of the detector, read-only."""
        mean: NDArray[np.float64] = np.mean([one.summed for one in self.results], axis=0)
        mean.setflags(write=False)
        return mean

    @property
    def diffusion_indices(self) -> tuple[float | None, ...]:
        """Of each seed's map; None where that is zero everywhere."""
        return tuple(None if one.is_zero else one.diffusion_index for one in self.results)

    @property
    def diffusion_spread(self) -> float | None:
        """Standard deviation of the diffusion indices over seeds (n − 1); None for fewer than two of them."""
        known = [one for one in self.diffusion_indices if one is not None]
        return float(np.std(known, ddof=1)) if len(known) > 1 else None

    @cached_property
    def stable(self) -> NDArray[np.bool_]:
        """Where all seeds agree in the sign of the summed map, which is not zero there: h×w, read-only."""
        signs = np.sign([one.summed for one in self.results])
        stable: NDArray[np.bool_] = (signs == signs[0]).all(axis=0) & (signs[0] != 0)
        stable.setflags(write=False)
        return stable

    @property
    def stable_share(self) -> float | None:
        """Share of the mean absolute map that lies where the sign is stable, in [0, 1]; None for zero maps."""
        mass = np.mean([one.absolute for one in self.results], axis=0)
        return float(mass[self.stable].sum() / mass.sum()) if mass.any() else None

    def rank_correlation(self, attention: Sequence[AttentionMaps]) -> float:
        """Spearman's rank correlation of the mean map's absolute value with the mean SRAM of the same window."""
        return rank_correlation(self.mean, mean_sram(attention))


def mean_sram(attention: Sequence[AttentionMaps]) -> NDArray[np.float64]:
    """Mean of the SRAMs of several seeds: h×w."""
    mean: NDArray[np.float64] = np.mean([one.sram for one in attention], axis=0)
    return mean


def attribute_seeds(
    network: Network,
    image: Tensor | ArrayLike,
    window: Window,
    method: str | Method = "lam",
    *,
    seeds: int | Sequence[int] = 4,
    progress: Progress | None = None,
    **options: Any,
) -> SeedMaps:
    """Explain one window with the noise of several seeds.

    Args:
        network: one that samples, see :meth:`srlens.Network.from_sampler`.
        image: as for :func:`srlens.attribute`.
        window: in SR pixels.
        method: as for :func:`srlens.attribute`.
        seeds: the seeds, or how many, from 0.
        progress: called with (evaluations done, evaluations expected) over all seeds.
        **options: of :func:`srlens.attribute`.

    Raises:
        SettingError: no seed, or one twice; and what :func:`srlens.attribute` raises.
    """
    chosen = chosen_seeds(network, seeds)
    results: list[Attribution] = []

    def tick(done: int, expected: int) -> None:
        if progress is not None:
            progress(len(results) * expected + done, len(chosen) * expected)

    for seed in chosen:
        results.append(Explainer(network, image, method, seed=seed, **options).window(window, progress=tick))
    return SeedMaps(chosen, tuple(results))


def chosen_seeds(network: Network, seeds: int | Sequence[int]) -> tuple[int, ...]:
    """The seeds, or so many from 0.

    Raises:
        SettingError: no seed, one twice, or the network draws no noise.
    """
    chosen = tuple(range(whole("seeds", seeds)) if isinstance(seeds, int) else (whole("seed", one, 0) for one in seeds))
    if not chosen or len(set(chosen)) < len(chosen):
        raise SettingError(f"seeds must be different whole numbers, at least one; got {list(chosen)}.")
    if not getattr(getattr(network.module, "sampler", None), "random", True):
        raise SettingError(f"{network.name} draws no noise: all seeds give one map. Use srlens.attribute.")
    return chosen
