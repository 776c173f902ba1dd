"""A path through one image, in the parameter of the quadrature: by arc length, or the path's own."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srlens.attribution.path import Path, derivative
from srlens.attribution.quadrature import Parameterisation

Floats = NDArray[np.float64]

_CHORDS = 48
_ROUNDING = 1e-14  # float64 keeps 1e-16, and a blurred pixel is a sum of 81 products


class ImagePath:
    """A path through one image. Equal steps of u in [0, 1] are equal steps of the parameterisation.

    For the arc lengths, the length of the path in image space (L2 over all LR pixels and channels) is tabulated by
    chords and inverted linearly: cells are nearly, not exactly, equally long, which costs nothing, since the
    increments of γ are always exact. ``"Laplacian arc length"`` is the length of the path that the Laplacian of γ
    goes. Fine detail comes last on a blurred path and moves a network's gradient more than its L2 norm tells, so
    equal steps of it bring the same map error with a fifth fewer nodes than equal steps of plain arc length
    (measured on PAN, IMDN, RFDN, RLFN, BSRN, CARN-M and DCTLSA).

    Attributes:
        image: where the path ends, C×h×w.
    """

    def __init__(self, path: Path, image: Tensor, parameterisation: Parameterisation) -> None:
        self._path = path
        self.image = image
        self._alpha = self._u = np.array([0.0, 1.0])
        if parameterisation == "uniform":
            return
        alpha = np.linspace(0.0, 1.0, _CHORDS + 1)
        reached = [0.0]
        previous = self._at(torch.zeros(1, dtype=torch.float64))
        for end in torch.from_numpy(alpha[1:, None]):
            here = self._at(end)
            chord = here - previous if parameterisation == "arc length" else _laplacian(here - previous)
            reached.append(reached[-1] + float(chord.norm()))
            previous = here
        if reached[-1] > 0:  # a constant path (flat image) has no length: any will do, the map is zero anyway
            self._alpha, self._u = alpha, np.array(reached) / reached[-1]

    def alpha(self, u: Floats) -> Tensor:
        """The path's own parameter at each u (same shape), float64."""
        return torch.from_numpy(np.interp(u, self._u, self._alpha))

    def speed(self, u: Floats) -> Tensor:
        """dα/du at each u."""
        # The blur's last chords have no length (its kernel no longer changes), so u = 1 belongs to the last that has.
        last = int(np.searchsorted(self._u, 1.0)) - 1
        cell = np.clip(np.searchsorted(self._u, u, side="right") - 1, 0, last)
        rise, run = (table[cell + 1] - table[cell] for table in (self._alpha, self._u))
        return torch.from_numpy(rise / run)

    def points(self, u: Floats) -> Tensor:
        """γ at each u: N×C×h×w."""
        return self._at(self.alpha(u))

    def increments(self, edges: Floats) -> Tensor:
        """Differences of γ between neighbouring edges: (len(edges) − 1)×C×h×w."""
        points = self.points(edges)
        return _without_rounding(points[1:] - points[:-1])

    def weighted_derivatives(self, u: Floats, weights: Floats) -> Tensor:
        """``w·dγ/du`` at each u: N×C×h×w."""
        factors = (self.speed(u) * torch.from_numpy(weights))[:, None, None, None]
        return _without_rounding(derivative(self._path, self.image, self.alpha(u)) * factors)

    def _at(self, alpha: Tensor) -> Tensor:
        return self._path.at(self.image, alpha)


def _laplacian(images: Tensor) -> Tensor:
    """Sum of the four neighbours' differences, on the inside: at the border the blur's reflection has none to tell."""
    inside = images[..., 1:-1, 1:-1]
    around = images[..., :-2, 1:-1] + images[..., 2:, 1:-1] + images[..., 1:-1, :-2] + images[..., 1:-1, 2:]
    return around - 4 * inside


def _without_rounding(difference: Tensor) -> Tensor:
    """Zero where an image in [0, 1] differs by rounding alone, so that flat areas have exactly no part in the map."""
    return torch.where(difference.abs() > _ROUNDING, difference, 0.0)
