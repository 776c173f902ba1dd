"""The statistics of a study, on plain arrays: K networks × W windows.

Networks are the sample of what is said of networks, pictures that of what is said of windows: windows of one picture
are no independent witnesses. Where both are drawn, their variances are added.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srlens.study.uncertainty import FEWEST_PICTURES, Array, Estimate, holm, mean_interval, over_pictures, student

_ARRANGEMENTS = 40_320  # those of 8 networks: all are tried where there are no more, else as many random ones


@dataclass(frozen=True)
class Correlation:
    """How a quality of networks goes with the logarithm of their diffusion index, over the networks' means.

    Attributes:
        pearson: correlation, with Fisher's z over networks and the jackknife over pictures; p: the larger of the
            chance that networks put in random order reach it and that of the interval (one-sided).
        spearman: likewise, of the ranks; its variance after Bonett & Wright (2000).
        partial: Pearson's correlation given the logarithm of the parameters; None where they are not known.
        leave_one_out: least and largest Pearson correlation when one network is left out.
        networks: how many.
    """

    pearson: Estimate
    spearman: Estimate
    partial: Estimate | None
    leave_one_out: tuple[float, float]
    networks: int


@dataclass(frozen=True)
class Pair:
    """Two networks at the same windows.

    Attributes:
        a: index of the first.
        b: index of the second.
        ratio: geometric mean of DI(a) / DI(b).
        share: of the windows at which a has the larger diffusion index.
        p: Student's t of the mean log ratio by the jackknife over pictures, two-sided; NaN below eight pictures.
        p_holm: corrected for all pairs (Holm).
    """

    a: int
    b: int
    ratio: float
    share: float
    p: float
    p_holm: float


def pearson(x: Array, y: Array) -> Array:
    """Pearson's correlation along the last axis; NaN where one is constant or there are fewer than 3 values."""
    a, b = x - x.mean(axis=-1, keepdims=True), y - y.mean(axis=-1, keepdims=True)
    varied = (np.ptp(x, axis=-1) > 0) & (np.ptp(y, axis=-1) > 0) & (x.shape[-1] > 2)
    size = np.where(varied, np.sqrt((a * a).sum(axis=-1) * (b * b).sum(axis=-1)), np.nan)
    return np.asarray((a * b).sum(axis=-1) / size)


def spearman(x: Array, y: Array) -> Array:
    """Spearman's correlation along the last axis; equal values share their mean rank."""
    return pearson(_ranks(x), _ranks(y))


def _ranks(x: Array) -> Array:
    from scipy.stats import rankdata

    return np.asarray(rankdata(x, axis=-1), dtype=np.float64)


def _z(r: float | Array, steps: int = 0) -> Array:
    """Fisher's z; 1, where it is infinite, is taken as half-way to the next smaller value of ``steps`` ranks."""
    most = 1 - 6 / (steps**3 - steps) if steps else 1 - 1e-12
    return np.asarray(np.arctanh(np.clip(r, -most, most)))


def _means(index: Array, quality: Array) -> tuple[Array, Array]:
    return np.log(index.mean(axis=1)), np.asarray(np.nanmean(quality, axis=1))


def correlate_networks(
    index: Array, quality: Array, clusters: NDArray[np.int64], sizes: Array | None = None, *, seed: int = 0
) -> Correlation:
    """Correlate the mean quality of networks with the logarithm of their mean diffusion index, as the paper does.

    Args:
        index: diffusion indices, K×W, > 0; K ≥ 2.
        quality: K×W; NaN in columns that the means leave out.
        clusters: number of each window's picture, W.
        sizes: logarithms of the networks' parameters, K; of no use where one is not known.
        seed: of the permutations.
    """
    count = len(index)
    x, y = _means(index, quality)
    left_out = np.vstack([np.ones(count), np.eye(count)]) > 0  # of all networks, and of each one alone

    def estimate(statistic: Callable[[Array, Array], Array], ranked: bool, given: int = 0) -> Estimate:
        def without(kept: NDArray[np.bool_]) -> Array:
            a, b = _means(index[:, kept], quality[:, kept])
            return _z(statistic(np.where(left_out, a, x), np.where(left_out, b, y)))

        r, left, over = float(statistic(x, y)), count - 3 - given, 0.0
        if left < 1 or len(np.unique(clusters)) < FEWEST_PICTURES:
            return Estimate(r)
        if not ranked:  # what pictures change of few ranks is lumpy, and Bonett and Wright's variance has room for it
            of_all, *of_one = over_pictures(without, clusters)
            over = max(of_all - sum(of_one), 0)  # what a picture does to one network is in the variance over networks
        variance = (1 + ranked * r**2 / 2) / left + over
        found = student(float(_z(r, count * ranked)), variance, math.inf, of=math.tanh)
        found = replace(found, value=r, low=min(found.low, r), high=max(found.high, r))
        if given or not math.isfinite(r):
            return found
        a, b = (_ranks(x), _ranks(y)) if ranked else (x, y)
        chance = _chance((b,), lambda order, axis: (a * order).sum(axis=axis), "pairings", seed)
        return replace(found, p=chance if ranked else max(found.p, chance))

    apart = [float(pearson(np.delete(x, k), np.delete(y, k))) for k in range(count)]
    partial = None
    if sizes is not None and count > 4 and np.isfinite(pearson(x, sizes) * pearson(y, sizes)):
        base = np.column_stack([np.ones(count), sizes])
        beyond = np.eye(count) - base @ np.linalg.pinv(base)  # takes away what sizes tell
        partial = estimate(lambda a, b: pearson(a @ beyond, b @ beyond), False, given=1)
    return Correlation(estimate(pearson, False), estimate(spearman, True), partial, (min(apart), max(apart)), count)


def least_order_p(networks: int) -> float:
    """The least p that putting networks in random order can give."""
    return 1 / min(math.factorial(networks), _ARRANGEMENTS + 1)


def _chance(samples: tuple[Array, ...], statistic: Callable[..., Array], kind: str, seed: int) -> float:
    """One-sided p of SciPy's permutation test; see :data:`_ARRANGEMENTS`."""
    from scipy.stats import permutation_test

    settings: dict[str, Any] = {"n_resamples": _ARRANGEMENTS, "alternative": "greater", "vectorized": True}
    settings |= {"permutation_type": kind, "rng": np.random.default_rng(seed)}
    return float(permutation_test(samples, statistic, **settings).pvalue)


def compare_pairs(index: Array, clusters: NDArray[np.int64]) -> tuple[Pair, ...]:
    """Each network with each other (K×W) at the windows at which both have a value, corrected for their number."""
    logs, found = np.log(index), []
    for a, b in itertools.combinations(range(len(index)), 2):
        difference = logs[a] - logs[b]
        mean = mean_interval(difference, clusters, plain=True)
        share = float((difference > 0).sum() / max(np.isfinite(difference).sum(), 1))
        found.append((a, b, math.exp(mean.value), share, 2 * min(mean.p, 1 - mean.p)))
    return tuple(Pair(*entry, q) for entry, q in zip(found, holm([p for *_, p in found]), strict=True))


@dataclass(frozen=True)
class Contrast:
    """Two groups of networks.

    Attributes:
        ratio: geometric mean of the diffusion index of the wide group over that of the local group, with Welch's
            interval over networks and the jackknife over pictures; p: the larger of the chance that a random choice
            of as many networks reaches it and that of the interval (one-sided).
        wide: networks in the wide group.
        local: networks in the other.
    """

    ratio: Estimate
    wide: int
    local: int

    @property
    def least_p(self) -> float:
        """The least p that dealing the networks out can give; 1 where the spread of a group is not known."""
        deals = math.comb(self.wide + self.local, self.wide) if min(self.wide, self.local) > 1 else 1
        return 1 / min(deals, _ARRANGEMENTS + 1)


def contrast_groups(index: Array, wide: NDArray[np.bool_], clusters: NDArray[np.int64], *, seed: int = 0) -> Contrast:
    """Compare the diffusion index of two groups of networks, K×W; ``wide`` marks the K networks of one."""
    logs = np.log(index)
    gap = logs[wide].mean(axis=0) - logs[~wide].mean(axis=0)
    groups = logs[wide].mean(axis=1), logs[~wide].mean(axis=1)
    one, other, pictures = len(groups[0]), len(groups[1]), len(np.unique(clusters))
    ratio = Estimate(math.exp(gap.mean()))
    if min(one, other) > 1:
        over = float(over_pictures(lambda kept: float(gap[kept].mean()), clusters))
        parts = np.array([*(group.var(ddof=1) / len(group) for group in groups), over])
        weight = (parts**2 / [one - 1, other - 1, max(pictures - 1, 1)]).sum()
        freedom = float(parts.sum() ** 2 / weight) if weight > 0 else math.inf  # Satterthwaite's, as in Welch's test
        ratio = student(gap.mean(), float(parts.sum()), freedom, of=math.exp)
        chance = _chance(groups, lambda a, b, axis: a.mean(axis=axis) - b.mean(axis=axis), "independent", seed)
        ratio = replace(ratio, p=float(np.max([ratio.p, chance])))
    return Contrast(ratio, one, other)


def majority_p(count: int, networks: int) -> float:
    """Chance of ``count`` or more of the networks where each has an even chance: the sign test."""
    from scipy.stats import binomtest

    return float(binomtest(count, networks, 0.5, alternative="greater").pvalue)


@dataclass(frozen=True)
class Association:
    """A texture measure against the diffusion index, over windows.

    Attributes:
        spearman: rank correlation, with the jackknife over pictures of its z; p: two-sided.
        p_holm: corrected for all measures (Holm).
        count: windows that have both.
    """

    spearman: Estimate
    p_holm: float
    count: int


def associate(index: Array, looks: dict[str, Array], clusters: NDArray[np.int64]) -> dict[str, Association]:
    """Correlate the windows' diffusion index (geometric mean over networks) with each texture measure."""
    overall = np.log(index).mean(axis=0)
    found = {name: _associate(overall, values, clusters) for name, values in looks.items()}
    corrected = holm([one.spearman.p for one in found.values()])
    return {name: replace(found[name], p_holm=q) for name, q in zip(found, corrected, strict=True)}


def _associate(x: Array, y: Array, clusters: NDArray[np.int64]) -> Association:
    known = np.isfinite(x) & np.isfinite(y)
    x, y, clusters, count = x[known], y[known], clusters[known], int(known.sum())
    r = float(spearman(x, y)) if count else math.nan
    if not math.isfinite(r):
        return Association(Estimate(r), math.nan, count)
    variance = over_pictures(lambda kept: _z(spearman(x[kept], y[kept]), count), clusters)
    found = student(float(_z(r, count)), float(variance), len(np.unique(clusters)) - 1, of=math.tanh)
    return Association(replace(found, value=r, p=2 * min(found.p, 1 - found.p)), math.nan, count)


def merged(values: Array, groups: Sequence[Any]) -> tuple[Array, list[Any]]:
    """Means of the rows (K×…) of each group, and the groups, in the order of their first rows."""
    order = {name: number for number, name in enumerate(dict.fromkeys(groups))}
    of = np.array([order[group] for group in groups])
    return np.array([values[of == number].mean(axis=0) for number in range(len(order))]), list(order)
