"""Axes of charts: thin grids and round numbers."""

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FixedFormatter, FixedLocator, MaxNLocator, NullLocator

from srlens.figures.scales import tick_label


def quiet(axes: Axes) -> None:
    """Two spines and a faint grid behind what is drawn."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(visible=True, color="0.9", linewidth=0.5)
    axes.set_axisbelow(True)


def log_ticks(axis: Axis, low: float, high: float) -> None:
    """Ticks of a logarithmic axis at 1, 2, 5 times the powers of ten between two positive values, as plain numbers."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    values = [float(f"{factor}e{power}") for power in powers for factor in (1, 2, 5)]
    fixed_ticks(axis, [value for value in values if low / 1.25 <= value <= high * 1.25])


def linear_ticks(axis: Axis, low: float, high: float, steps: int) -> None:
    """Round ticks of an axis between two values, about so many steps apart."""
    fixed_ticks(axis, [float(value) for value in MaxNLocator(steps).tick_values(low, high) if low <= value <= high])


def fixed_ticks(axis: Axis, values: Sequence[float]) -> None:
    """Ticks at these values alone, labelled as plain numbers."""
    axis.set_major_locator(FixedLocator(list(values)))
    axis.set_major_formatter(FixedFormatter([tick_label(value) for value in values]))
    axis.set_minor_locator(NullLocator())
