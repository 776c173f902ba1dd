"""How far a map reaches, in LR pixels: the area that holds a share of its mass, its distance to the window.

All take the map as :func:`srlens.measures.concentration.absolute_map` does: signed C×h×w, or h×w; its
absolute value after the sum over channels is the mass. Nothing here changes when the image is padded with
zeros.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from srlens.errors import SettingError, WindowError
from srlens.measures.concentration import absolute_map


@dataclass(frozen=True)
class Radius:
    """Distance of a map's mass to the window, in LR pixels."""

    #: Mass-weighted mean distance, ≥ 0.
    mean: float
    #: Root of the mass-weighted mean squared distance, ≥ ``mean``; heeds the far pixels more.
    rms: float


def mass_membership(signed: ArrayLike, fraction: float) -> NDArray[np.float64]:
    """Mark the smallest area that holds a share of the map's mass.

    The strongest pixels belong to it wholly (1), up to the level at which the share is reached; pixels
    exactly at that level belong in the one part (0 … 1), equal for all of them, that makes the share exact.
    So the area is a continuous function of the map and of the share, and does not depend on the order of
    equal pixels.

    Args:
        signed: the map, C×h×w or h×w.
        fraction: share of the mass, in (0, 1].

    Returns:
        h×w in [0, 1]; its sum is the area in LR pixels.

    Raises:
        SettingError: the share is outside (0, 1].
        NotFiniteError, ZeroMapError: see :func:`srlens.measures.concentration.absolute_map`.
    """
    if not 0 < fraction <= 1:
        raise SettingError(f"The share of the mass (={fraction}) must lie in (0, 1], such as 0.9.")
    mass = absolute_map(signed)
    mass = mass / mass.max()
    levels, counts = np.unique(mass[mass > 0], return_counts=True)
    # From the weakest pixels up: what is left out, and with it the level that is left out in part, is then never lost
    # in the rounding of far stronger ones, and a share of 1 leaves out nothing.
    below = np.concatenate([[0.0], np.cumsum(levels * counts)])
    left_out = (1 - fraction) * below[-1]
    last = min(int(np.searchsorted(below[1:], left_out, side="right")), len(levels) - 1)
    part = 1 - (left_out - below[last]) / (levels[last] * counts[last])
    return np.where(mass > levels[last], 1.0, np.where(mass == levels[last], max(part, 0.0), 0.0))


def mass_area(signed: ArrayLike, fraction: float) -> float:
    """Area of the fewest LR pixels that hold a share of the map's mass.

    The last pixel counts by the part of it that is needed (see :func:`mass_membership`): n equal pixels have
    the area n·fraction. Rounded up, it is the number of whole pixels.

    Args:
        signed: the map, C×h×w or h×w.
        fraction: share of the mass, in (0, 1]; 0.5, 0.9 and 0.95 are usual.

    Returns:
        LR pixels, in (0, h·w].

    Raises:
        SettingError, NotFiniteError, ZeroMapError: see :func:`mass_membership`.
    """
    return float(mass_membership(signed, fraction).sum())


def mass_radius(signed: ArrayLike, bounds: tuple[float, float, float, float]) -> Radius:
    """Distance of the map's mass to the window.

    The distance of a pixel is that of its centre (row + ½, column + ½) to the window's rectangle, 0 within
    it.

    Args:
        signed: the map, C×h×w or h×w.
        bounds: the window on the LR grid, (top, left, bottom, right) in LR pixels, fractions allowed: SR
            bounds divided by the scale. A point (y, x, y, x) gives distances to that point, such as the
            window's centre.

    Returns:
        Mean and root-mean-square distance in LR pixels.

    Raises:
        WindowError: bottom above top, or right before left, or not finite.
        NotFiniteError, ZeroMapError: see :func:`srlens.measures.concentration.absolute_map`.
    """
    top, left, bottom, right = bounds
    if not (np.isfinite(bounds).all() and top <= bottom and left <= right):
        raise WindowError(f"The bounds (top, left, bottom, right) = {bounds} must be finite and ordered.")
    mass = absolute_map(signed)
    mass = mass / mass.max()
    y, x = np.arange(mass.shape[0]) + 0.5, np.arange(mass.shape[1]) + 0.5
    down = np.maximum(np.maximum(top - y, y - bottom), 0)
    across = np.maximum(np.maximum(left - x, x - right), 0)
    distance = np.hypot(down[:, None], across)
    total = mass.sum()
    return Radius(mean=float((mass * distance).sum() / total), rms=float(np.sqrt((mass * distance**2).sum() / total)))


def used_fraction(area: float, receptive_field_pixels: float) -> float:
    """Share of the receptive field that an area takes; the paper finds it small for most deep networks.

    Args:
        area: LR pixels, as from :func:`mass_area`.
        receptive_field_pixels: LR pixels of the image that can reach the window at all; for a network whose
            receptive field covers the image, h·w.

    Returns:
        area / receptive_field_pixels; above 1 only if the receptive field was understated.

    Raises:
        SettingError: an area below 0 or a receptive field of no pixels.
    """
    if not (area >= 0 and receptive_field_pixels > 0):
        raise SettingError(
            f"The area (={area}) must be at least 0 and the receptive field (={receptive_field_pixels}) "
            f"above 0 LR pixels."
        )
    return area / receptive_field_pixels


@lru_cache(maxsize=4096)  # most windows of a study are alike
def gaussian_area(receptive_field: float, reach: float, window: float, fraction: float = 0.95) -> float:
    """Area that holds a share of the mass of a Gaussian effective field: what depth alone gives, without training.

    The effective field of n random 3×3 convolutions is nearly Gaussian with the variance 2n/3 a side (Luo et al.,
    NeurIPS 2016), and their receptive field is 2n + 1 wide; that of a window is the window blurred by it.

    Args:
        receptive_field: side of the receptive field of one pixel, in LR pixels, ≥ 1.
        reach: LR pixels of the image that can reach the window; taken as a square around it, and nothing lies outside.
        window: side of the window, in LR pixels.
        fraction: share of the mass, in (0, 1].

    Returns:
        LR pixels, in (0, reach].

    Raises:
        SettingError: see :func:`mass_membership`.
    """
    from scipy.special import ndtr

    side = max(1, round(reach**0.5))
    spread = max(receptive_field - 1, 1e-6) ** 0.5 / 3**0.5
    place = np.arange(side) - (side - 1) / 2
    profile = ndtr((place + window / 2) / spread) - ndtr((place - window / 2) / spread)
    return mass_area(np.outer(profile, profile), fraction)
