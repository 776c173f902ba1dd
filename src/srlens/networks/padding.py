"""What sizes a network takes, and how an LR image is brought to one of them."""

from dataclasses import dataclass

import torch
from torch import Tensor

from srlens.errors import ImageTooSmallError


@dataclass(frozen=True)
class Padding:
    """Size rule of a network, in LR pixels.

    Attributes:
        multiple: height and width must be multiples of this.
        minimum: the smallest height and width that the network can take.
        square: height and width must be equal.
    """

    multiple: int = 1
    minimum: int = 1
    square: bool = False

    def target(self, height: int, width: int) -> tuple[int, int]:
        """The size (height, width) to which an LR image of the given size is padded.

        Raises:
            ImageTooSmallError: a side is below ``minimum``.
        """
        if min(height, width) < self.minimum:
            raise ImageTooSmallError(
                f"The LR image is {height}×{width}; this network takes sides of at least {self.minimum} LR pixels. "
                "Use a larger image or a larger crop of it."
            )
        h, w = (-(-side // self.multiple) * self.multiple for side in (height, width))
        return (max(h, w), max(h, w)) if self.square else (h, w)

    def apply(self, x: Tensor) -> Tensor:
        """Pad N×C×h×w below and to the right by reflection (edge pixel not repeated); gradients pass."""
        height, width = x.shape[-2:]
        target_height, target_width = self.target(height, width)
        if (target_height, target_width) == (height, width):
            return x
        rows = _reflected(height, target_height, x.device)
        columns = _reflected(width, target_width, x.device)
        return x.index_select(-2, rows).index_select(-1, columns)


def _reflected(size: int, target: int, device: torch.device) -> Tensor:
    """Indices 0 … target−1 folded back into 0 … size−1 (reflect-101, any number of folds)."""
    period = max(2 * size - 2, 1)
    index = torch.arange(target, device=device) % period
    return torch.where(index < size, index, period - index)
