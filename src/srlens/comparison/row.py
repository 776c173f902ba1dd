"""What one network contributes to a figure."""

from dataclasses import dataclass

from torch import Tensor

from srlens.attribution.result import Attribution
from srlens.comparison.explained import Measurable


@dataclass(frozen=True, eq=False)
class Row:
    """One network's result and picture.

    Attributes:
        result: its attribution of the window.
        sr: its SR image, C×sh×sw in [0, 1].
        psnr_window: PSNR of the window against HR in dB; None where HR is not known.
        psnr_image: PSNR of the whole SR image in dB, or None.
    """

    result: Attribution
    sr: Tensor
    psnr_window: float | None = None
    psnr_image: float | None = None

    @property
    def measurable(self) -> Measurable:
        """The row as measures take it."""
        found = Measurable.of(self.result)
        vars(found).update(psnr_window=self.psnr_window, psnr_image=self.psnr_image)
        return found
