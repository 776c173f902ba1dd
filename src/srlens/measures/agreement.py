"""How far maps of one window agree between networks: rank correlation, overlap, what all of them use.

All take maps as :func:`srlens.measures.concentration.absolute_map` does: signed C×h×w, or h×w; the absolute
value after the sum over channels is the mass. The maps must belong to one LR image. Comparing areas of
interest between networks is the paper's idea (section 5); these formulas are ours.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from srlens.errors import ImageError, InputError
from srlens.measures.concentration import absolute_map
from srlens.measures.extent import mass_membership
from srlens.measures.quality import SSIM_WINDOW, ssim


def rank_correlation(a: ArrayLike, b: ArrayLike) -> float:
    """Spearman's rank correlation between the masses of two maps, over all LR pixels.

    Equal pixels share their mean rank. It weighs the many faint pixels as much as the few strong ones; see
    :func:`overlap` for the strong ones.

    Returns:
        In [−1, 1].

    Raises:
        InputError: all pixels of a map are equal, so that there is no order.
        ImageError: the maps differ in size.
        NotFiniteError, ZeroMapError: see :func:`srlens.measures.concentration.absolute_map`.
    """
    from scipy.stats import spearmanr

    maps = _together([a, b])
    for number, mass in enumerate(maps, 1):
        if mass.min() == mass.max():
            raise InputError(
                f"Map {number} is {mass[0, 0]:.6g} in every pixel: it has no ranks to correlate. "
                f"Compare its unit-mass difference instead."
            )
    return float(spearmanr(maps[0].ravel(), maps[1].ravel()).statistic)


def structural_similarity(a: ArrayLike, b: ArrayLike) -> float | None:
    """SSIM of two maps as figures show them: each mass divided by its maximum, on the scale of its cube root.

    Without the root nearly all pixels of a map are dark, and any two maps would be alike.

    Returns:
        At most 1 (equal up to a factor); None where the maps are smaller than SSIM's window of 11×11 pixels.

    Raises:
        ImageError: the maps differ in size.
        NotFiniteError, ZeroMapError: see :func:`srlens.measures.concentration.absolute_map`.
    """
    first, second = (np.cbrt(mass / mass.max())[None] for mass in _together([a, b]))
    if min(first.shape[1:]) < SSIM_WINDOW:
        return None
    return ssim(torch.from_numpy(first), torch.from_numpy(second), border=0, quantise=False)


def overlap(a: ArrayLike, b: ArrayLike, fraction: float = 0.9) -> float:
    """Intersection over union of the smallest areas that hold a share of each map's mass.

    Pixels on the rim of an area belong to it in part (:func:`srlens.measures.extent.mass_membership`): the
    intersection is the sum of the smaller memberships, the union that of the larger ones.

    Args:
        a: a map, C×h×w or h×w.
        b: another of the same LR size.
        fraction: share of the mass, in (0, 1].

    Returns:
        From 0 (no pixel in common) to 1 (the same area).

    Raises:
        SettingError: the share is outside (0, 1].
        ImageError: the maps differ in size.
        NotFiniteError, ZeroMapError: see :func:`srlens.measures.concentration.absolute_map`.
    """
    first, second = (mass_membership(mass, fraction) for mass in _together([a, b]))
    return float(np.minimum(first, second).sum() / np.maximum(first, second).sum())


def consensus(maps: Sequence[ArrayLike]) -> NDArray[np.float64]:
    """Mass that all networks place alike: the pixelwise minimum of the unit-mass maps.

    Args:
        maps: at least one map, C×h×w or h×w, of one LR size.

    Returns:
        h×w, non-negative. Its sum is the share of the mass common to all, 1 for equal maps, 0 for disjoint
        ones; for two maps 1 − :func:`total_variation`.

    Raises:
        InputError: no map.
        ImageError: the maps differ in size.
        NotFiniteError, ZeroMapError: see :func:`srlens.measures.concentration.absolute_map`.
    """
    if len(maps) == 0:
        raise InputError("A consensus needs at least one map, and none was given.")
    common: NDArray[np.float64] = np.stack([_unit(mass) for mass in _together(maps)]).min(axis=0)
    return common


def difference(a: ArrayLike, b: ArrayLike) -> NDArray[np.float64]:
    """Subtract the unit-mass maps: above 0 where a places more of its mass than b, below 0 where less.

    Returns:
        h×w; it sums to 0.

    Raises:
        ImageError: the maps differ in size.
        NotFiniteError, ZeroMapError: see :func:`srlens.measures.concentration.absolute_map`.
    """
    first, second = (_unit(mass) for mass in _together([a, b]))
    return first - second


def total_variation(a: ArrayLike, b: ArrayLike) -> float:
    """Share of the mass that lies elsewhere: half the absolute sum of :func:`difference` (same errors).

    Returns:
        From 0 (equal up to a factor) to 1 (disjoint).
    """
    return float(min(np.abs(difference(a, b)).sum() / 2, 1.0))


def _unit(mass: NDArray[np.float64]) -> NDArray[np.float64]:
    mass = mass / mass.max()  # first, so that tiny maps do not underflow
    unit: NDArray[np.float64] = mass / mass.sum()
    return unit


def _together(maps: Sequence[ArrayLike]) -> list[NDArray[np.float64]]:
    masses = [absolute_map(signed) for signed in maps]
    shapes = {mass.shape for mass in masses}
    if len(shapes) > 1:
        sizes = ", ".join("×".join(map(str, shape)) for shape in sorted(shapes))
        raise ImageError(f"The maps are of different LR sizes ({sizes}). Compare maps of one LR image.")
    return masses
