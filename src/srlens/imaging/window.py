"""A rectangle of the SR image, in SR pixels."""

from dataclasses import dataclass
from operator import index
from typing import TYPE_CHECKING, Self

from srlens.errors import WindowError

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Window:
    """The part of the SR image whose making is explained.

    Attributes:
        top: first row, in SR pixels from the top edge.
        left: first column, in SR pixels from the left edge.
        height: rows, in SR pixels.
        width: columns, in SR pixels.

    Raises:
        WindowError: a value is not a whole number, the window is empty, or top or left is negative.
    """

    top: int
    left: int
    height: int
    width: int

    def __post_init__(self) -> None:
        for label in ("top", "left", "height", "width"):
            value = getattr(self, label)
            try:
                object.__setattr__(self, label, index(value))
            except TypeError:
                raise WindowError(f"Window {label} must be a whole number of SR pixels, got {value!r}.") from None
        if self.height < 1 or self.width < 1:
            raise WindowError(
                f"The window is empty: height {self.height}, width {self.width}. Both must be at least 1 SR pixel."
            )
        if self.top < 0 or self.left < 0:
            raise WindowError(f"The window starts outside the SR image: top {self.top}, left {self.left}; both ≥ 0.")

    @classmethod
    def square(cls, top: int, left: int, size: int) -> Self:
        """A square window of ``size`` SR pixels a side."""
        return cls(top, left, size, size)

    @property
    def bottom(self) -> int:
        """One past the last row, in SR pixels."""
        return self.top + self.height

    @property
    def right(self) -> int:
        """One past the last column, in SR pixels."""
        return self.left + self.width

    def check_inside(self, height: int, width: int) -> None:
        """Raise WindowError unless the window lies wholly inside an SR image of this size (in SR pixels)."""
        if self.bottom > height or self.right > width:
            raise WindowError(
                f"{self} reaches outside the SR image of {height}×{width} pixels: a window of this size may start "
                f"at top 0…{height - self.height}, left 0…{width - self.width} (SR pixels, not LR)."
                if self.height <= height and self.width <= width
                else f"{self} is larger than the SR image of {height}×{width} pixels."
            )

    def grown(self, margins: tuple[int, int, int, int], height: int, width: int) -> "Window":
        """The window with (top, left, bottom, right) more SR pixels, cut off at the SR image of this size."""
        top, left = max(0, self.top - margins[0]), max(0, self.left - margins[1])
        bottom, right = min(height, self.bottom + margins[2]), min(width, self.right + margins[3])
        return Window(top, left, bottom - top, right - left)

    def crop(self, image: "Tensor") -> "Tensor":
        """The window of an SR image …×H×W; a view."""
        return image[..., self.top : self.bottom, self.left : self.right]

    def on_lr(self, scale: int) -> tuple[float, float, float, float]:
        """Edges (top, left, bottom, right) on the LR grid, in LR pixels; pixel i covers [i, i + 1)."""
        return self.top / scale, self.left / scale, self.bottom / scale, self.right / scale

    def __str__(self) -> str:
        return f"window {self.height}×{self.width} at (top {self.top}, left {self.left})"
