"""What other windows, or other pictures, would have given: percentile intervals of weighted statistics."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

RESAMPLES = 10_000
LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """A percentile bootstrap interval."""

    low: float
    high: float


def bootstrap_weights(windows: int, clusters: NDArray[np.int64] | None, resamples: int, seed: int) -> Array:
    """Weights of the windows in each resample, resamples×W, each row summing to 1.

    Args:
        windows: how many.
        clusters: number of each window's picture: whole pictures are drawn. None: single windows are drawn.
        resamples: how many.
        seed: of the generator.

    Returns:
        Read-only; a resample holds each picture as often as it was drawn.
    """
    groups = np.arange(windows) if clusters is None else np.unique(clusters, return_inverse=True)[1]
    return _weights(groups.astype(np.int64).tobytes(), resamples, seed)


@lru_cache(maxsize=4)  # the same few are wanted for every measure
def _weights(groups: bytes, resamples: int, seed: int) -> Array:
    generator = np.random.default_rng(seed)
    numbers = np.frombuffer(groups, dtype=np.int64)
    count = int(numbers.max()) + 1
    drawn = generator.integers(count, size=(resamples, count))
    drawn += np.arange(resamples)[:, None] * count
    times = np.bincount(drawn.ravel(), minlength=resamples * count).reshape(resamples, count)
    weights = times[:, numbers].astype(np.float64)
    weights /= weights.sum(axis=1, keepdims=True)
    weights.setflags(write=False)
    return weights


def interval(values: Array) -> Interval:
    """The central 95 % of bootstrap values; those that are undefined are left out."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return Interval(math.nan, math.nan)
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(finite, [tail, 1 - tail])
    return Interval(float(low), float(high))


def intervals(
    statistic: Callable[[Array], Array], windows: int, clusters: NDArray[np.int64], resamples: int, seed: int
) -> tuple[Interval, Interval]:
    """Of a statistic of weights (resamples×W), with single windows and with whole pictures drawn anew."""
    of_windows, of_pictures = (
        interval(statistic(bootstrap_weights(windows, groups, resamples, seed))) for groups in (None, clusters)
    )
    return of_windows, of_pictures


def mean_interval(values: Array, clusters: NDArray[np.int64] | None, *, seed: int = 0) -> tuple[float, Interval]:
    """The mean over windows and its bootstrap interval; NaN windows are left out."""
    known = np.isfinite(values)
    if not known.any():
        return math.nan, Interval(math.nan, math.nan)
    groups = clusters[known] if clusters is not None else None
    weights = bootstrap_weights(int(known.sum()), groups, RESAMPLES, seed)
    return float(values[known].mean()), interval(weights @ values[known])
