"""The theoretical receptive field, in true LR pixels and in the paper's convention."""

import math
from dataclasses import dataclass
from fractions import Fraction

from srlens.imaging.terms import worded
from srlens.imaging.window import Window


@dataclass(frozen=True)
class Stage:
    """A run of local operators on one grid.

    Attributes:
        grid: enlargement of the grid relative to LR (1 = LR, 2 and 4 inside an upsampling tail, 1/2 after a
            stride).
        radius: how many pixels of that grid the run reaches to each side (a 3×3 convolution: 1), an upper
            bound.
        drift: by how many pixels of that grid the reach may lie off centre, depending on the place in the
            image and on its size (a resize whose ratio is not exact, attention windows); widens the footprint,
            not the side length.
    """

    grid: Fraction | int
    radius: int
    drift: int = 0


@dataclass(frozen=True)
class ReceptiveField:
    """What a network can see of the LR image, by its architecture alone.

    Attributes:
        stages: the longest chain from input to output, input first; None where every LR pixel can matter
            (global).
        paper: side length in the convention of Gu & Dong (2021), Table 1: ``1 + 2·(number of 3×3
            convolutions)``, those on an enlarged grid counted as if on the LR grid; None = global, unknown, or
            a network that the convention cannot count (its table lists strided attention as global).
        known: False where the architecture does not tell; it is then treated as global.
    """

    stages: tuple[Stage, ...] | None
    paper: int | None
    known: bool = True

    @property
    def is_global(self) -> bool:
        """True where every LR pixel can influence every SR pixel."""
        return self.known and self.stages is None

    def __str__(self) -> str:
        """As a table prints it: ``"45 (42.5 LR px)"``, ``"283 LR px"``, ``"global"`` or ``"unknown"``."""
        if not self.known:
            return "unknown"
        if self.stages is None:
            return "global"
        return f"{self.true:g} LR px" if self.paper is None else f"{self.paper} ({self.true:g} LR px)"

    def in_words(self, scale: int) -> str:
        """As a table of networks of that scale prints it: at scale 1 of input pixels."""
        return worded(str(self), scale)

    @property
    def true(self) -> float | None:
        """Side length in true LR pixels: ``1 + 2·Σ radius / grid``; None = global."""
        if self.stages is None:
            return None
        return float(1 + 2 * sum(Fraction(stage.radius) / Fraction(stage.grid) for stage in self.stages))

    def footprint(self, start: int, stop: int, scale: int, size: int) -> tuple[int, int]:
        """LR pixels [first, last) of one axis that SR pixels [start, stop) can depend on.

        Args:
            start: first SR pixel read.
            stop: one past the last SR pixel read.
            scale: SR pixels per LR pixel.
            size: length of the LR axis; the answer is clipped to it.
        """
        if self.stages is None:
            return 0, size
        low, high, grid = start, stop, Fraction(scale)
        for stage in reversed(self.stages):
            factor = Fraction(stage.grid) / grid
            low = math.floor(low * factor) - stage.radius - stage.drift
            high = math.ceil(high * factor) + stage.radius + stage.drift
            grid = Fraction(stage.grid)
        return max(0, math.floor(low / grid)), min(size, math.ceil(high / grid))

    def bounds(self, window: Window, scale: int, height: int, width: int) -> tuple[int, int, int, int]:
        """LR pixels that a window can depend on: (top, left, bottom, right), the last two exclusive.

        The whole LR image, of ``height`` × ``width`` pixels, where the receptive field is global or unknown.
        """
        top, bottom = self.footprint(window.top, window.bottom, scale, height)
        left, right = self.footprint(window.left, window.right, scale, width)
        return top, left, bottom, right


GLOBAL = ReceptiveField(stages=None, paper=None)
UNKNOWN = ReceptiveField(stages=None, paper=None, known=False)
