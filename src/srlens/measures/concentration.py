"""How widely a map is spread: Gini coefficient, diffusion index, effective number of pixels.

All take the signed map C×h×w; its channels are summed first and the absolute value is taken then, as the authors do.
Everything is exact in float64; no shift is added except in :func:`shifted_diffusion_index`.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from srlens.errors import InputError, NotFiniteError, ZeroMapError

AUTHORS_SHIFT = 1e-7  # what the authors' code adds to every pixel of the max-normalised map


def absolute_map(signed: ArrayLike) -> NDArray[np.float64]:
    """Sum over channels and frames, then absolute value: C×h×w, T×C×h×w, or h×w as one channel, to h×w, float64.

    Raises:
        NotFiniteError: the map holds NaN or infinity.
        ZeroMapError: the map is zero everywhere.
    """
    values = np.asarray(signed, dtype=np.float64)
    values = np.abs(values.sum(axis=tuple(range(values.ndim - 2))) if values.ndim > 2 else values)
    if not np.isfinite(values).all():
        row, column = (int(i) for i in np.argwhere(~np.isfinite(values))[0])
        raise NotFiniteError(f"The map is not finite; first at LR pixel (row {row}, column {column}).")
    if not values.any():
        raise ZeroMapError(
            "The attribution map is zero everywhere: the detector does not change along the path. "
            "The window or the image is flat, or the network ignores its input; choose a window with structure."
        )
    return values


def gini(values: ArrayLike) -> float:
    """Gini coefficient ``Σᵢⱼ|gᵢ − gⱼ| / (2 n² ḡ)`` (paper eq. 8) of non-negative values, exact, in [0, 1 − 1/n].

    Raises:
        ZeroMapError: all values are zero.
        InputError: no value, or one that is negative or not finite.
    """
    g = np.sort(np.asarray(values, dtype=np.float64), axis=None)
    if g.size == 0 or not np.isfinite(g).all() or g[0] < 0:
        given = f"values from {g[0]:.6g} to {g[-1]:.6g}" if g.size else "none"
        raise InputError(f"gini takes a non-empty array of finite values ≥ 0, got {given}. Give the absolute map.")
    total = g.sum()
    if total == 0:
        raise ZeroMapError("The Gini coefficient of an all-zero map is undefined.")
    n = g.size
    rank = 2 * np.arange(1, n + 1, dtype=np.float64) - n - 1
    # Divided by the maximum first, so that tiny maps lose no digits to underflow.
    g = g / g[-1]
    return float((rank * g).sum() / (n * g.sum()))


def diffusion_index(signed: ArrayLike) -> float:
    """Diffusion index ``DI = (1 − G)·100`` (paper eq. 9), in (0, 100]. Depends on the LR size: always state it.

    Raises:
        NotFiniteError, ZeroMapError: see ``absolute_map``.
    """
    return (1 - gini(absolute_map(signed))) * 100


def shifted_diffusion_index(signed: ArrayLike) -> float:
    """The diffusion index as the authors' code computes it: max-normalised map, 1e-7 added to every pixel."""
    values = absolute_map(signed)
    return (1 - gini(values / values.max() + AUTHORS_SHIFT)) * 100


def effective_pixels(signed: ArrayLike) -> float:
    """Effective number of LR pixels, ``(Σ|g|)² / Σ g²`` (participation ratio), from 1 to h·w.

    n equally strong pixels give n. Unlike the diffusion index it does not change when the image is padded.

    Raises:
        NotFiniteError, ZeroMapError: see ``absolute_map``.
    """
    values = absolute_map(signed)
    values = values / values.max()
    return float(values.sum() ** 2 / (values**2).sum())
