"""Numbers in words: the same in terminal, page, caption and report."""

import math
from collections.abc import Callable, Mapping

#: Stands where a number is not known.
MISSING = "–"


def percent(ratio: float) -> str:
    """A ratio in percent with two digits that mean something."""
    if not math.isfinite(ratio):
        return "∞" if ratio > 0 else MISSING
    value = 100 * ratio
    if value != 0 and value < 0.01:
        return "<0.01 %"
    return f"{value:.2f} %" if value < 0.995 else f"{value:.1f} %" if value < 9.95 else f"{value:.0f} %"


def index(value: float) -> str:
    """A diffusion index: two decimals, or two digits below 1."""
    return f"{value:.2f}" if value >= 1 else f"{value:#.2g}"


def count(value: float) -> str:
    """A number of pixels: one decimal below 100."""
    return f"{value:.0f}" if value >= 99.95 else f"{value:.1f}"


def lr_pixels(value: float) -> str:
    """A distance in LR pixels with its unit; a mean has one decimal."""
    return f"{value:.0f} LR px" if float(value).is_integer() else f"{value:.1f} LR px"


def decibels(value: float) -> str:
    """A PSNR, with its unit."""
    return f"{value:.2f} dB" if math.isfinite(value) else "∞ dB"


def fixed(digits: int, unit: str = "") -> Callable[[float], str]:
    """A format of so many decimals, with a unit behind them."""
    return lambda value: f"{value:.{digits}f} {unit}".rstrip()


#: By the names that the table of measures has for them.
FORMATS: Mapping[str, Callable[[float], str]] = {
    **{"percent": percent, "index": index, "count": count, "decibels": decibels, "seconds": fixed(1, "s")},
    "lr-pixels": lr_pixels,
    **{"tenths": fixed(1), "hundredths": fixed(2), "thousandths": fixed(3), "ten-thousandths": fixed(4)},
}
