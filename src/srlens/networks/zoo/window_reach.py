"""How far a chain of convolutions and window attention sees, worked out exactly on one axis.

A pixel attends to its whole window, so its reach depends on its place there; a chain of windows that are
shifted by half against each other grows by half a window per layer, not by a whole one.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from srlens.networks.receptive_field import Stage


@dataclass(frozen=True)
class Window:
    """Attention within windows of ``size`` pixels, the first of which starts at ``shift`` (mod ``size``)."""

    size: int
    shift: int = 0


#: The radius of a convolution, or attention windows.
Step = int | Window


def trunk_stage(steps: Sequence[Step], tail: Iterable[Stage] = (), grid: Fraction | int = 1) -> Stage:
    """Sum up a trunk, input first, as one stage whose side and footprint bound those of any output pixel.

    Args:
        steps: what the trunk consists of, on one grid.
        tail: the stages after it; what they add may reach into a further window.
        grid: of the trunk.
    """
    after = sum((Fraction(stage.radius) * grid / stage.grid for stage in tail), Fraction(0))
    spread = math.ceil(after)
    period = math.lcm(*(step.size for step in steps if isinstance(step, Window)))
    left = right = side = 0
    for start in range(period):
        low, high = start - spread, start + spread
        for step in reversed(steps):
            if isinstance(step, Window):
                low = (low - step.shift) // step.size * step.size + step.shift
                high = -(-(high + 1 - step.shift) // step.size) * step.size + step.shift - 1
            else:
                low, high = low - step, high + step
        left, right = max(left, start - low), max(right, high - start)
        side = max(side, high - low)
    radius = math.ceil(Fraction(side, 2) - after)
    return Stage(grid=grid, radius=radius, drift=max(0, max(left, right) - spread - radius))
