"""How sure a statistic is: what other networks and other pictures would have given."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LEVEL = 0.95
#: Below this number of pictures their spread says too little for an interval or a p.
FEWEST_PICTURES = 8


@dataclass(frozen=True)
class Estimate:
    """A statistic with its uncertainty.

    Attributes:
        value: of the statistic.
        low: lower end of the 95 % interval.
        high: upper end.
        p: of the null hypothesis that the statistic's owner names.
    """

    value: float
    low: float = math.nan
    high: float = math.nan
    p: float = math.nan

    def __format__(self, spec: str) -> str:
        """As text with interval and p; ``spec`` is the number of digits and, if wanted, a unit."""
        digits, unit = int(spec[:1]), spec[1:]
        value = f"{self.value:.{digits}f}{unit}"
        if not math.isfinite(self.p):
            return f"{value} (no interval)"
        p = "p < 0.001" if self.p < 0.001 else f"p = {self.p:.3f}"
        return f"{value} [{self.low:.{digits}f}, {self.high:.{digits}f}], {p}"


def over_pictures(statistic: Callable[[NDArray[np.bool_]], float | Array], clusters: NDArray[np.int64]) -> Array:
    """Variance of a statistic when pictures are drawn anew, with all of their windows: the jackknife over pictures.

    Args:
        statistic: of the windows that a mask of W keeps; a number or an array.
        clusters: number of each window's picture, W.

    Returns:
        (P − 1)/P · Σ (θ₋ₚ − θ̄)² (Efron & Stein 1981), shaped as the statistic; NaN below eight pictures.
    """
    pictures = np.unique(clusters)
    if len(pictures) < FEWEST_PICTURES:
        return np.full(np.shape(statistic(clusters >= 0)), np.nan)
    values = np.array([statistic(clusters != picture) for picture in pictures])
    return np.asarray((len(pictures) - 1) * values.var(axis=0))


def student(
    value: float, variance: float, freedom: float, *, of: Callable[[float], float], none: float = 0.0
) -> Estimate:
    """Student's interval on a scale where the statistic is about normal, and the one-sided p of more than ``none``.

    Args:
        value: on that scale.
        variance: of the value; NaN, where it is not known, gives neither interval nor p.
        freedom: degrees of it; infinite for a normal distribution.
        of: back to the scale of the statistic.
        none: the value without an effect.
    """
    from scipy.stats import t

    if not (math.isfinite(value) and math.isfinite(variance) and freedom > 0):
        return Estimate(of(value))
    error = max(math.sqrt(variance), 1e-12 * max(1.0, abs(value)))  # no spread at all: the value itself
    low, high = t.interval(LEVEL, freedom, value, error)
    return Estimate(of(value), of(float(low)), of(float(high)), float(t.cdf(none, freedom, value, error)))


def mean_interval(values: Array, clusters: NDArray[np.int64], *, plain: bool = False) -> Estimate:
    """The mean over windows, with the interval over pictures: of its logarithm, where all values are positive.

    Args:
        values: of the windows, W; those that are NaN or infinite are left out.
        clusters: number of each window's picture, W.
        plain: of the mean itself in any case.
    """
    known = np.isfinite(values)
    values, clusters = values[known], clusters[known]
    if not known.any():
        return Estimate(math.nan)
    to, of = (math.log, math.exp) if (values > 0).all() and not plain else (float, float)
    variance = over_pictures(lambda kept: to(values[kept].mean()), clusters)
    return student(to(values.mean()), float(variance), len(np.unique(clusters)) - 1, of=of)


def holm(p: Sequence[float]) -> list[float]:
    """Holm's step-down correction; NaN stays NaN and does not count."""
    values = np.asarray(p, dtype=np.float64)
    order = np.argsort(values)[: np.isfinite(values).sum()]  # NaN stands last
    factors = np.arange(len(order), 0, -1)
    corrected = np.full(len(values), np.nan)
    corrected[order] = np.maximum.accumulate(np.minimum(1, factors * values[order]))
    return corrected.tolist()
