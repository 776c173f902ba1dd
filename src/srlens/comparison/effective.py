"""The effective receptive field: how much each LR pixel matters, on average (Luo et al., NeurIPS 2016)."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srlens.attribution.detector import DETECTORS
from srlens.attribution.evaluator import Evaluator
from srlens.errors import ImageError, ImageTooSmallError, SettingError, ZeroMapError
from srlens.imaging.window import Window
from srlens.networks.frozen import frozen
from srlens.networks.network import Network

#: Shares of the summed gradient magnitude for which radii are given.
SHARES = (0.5, 0.9, 0.95)


@dataclass(frozen=True, eq=False)
class EffectiveField:
    """Mean gradient magnitude around the centre of the image.

    Attributes:
        map: h×w, float64, sums to 1: the absolute gradient of the window's sum, summed over channels, averaged over
            the images.
        window: the central SR window, in SR pixels.
        scale: SR pixels per LR pixel.
        images: number of images averaged.
        sigma: of the isotropic Gaussian that fits the map best (least squares), in LR pixels; infinity where the
            map is flat.
        fit_error: relative L2 distance between map and fit, 0 (Gaussian) to 1 (nothing alike).
        radii: share of the magnitude to the radius of the disc about the window's centre that holds it, in LR
            pixels from centre to centre (0 where the central pixel alone holds it), for the shares of ``SHARES``.
    """

    map: Tensor
    window: Window
    scale: int
    images: int
    sigma: float
    fit_error: float
    radii: dict[float, float]


def effective_receptive_field(
    network: Network,
    images: Sequence[Tensor],
    *,
    size: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> EffectiveField:
    """Average the gradient magnitude of the central SR window over images.

    Unlike a local attribution map it is about the network and typical images, not about one window: no baseline,
    no path.

    Args:
        network: any.
        images: C×h×w in [0, 1], all of one size: several pictures, or places of one (:func:`crops`).
        size: side of the central window in SR pixels; one LR pixel (``network.scale``) by default.
        progress: called with (done, images) after each.

    Raises:
        SettingError: no image, or a size below 1.
        ImageError: images of different sizes.
        WindowError: the window is larger than the SR image.
        ZeroMapError: no gradient reaches any pixel.
        NotDifferentiableError, NotFiniteError, OutOfMemoryError: as :func:`srlens.attribute`.
    """
    if not len(images):
        raise SettingError("The effective receptive field needs at least one image.")
    if len({tuple(image.shape[-2:]) for image in images}) > 1:
        raise ImageError("The images must be of one size; cut them with srlens.comparison.effective.crops.")
    height, width = images[0].shape[-2:]
    window = central_window(height, width, network.scale, network.scale if size is None else size)
    total = torch.zeros(height, width, dtype=torch.float64)
    with frozen(network.module):
        evaluator = Evaluator(network, DETECTORS["intensity"], [window], height, width)
        for done, image in enumerate(images, start=1):
            total += evaluator.gradients(network.prepare(image)[None])[0, 0].abs().sum(dim=0)
            if progress is not None:
                progress(done, len(images))
    if not total.any():
        raise ZeroMapError(f"The gradient of {network.name} is zero everywhere: the central window is constant.")
    mean = total / total.sum()
    distance = centre_distance(window, network.scale, height, width)
    sigma, fit_error = _fit_gaussian(mean.numpy(), distance)
    radii = {share: energy_radius(mean.numpy(), distance, share) for share in SHARES}
    return EffectiveField(mean, window, network.scale, len(images), sigma, fit_error, radii)


def central_window(height: int, width: int, scale: int, size: int) -> Window:
    """The window of ``size`` SR pixels a side in the middle of the SR image of an LR image of height×width.

    For one LR pixel (``size`` = ``scale``) it lies on the LR grid.
    """
    if size < 1:
        raise SettingError(f"The size (={size}) must be at least 1 SR pixel.")
    top = (height // 2) * scale + (scale - size) // 2
    left = (width // 2) * scale + (scale - size) // 2
    return Window(max(0, top), max(0, left), size, size)


def crops(image: Tensor, side: int, count: int, *, seed: int = 0) -> list[Tensor]:
    """Cut ``count`` squares of ``side`` pixels from random places of a C×h×w image.

    Raises:
        ImageTooSmallError: the image is smaller than the square.
        SettingError: a side or count below 1.
    """
    if side < 1 or count < 1:
        raise SettingError(f"side (={side}) and count (={count}) must be at least 1.")
    height, width = image.shape[-2:]
    if min(height, width) < side:
        raise ImageTooSmallError(f"The image is {height}×{width}; no square of {side} pixels fits. Lower the side.")
    generator = torch.Generator().manual_seed(seed)
    tops = torch.randint(height - side + 1, (count,), generator=generator).tolist()
    lefts = torch.randint(width - side + 1, (count,), generator=generator).tolist()
    return [image[..., top : top + side, left : left + side] for top, left in zip(tops, lefts, strict=True)]


def centre_distance(window: Window, scale: int, height: int, width: int) -> NDArray[np.float64]:
    """h×w: distance of every LR pixel's centre to the centre of the window, in LR pixels."""
    top, left, bottom, right = window.on_lr(scale)
    y = np.arange(height) + 0.5 - (top + bottom) / 2
    x = np.arange(width) + 0.5 - (left + right) / 2
    distance: NDArray[np.float64] = np.hypot(y[:, None], x[None, :])
    return distance


def _fit_gaussian(mean: NDArray[np.float64], distance: NDArray[np.float64]) -> tuple[float, float]:
    """σ of the best multiple of exp(−r²/2σ²), and what is left of the map beside it (relative L2).

    For a given σ the best multiple is a projection, so that one number is searched for: around the best of a grid,
    since the error may have several minima.
    """
    from scipy.optimize import minimize_scalar

    norm = float(np.linalg.norm(mean))

    def error(log_sigma: float) -> float:
        shape = np.exp(-0.5 * (distance / math.exp(log_sigma)) ** 2)
        projection = float((shape * mean).sum()) / float(np.linalg.norm(shape))
        return 1 - (projection / norm) ** 2

    largest = math.log(8 * float(distance.max()))
    grid = np.linspace(math.log(0.1), largest, 64)
    start = int(np.argmin([error(value) for value in grid]))
    if start == len(grid) - 1:
        return math.inf, math.sqrt(max(0.0, error(largest)))
    bounds = (float(grid[max(start - 1, 0)]), float(grid[start + 1]))
    best = minimize_scalar(error, bounds=bounds, method="bounded", options={"xatol": 1e-6})
    return math.exp(float(best.x)), math.sqrt(max(0.0, float(best.fun)))


def energy_radius(mass: NDArray[np.float64], distance: NDArray[np.float64], share: float) -> float:
    """Radius of the disc about the centre that holds a share of a map; linear between the rings of pixels.

    Args:
        mass: h×w, non-negative.
        distance: h×w, of :func:`centre_distance`, in LR pixels.
        share: in (0, 1].

    Returns:
        LR pixels, from centre to centre.
    """
    rings, place = np.unique(distance.ravel().round(9), return_inverse=True)
    held = np.cumsum(np.bincount(place, weights=mass.ravel()))
    return float(np.interp(share * held[-1], held, rings))
