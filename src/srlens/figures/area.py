"""Contribution densities in percent per LR pixel, with one bandwidth for networks that are compared."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from srlens.attribution.result import Attribution
from srlens.measures.density import Bandwidth, contribution_density


def percent_density(result: Attribution, bandwidth: float | Bandwidth | None) -> tuple[NDArray[np.float64], Bandwidth]:
    """The density of :func:`contribution_density` in percent per LR pixel, and its bandwidth."""
    density, used = contribution_density(result.map, bandwidth)
    return 100 * density, used


def common_bandwidth(results: Sequence[Attribution]) -> float:
    """The geometric mean of Scott's bandwidths, to two digits, as one standard deviation in LR pixels.

    Scott's rule smooths a wide map more than a narrow one; side by side, that would be taken for the networks' doing.
    """
    covariances = [np.array(contribution_density(result.map)[1].covariance) for result in results]
    logarithms = [math.log(float(np.linalg.det(covariance))) / 4 for covariance in covariances]
    return float(f"{math.exp(sum(logarithms) / len(logarithms)):.2g}")
