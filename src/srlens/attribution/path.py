"""From a baseline to the image: the curves along which gradients are integrated."""

from dataclasses import asdict, dataclass, is_dataclass
from typing import ClassVar, Protocol

import torch
from torch import Tensor

from srlens.attribution.blur import blur, blur_derivative, check_blur


class Path(Protocol):
    """A curve γ(α) of LR images, γ(0) = baseline and γ(1) = image.

    Images are C×h×w, float64, on the CPU; α are values in [0, 1], shape (N,); results N×C×h×w.
    """

    @property
    def name(self) -> str:
        """What the curve is called in records and captions."""
        ...

    def check(self, height: int, width: int) -> None:
        """Raise a named error if the settings do not fit an LR image of this size."""
        ...

    def at(self, image: Tensor, alpha: Tensor) -> Tensor:
        """γ(α)."""
        ...

    def derivative(self, image: Tensor, alpha: Tensor) -> Tensor:
        """dγ/dα."""
        ...


@dataclass(frozen=True)
class ProgressiveBlur:
    """The paper's path (eq. 6): ``γ(α) = ω(σ − ασ) ⊗ I``, a Gaussian blur that fades to none.

    Attributes:
        sigma: σ of the baseline's blur, in LR pixels, > 0; the paper's is 1.2.
        kernel: side of the sampled Gaussian in LR pixels, odd, with a radius of at least 3 σ; the paper's is 9.
    """

    sigma: float = 1.2
    kernel: int = 9
    name: ClassVar[str] = "progressive blur"

    def __post_init__(self) -> None:
        check_blur(self.sigma, self.kernel)

    def check(self, height: int, width: int) -> None:
        """Raise ImageTooSmallError if reflection at the border needs a larger image."""
        check_blur(self.sigma, self.kernel, height, width)

    def at(self, image: Tensor, alpha: Tensor) -> Tensor:
        """γ(α): N×C×h×w for C×h×w and (N,)."""
        return blur(image, self.sigma * (1 - alpha), self.kernel)

    def derivative(self, image: Tensor, alpha: Tensor) -> Tensor:
        """dγ/dα, from the derivative of the normalised kernel."""
        return -self.sigma * blur_derivative(image, self.sigma * (1 - alpha), self.kernel)


@dataclass(frozen=True)
class LinearFromBlur:
    """A straight line from the blurred image: ``γ(α) = (1 − α) ω(σ) ⊗ I + α I``.

    Attributes:
        sigma: σ of the baseline's blur, in LR pixels, > 0.
        kernel: side of the sampled Gaussian in LR pixels, odd.
    """

    sigma: float = 1.2
    kernel: int = 9
    name: ClassVar[str] = "linear from blur"

    def __post_init__(self) -> None:
        check_blur(self.sigma, self.kernel)

    def check(self, height: int, width: int) -> None:
        """Raise ImageTooSmallError if reflection at the border needs a larger image."""
        check_blur(self.sigma, self.kernel, height, width)

    def at(self, image: Tensor, alpha: Tensor) -> Tensor:
        """γ(α): N×C×h×w for C×h×w and (N,)."""
        return _line(self._baseline(image), image, alpha)

    def derivative(self, image: Tensor, alpha: Tensor) -> Tensor:
        """dγ/dα, the same everywhere."""
        return (image - self._baseline(image)).expand(len(alpha), *image.shape)

    def _baseline(self, image: Tensor) -> Tensor:
        return blur(image, torch.tensor([self.sigma], dtype=image.dtype), self.kernel)[0]


@dataclass(frozen=True)
class LinearFromBlack:
    """A straight line from black, the classic integrated-gradients path: ``γ(α) = α I``."""

    name: ClassVar[str] = "linear from black"

    def check(self, height: int, width: int) -> None:
        """Any size will do."""

    def at(self, image: Tensor, alpha: Tensor) -> Tensor:
        """γ(α): N×C×h×w for C×h×w and (N,)."""
        return _line(torch.zeros_like(image), image, alpha)

    def derivative(self, image: Tensor, alpha: Tensor) -> Tensor:
        """dγ/dα, the same everywhere."""
        return image.expand(len(alpha), *image.shape)


PATHS: dict[str, type[ProgressiveBlur] | type[LinearFromBlur] | type[LinearFromBlack]] = {
    "progressive-blur": ProgressiveBlur,
    "linear-blur": LinearFromBlur,
    "linear-black": LinearFromBlack,
}
"""Paths by the names that the command line and study files use."""


def path_settings(path: Path) -> dict[str, object]:
    """Name and settings of a path, for records."""
    values: dict[str, object] = asdict(path) if is_dataclass(path) else {}
    return {"name": path.name, **values}


def _line(start: Tensor, end: Tensor, alpha: Tensor) -> Tensor:
    a = alpha.to(end.dtype)[:, None, None, None]
    return (1 - a) * start + a * end
