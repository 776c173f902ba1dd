"""The receptive field as the gradient shows it: which LR pixels an SR window depends on at all."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from srlens.attribution.detector import Detector
from srlens.attribution.evaluator import Evaluator
from srlens.errors import SettingError, ZeroMapError
from srlens.imaging.window import Window
from srlens.networks.facts import NetworkFacts
from srlens.networks.frozen import frozen
from srlens.networks.network import Network

# What masks of attention let through: windows of Swin transformers add −100 before the softmax, and e^−100 = 4e-44.
# No real path is that weak: thirty convolutions of 3×3 that average leave 1e-29 at their corner.
_TRACE = 1e-40


@dataclass(frozen=True, eq=False)
class GradientSupport:
    """LR pixels with a gradient of an SR window.

    Attributes:
        window: in SR pixels.
        scale: SR pixels per LR pixel.
        magnitude: h×w, float64: the largest absolute gradient over channels and draws.
        draws: random images that were tried.
    """

    window: Window
    scale: int
    magnitude: Tensor
    draws: int

    @property
    def mask(self) -> Tensor:
        """h×w, True where some draw has a gradient that is more than a trace (1e-40) of the largest."""
        return self.magnitude > _TRACE * self.magnitude.max()

    @property
    def bounds(self) -> tuple[int, int, int, int]:
        """The smallest rectangle around the support: (top, left, bottom, right) in LR pixels, the last two exclusive.

        Raises:
            ZeroMapError: the support is empty.
        """
        rows, columns = self.mask.any(dim=1).nonzero().flatten(), self.mask.any(dim=0).nonzero().flatten()
        if not len(rows):
            raise ZeroMapError(f"No LR pixel has a gradient of the {self.window}: its pixels are constant.")
        return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1

    @property
    def pixels(self) -> int:
        """Number of LR pixels in the support."""
        return int(self.mask.sum())

    @property
    def is_whole_image(self) -> bool:
        """Whether every LR pixel matters: the receptive field is global, or wider than this image."""
        return bool(self.mask.all())


def gradient_support(
    network: Network,
    window: Window,
    height: int,
    width: int,
    *,
    draws: int = 3,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> GradientSupport:
    """Measure which LR pixels an SR window depends on.

    Backpropagates a randomly weighted sum of the window's pixels, at random LR images, in float64: a pixel whose
    gradient is zero in every draw has no path to the window, or only paths through closed rectifiers. So
    the support never exceeds the theoretical receptive field, and comes close to it with the number of draws.

    Args:
        network: a float64 copy of it is used.
        window: in SR pixels.
        height: of the LR images, in pixels.
        width: likewise.
        draws: random images.
        seed: of images and weights.
        progress: called with (done, draws) after each.

    Raises:
        SettingError: ``draws`` is below 1.
        WindowError: the window does not lie inside the SR image.
        NotDifferentiableError, NotFiniteError, OutOfMemoryError: as :func:`srlens.attribute`.
    """
    if draws < 1:
        raise SettingError(f"draws (={draws}) must be at least 1.")
    generator = torch.Generator().manual_seed(seed)
    double = network.to(dtype=torch.float64)
    magnitude = torch.zeros(height, width, dtype=torch.float64)
    with frozen(double.module):
        for done in range(1, draws + 1):
            image = torch.rand(1, network.channels, height, width, generator=generator, dtype=torch.float64)
            detector = _random_sum(int(torch.randint(2**31, (1,), generator=generator)))
            gradient = Evaluator(double, detector, [window], height, width).gradients(image)[:, 0]
            magnitude = torch.maximum(magnitude, gradient[0].abs().amax(dim=0))
            if progress is not None:
                progress(done, draws)
    return GradientSupport(window=window, scale=network.scale, magnitude=magnitude, draws=draws)


def theoretical_bounds(
    network: Network | NetworkFacts, window: Window, height: int, width: int
) -> tuple[int, int, int, int]:
    """LR pixels that the window can depend on, by the architecture: (top, left, bottom, right), the last two exclusive.

    The whole image where the receptive field is global or unknown.
    """
    return network.receptive_field.bounds(window, network.scale, height, width)


def _random_sum(seed: int) -> Detector:
    """Each pixel with its own weight, so that no two paths cancel by symmetry."""

    def measure(patch: Tensor) -> Tensor:
        generator = torch.Generator().manual_seed(seed)
        weights = torch.randn(patch.shape[1:], generator=generator, dtype=torch.float64).to(patch)
        return (patch * weights).sum(dim=(1, 2, 3))

    return Detector("random sum", measure)
