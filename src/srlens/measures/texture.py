"""What a window looks like: direction, regularity, edges. To ask which textures make networks look further.

The paper finds that regular stripes and grids are noticed and complex semantics hardly; these numbers tell
such windows apart.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from srlens.errors import ImageError, ImageTooSmallError, NotFiniteError

#: Slope, in [0, 1] grey per pixel, from which a pixel counts as an edge.
EDGE_THRESHOLD = 0.1

#: Pixels a side; below, the spectrum has no room for a pattern that repeats twice.
SMALLEST = 8

_FLAT = 1e-12
# Derivative and smoothing filters that keep directions down to short wavelengths, where plain differences
# turn a stripe of period 3 by 10 degrees: Farid and Simoncelli, IEEE TIP 13(4), 2004, 5 taps.
_SMOOTH = np.array([0.037659, 0.249153, 0.426375, 0.249153, 0.037659])
_DERIVE = np.array([-0.109604, -0.276691, 0.0, 0.276691, 0.109604])


@dataclass(frozen=True)
class Texture:
    """Description of a grey window. A flat window has 0 everywhere and no wavelength."""

    #: Standard deviation of the grey values, in [0, 0.5] for grey in [0, 1].
    contrast: float
    #: Of the structure tensor of the whole window: 1 where all slopes have one direction (stripes), 0 where
    #: none prevails (grids, noise).
    coherence: float
    #: Direction of the stripes in degrees, [0, 180): 0 horizontal, 90 vertical, counted anticlockwise.
    orientation: float
    #: Share of the variance in the strongest spatial frequency, [0, 1]: near 1 for regular stripes.
    peak_share: float
    #: Pixels per period of that frequency, across the stripes; None where nothing repeats.
    peak_wavelength: float | None
    #: Share of the pixels whose slope is at least ``EDGE_THRESHOLD``, [0, 1].
    edge_density: float


def describe_texture(window: ArrayLike) -> Texture:
    """Describe a window of an image.

    Args:
        window: h×w grey in [0, 1], at least 8×8; a crop of the HR (or LR) image.

    Returns:
        The description. Lengths are in pixels of the image given.

    Raises:
        ImageError: not h×w.
        ImageTooSmallError: a side below 8 pixels.
        NotFiniteError: NaN or infinity.
    """
    grey = np.asarray(window, dtype=np.float64)
    if grey.ndim != 2:
        raise ImageError(f"A grey h×w window is described, not an array of shape {grey.shape}. Take its luma.")
    if min(grey.shape) < SMALLEST:
        raise ImageTooSmallError(
            f"The window is {grey.shape[0]}×{grey.shape[1]} pixels; texture needs {SMALLEST}×{SMALLEST}."
        )
    if not np.isfinite(grey).all():
        raise NotFiniteError(f"The window holds {(~np.isfinite(grey)).sum()} values that are NaN or infinite.")
    contrast = float(grey.std())
    if contrast < _FLAT:
        return Texture(0.0, 0.0, 0.0, 0.0, None, 0.0)
    down, across = np.gradient(grey, axis=0), np.gradient(grey, axis=1)
    coherence, orientation = _structure(grey)
    share, wavelength = _spectral_peak(grey)
    edges = float((np.hypot(down, across) >= EDGE_THRESHOLD).mean())
    return Texture(contrast, coherence, orientation, share, wavelength, edges)


def _structure(grey: NDArray[np.float64]) -> tuple[float, float]:
    """Coherence (λ₁ − λ₂)/(λ₁ + λ₂) of the summed structure tensor, and the direction along the stripes."""
    patches = np.lib.stride_tricks.sliding_window_view(grey, (5, 5))
    down = np.einsum("yxij,i,j->yx", patches, _DERIVE, _SMOOTH)
    across = np.einsum("yxij,i,j->yx", patches, _SMOOTH, _DERIVE)
    yy, xx, xy = float((down**2).sum()), float((across**2).sum()), float((down * across).sum())
    if yy + xx < _FLAT**2:  # flat but for the rim, or of period 2: no slope that the filters see
        return 0.0, 0.0
    coherence = float(np.hypot(xx - yy, 2 * xy) / (xx + yy))
    # The slope's direction is atan2(2xy, xx − yy)/2 with rows counted downwards; stripes run across it.
    slope = np.degrees(np.arctan2(2 * xy, xx - yy)) / 2
    # The outer remainder turns the 180 that rounding can leave into 0.
    return min(coherence, 1.0), float((90 - slope) % 180 % 180)


def _spectral_peak(grey: NDArray[np.float64]) -> tuple[float, float | None]:
    """Find the strongest frequency that repeats at least twice in the window.

    Returns:
        Its share of the variance under a Hann taper, and its wavelength in pixels; 0 and None without one.
    """
    height, width = grey.shape
    taper = np.hanning(height + 2)[1:-1, None] * np.hanning(width + 2)[1:-1]
    # The mean is the tapered one, so that nothing is left at frequency 0.
    tapered = taper * (grey - (taper * grey).sum() / taper.sum())
    power = np.abs(np.fft.fft2(tapered)) ** 2
    cycles_y = np.fft.fftfreq(height) * height
    cycles_x = np.fft.fftfreq(width) * width
    repeats = np.hypot(cycles_y[:, None], cycles_x)
    # A slow shading spreads from one repeat to two and more, but makes no local maximum there.
    shifts = [(down, across) for down in (-1, 0, 1) for across in (-1, 0, 1)]
    around = np.max([np.roll(power, shift, axis=(0, 1)) for shift in shifts], axis=0)
    allowed = (repeats >= 2) & (power >= around)
    if not allowed.any():
        return 0.0, None
    y, x = np.unravel_index(np.argmax(np.where(allowed, power, -1.0)), power.shape)
    # The taper spreads a frequency over its eight neighbours; a real image holds it at −f as well.
    peak = np.zeros_like(power, dtype=bool)
    near_y, near_x = np.arange(y - 1, y + 2), np.arange(x - 1, x + 2)
    peak[np.ix_(near_y % height, near_x % width)] = True
    peak[np.ix_(-near_y % height, -near_x % width)] = True
    local = power[np.ix_(near_y % height, near_x % width)]
    centre_y = cycles_y[y] + (local.sum(axis=1) @ np.array([-1.0, 0.0, 1.0])) / local.sum()
    centre_x = cycles_x[x] + (local.sum(axis=0) @ np.array([-1.0, 0.0, 1.0])) / local.sum()
    frequency = np.hypot(centre_y / height, centre_x / width)
    return float(power[peak].sum() / power.sum()), float(1 / frequency)
