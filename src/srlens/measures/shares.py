"""What part of a map lies in which band of a picture, or in which frame of a clip."""

import numpy as np
from numpy.typing import NDArray

from srlens.errors import ZeroMapError


def part_maps(signed: NDArray[np.float64]) -> NDArray[np.float64]:
    """One map a band, or a frame with its channels summed: C×h×w as it is, T×C×h×w to T×h×w."""
    return signed.sum(axis=1) if signed.ndim == 4 else signed


def part_shares(signed: NDArray[np.float64]) -> NDArray[np.float64]:
    """The share of each band or frame, ``Σ|gₖ| / Σₖ Σ|gₖ|`` over the pixels of its map.

    Bands whose signs cancel in their sum count here with all that they hold, so that the shares are not those of the
    absolute map, which is taken after the sum.

    Args:
        signed: a map, C×h×w or T×C×h×w.

    Returns:
        One value in [0, 1] a band or frame; they sum to 1.

    Raises:
        ZeroMapError: the map is zero everywhere.
    """
    masses = np.abs(part_maps(signed)).sum(axis=(1, 2))
    if not masses.any():
        raise ZeroMapError("The attribution map is zero everywhere, so that no part of it has a share.")
    shares: NDArray[np.float64] = masses / masses.sum()
    return shares
