"""The statistics of a study, on plain arrays: K networks × W windows."""

import itertools
import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from srlens.study.bootstrap import RESAMPLES, Array, Interval, intervals

_ARRANGEMENTS = 200_000  # all are tried where there are no more, else as many random ones


@dataclass(frozen=True)
class Estimate:
    """A statistic with its uncertainty.

    Attributes:
        value: of the statistic.
        windows: interval when windows are drawn anew.
        pictures: interval when whole pictures are drawn anew with all of their windows; wider as a rule.
        p: of the null hypothesis that the statistic's owner names.
    """

    value: float
    windows: Interval
    pictures: Interval
    p: float

    def record(self, name: str) -> dict[str, float]:
        """As entries of a table's row; ``name`` is that of the value."""
        ends = {f"{label}_{end}": getattr(getattr(self, label), end) for label in _DRAWN for end in ("low", "high")}
        return {name: self.value, **ends, "p": self.p}

    def __format__(self, spec: str) -> str:
        """As text with the interval over pictures and p; ``spec`` is the number of digits and, if wanted, a unit."""
        digits, unit = int(spec[:1]), spec[1:]
        span = f"[{self.pictures.low:.{digits}f}, {self.pictures.high:.{digits}f}]".replace("-", "−")
        return f"{self.value:.{digits}f}{unit} {span}, p = {self.p:.3g}"


_DRAWN = ("windows", "pictures")


@dataclass(frozen=True)
class Correlation:
    """How a quality of networks goes with the logarithm of their diffusion index, over the networks' means.

    Attributes:
        pearson: correlation; p: chance that networks put in random order reach it (one-sided).
        spearman: likewise, of the ranks.
        networks: how many.
        windows: how many.
        pictures: how many.
    """

    pearson: Estimate
    spearman: Estimate
    networks: int
    windows: int
    pictures: int


@dataclass(frozen=True)
class Pair:
    """Two networks at the same windows.

    Attributes:
        a: index of the first.
        b: index of the second.
        ratio: geometric mean of DI(a) / DI(b).
        share: of the windows at which a has the larger diffusion index.
        p: of Wilcoxon's signed-rank test on the log ratios, two-sided.
        p_holm: corrected for all pairs (Holm).
    """

    a: int
    b: int
    ratio: float
    share: float
    p: float
    p_holm: float


def pearson_rows(x: Array, y: Array) -> Array:
    """Pearson's correlation of each row of x (N×K) with the same row of y; NaN where one is constant."""
    from scipy.stats import ConstantInputWarning, pearsonr

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConstantInputWarning)
        return np.asarray(pearsonr(x, y, axis=-1).statistic, dtype=np.float64)


def ranks(x: Array) -> Array:
    """Ranks within each row; equal values share their mean rank."""
    from scipy.stats import rankdata

    return np.asarray(rankdata(x, axis=-1), dtype=np.float64)


def correlate_networks(
    index: Array, quality: Array, clusters: NDArray[np.int64], *, seed: int = 0, resamples: int = RESAMPLES
) -> Correlation:
    """Correlate the mean quality of networks with the logarithm of their mean diffusion index, as the paper does.

    Args:
        index: diffusion indices, K×W, > 0.
        quality: K×W.
        clusters: number of each window's picture, W.
        seed: of the bootstrap and the permutations.
        resamples: of the bootstrap.
    """
    networks, windows = index.shape
    x, y = np.log(index.mean(axis=1)), quality.mean(axis=1)

    def estimate(transform: Callable[[Array], Array]) -> Estimate:
        def correlation(weights: Array) -> Array:
            return pearson_rows(transform(np.log(weights @ index.T)), transform(weights @ quality.T))

        a, b = transform(x), transform(y)
        spans = intervals(correlation, windows, clusters, resamples, seed)
        return Estimate(float(pearson_rows(a, b)), *spans, _order_p(a, b, seed))

    return Correlation(estimate(np.asarray), estimate(ranks), networks, windows, len(np.unique(clusters)))


def _order_p(x: Array, y: Array, seed: int) -> float:
    """Chance of a correlation at least as large when y is put in random order; all orders up to 8 networks."""
    if len(x) < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return math.nan
    return _permuted_p((y,), lambda order, axis: (x * order).sum(axis=axis), "pairings", seed)


def _permuted_p(
    samples: tuple[Array, ...], statistic: Callable[..., Array], kind: Literal["pairings", "independent"], seed: int
) -> float:
    """One-sided p of SciPy's permutation test; see :data:`_ARRANGEMENTS`."""
    from scipy.stats import permutation_test

    found = permutation_test(
        samples,
        statistic,
        permutation_type=kind,
        alternative="greater",
        n_resamples=_ARRANGEMENTS,
        vectorized=True,
        rng=np.random.default_rng(seed),
    )
    return float(found.pvalue)


def compare_pairs(index: Array) -> tuple[Pair, ...]:
    """Each network with each other at the same windows, corrected for their number."""
    from scipy.stats import wilcoxon

    logs = np.log(index)
    found = []
    for a, b in itertools.combinations(range(len(index)), 2):
        difference = logs[a] - logs[b]
        moved = difference[difference != 0]
        p = float(wilcoxon(moved).pvalue) if len(moved) else 1.0
        found.append((a, b, math.exp(difference.mean()), float((difference > 0).mean()), p))
    return tuple(Pair(*entry, p_holm=q) for entry, q in zip(found, holm([p for *_, p in found]), strict=True))


def holm(p: Sequence[float]) -> list[float]:
    """Holm's step-down correction; NaN stays NaN and does not count."""
    values = np.asarray(p, dtype=np.float64)
    order = np.argsort(values)[: np.isfinite(values).sum()]  # NaN stands last
    factors = np.arange(len(order), 0, -1)
    corrected = np.full(len(values), np.nan)
    corrected[order] = np.maximum.accumulate(np.minimum(1, factors * values[order]))
    return corrected.tolist()


@dataclass(frozen=True)
class Contrast:
    """Two groups of networks.

    Attributes:
        ratio: geometric mean of the diffusion index of the wide group over that of the local group; p: chance that a
            random choice of as many networks reaches it (one-sided).
        wide: networks in the wide group.
        local: networks in the other.
    """

    ratio: Estimate
    wide: int
    local: int


def contrast_groups(
    index: Array, wide: NDArray[np.bool_], clusters: NDArray[np.int64], *, seed: int = 0, resamples: int = RESAMPLES
) -> Contrast:
    """Compare the diffusion index of two groups of networks, K×W; ``wide`` marks the K networks of one."""
    logs = np.log(index)
    gap = logs[wide].mean(axis=0) - logs[~wide].mean(axis=0)
    spans = intervals(lambda weights: np.exp(weights @ gap), index.shape[1], clusters, resamples, seed)
    ratio = Estimate(math.exp(gap.mean()), *spans, _groups_p(logs.mean(axis=1), wide, seed))
    return Contrast(ratio, int(wide.sum()), int((~wide).sum()))


def _groups_p(means: Array, wide: NDArray[np.bool_], seed: int) -> float:
    """Chance of a difference of the groups' means at least as large when networks are dealt out at random."""
    first, second = means[wide], means[~wide]
    for alone, sign in ((first, 1), (second, -1)):
        if len(alone) == 1:  # SciPy wants two or more; here there are as many deals as networks
            return float((sign * means >= sign * alone).mean())
    return _permuted_p((first, second), lambda a, b, axis: a.mean(axis=axis) - b.mean(axis=axis), "independent", seed)


@dataclass(frozen=True)
class Association:
    """A texture measure against the diffusion index, over windows.

    Attributes:
        spearman: rank correlation; p: two-sided, as if windows were independent.
        p_holm: corrected for all measures (Holm).
        count: windows that have both.
    """

    spearman: Estimate
    p_holm: float
    count: int


def associate(
    index: Array, looks: dict[str, Array], clusters: NDArray[np.int64], *, seed: int = 0, resamples: int = RESAMPLES
) -> dict[str, Association]:
    """Correlate the windows' diffusion index (geometric mean over networks) with each texture measure.

    In the bootstrap the ranks of the whole sample are kept and weighted.
    """
    from scipy.stats import spearmanr

    overall = np.log(index).mean(axis=0)
    found: dict[str, Association] = {}
    for name, values in looks.items():
        known = np.isfinite(values)
        x, y, count = overall[known], values[known], int(known.sum())
        if count < 4 or np.ptp(x) == 0 or np.ptp(y) == 0:
            nothing = Interval(math.nan, math.nan)
            found[name] = Association(Estimate(math.nan, nothing, nothing, math.nan), math.nan, count)
            continue
        test = spearmanr(x, y)
        statistic = partial(_weighted_pearson, x=ranks(x), y=ranks(y))
        spans = intervals(statistic, count, clusters[known], resamples, seed)
        found[name] = Association(Estimate(float(test.statistic), *spans, float(test.pvalue)), math.nan, count)
    corrected = holm([one.spearman.p for one in found.values()])
    return {name: replace(found[name], p_holm=q) for name, q in zip(found, corrected, strict=True)}


def _weighted_pearson(weights: Array, x: Array, y: Array) -> Array:
    mx, my = weights @ x, weights @ y
    xx, yy, xy = weights @ x**2 - mx**2, weights @ y**2 - my**2, weights @ (x * y) - mx * my
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where((xx > 1e-12) & (yy > 1e-12), xy / np.sqrt(np.abs(xx * yy)), np.nan))
