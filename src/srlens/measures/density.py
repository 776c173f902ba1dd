"""The contribution area: a Gaussian kernel density of the map's mass, as the authors draw it.

``scipy.stats.gaussian_kde(pixels, weights=mass)`` evaluated at every pixel is a convolution of the mass with
one Gaussian of full covariance, so the FFT gives the same numbers some hundred times faster.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from srlens.errors import SettingError
from srlens.measures.concentration import absolute_map

_DEGENERATE = 1e-6  # LR pixels²: below this variance the mass lies in one row, column, line or pixel
_FLOOR = 0.25  # LR pixels²: the variance taken there, half a pixel squared


@dataclass(frozen=True)
class Bandwidth:
    """The Gaussian that stands for one pixel. Share it between the networks that are compared."""

    #: In LR pixels², in the order (row, column).
    covariance: tuple[tuple[float, float], tuple[float, float]]
    #: Scott's rule on this very map, or given by the caller.
    rule: Literal["scott", "given"]
    #: Whether the mass lies in one pixel or on one line, so that half a pixel stands in for its spread.
    floored: bool


def contribution_density(
    signed: ArrayLike, bandwidth: float | Bandwidth | None = None
) -> tuple[NDArray[np.float64], Bandwidth]:
    """Kernel density of the map's mass at the pixel centres.

    Args:
        signed: the map, signed C×h×w or h×w; the absolute value after the sum over channels is the mass.
        bandwidth: ``None``: Scott's rule as in ``scipy.stats.gaussian_kde``, from this map: its own weighted
            covariance times n^(−1/3), n being the effective number of pixels. A number: the standard
            deviation in LR pixels of a round Gaussian. A :class:`Bandwidth`: the one returned for another
            map.

    Returns:
        The density per LR pixel², h×w, ≥ 0: it sums to nearly 1, less what leaks over the border. Equal to
        ``gaussian_kde`` within 1e-12 of its maximum. And the bandwidth used.

        Where the mass lies in one pixel or on one line, SciPy refuses or divides by
        rounding errors; here the variance across the line is
        taken as (½ pixel)², and ``floored`` says so.

    Raises:
        SettingError: a bandwidth that is not above 0.
        NotFiniteError, ZeroMapError: see :func:`srlens.measures.concentration.absolute_map`.
    """
    from scipy.signal import fftconvolve

    mass = absolute_map(signed)
    mass = mass / mass.max()
    mass = mass / mass.sum()
    if bandwidth is None:
        chosen = _scott(mass)
    elif isinstance(bandwidth, Bandwidth):
        if not np.linalg.eigvalsh(np.array(bandwidth.covariance)).min() > 0:
            raise SettingError(f"The covariance (={bandwidth.covariance}) must be positive definite.")
        chosen = bandwidth
    else:
        if not 0 < bandwidth < np.inf:
            raise SettingError(f"The bandwidth (={bandwidth}) must be above 0 LR pixels and finite.")
        variance = float(bandwidth) ** 2
        chosen = Bandwidth(covariance=((variance, 0.0), (0.0, variance)), rule="given", floored=False)
    kernel = _gaussian(np.array(chosen.covariance), mass.shape)
    density = fftconvolve(mass, kernel, mode="full")
    top, left = kernel.shape[0] // 2, kernel.shape[1] // 2
    inner = density[top : top + mass.shape[0], left : left + mass.shape[1]]
    return np.maximum(inner, 0), chosen  # the FFT leaves ±1e-17 where there is nothing


def _scott(mass: NDArray[np.float64]) -> Bandwidth:
    """Scott's rule in two dimensions, with weights (scipy.stats.gaussian_kde)."""
    concentration = float((mass**2).sum())  # 1 / effective number of pixels
    y, x = np.arange(mass.shape[0], dtype=np.float64), np.arange(mass.shape[1], dtype=np.float64)
    down, across = mass.sum(axis=1), mass.sum(axis=0)
    y, x = y - down @ y, x - across @ x
    covariance = np.array([[down @ y**2, y @ mass @ x], [y @ mass @ x, across @ x**2]])
    if concentration < 1:
        covariance *= concentration ** (1 / 3) / (1 - concentration)
    values, vectors = np.linalg.eigh(covariance)
    floored = bool(values.min() < _DEGENERATE)
    if floored:
        covariance = vectors @ np.diag(np.where(values < _DEGENERATE, _FLOOR, values)) @ vectors.T
    rows = covariance.tolist()
    return Bandwidth(covariance=((rows[0][0], rows[0][1]), (rows[1][0], rows[1][1])), rule="scott", floored=floored)


def _gaussian(covariance: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Sample the normalised Gaussian at whole pixels, centred in an array of odd sides."""
    # Beyond exp(−40), 4e-18 of the peak, float64 sums do not change; no offset exceeds the image either.
    reach = np.ceil(np.sqrt(80 * np.diag(covariance)))
    down, across = (int(min(r, side - 1)) for r, side in zip(reach, shape, strict=True))
    y, x = np.arange(-down, down + 1.0)[:, None], np.arange(-across, across + 1.0)
    inverse = np.linalg.inv(covariance)
    energy = inverse[0, 0] * y**2 + 2 * inverse[0, 1] * y * x + inverse[1, 1] * x**2
    return np.asarray(np.exp(-energy / 2) / (2 * np.pi * np.sqrt(np.linalg.det(covariance))))
