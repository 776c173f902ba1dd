"""Full against regional evaluation at the same input."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Result:
    """One evaluation.

    Attributes:
        patch: the SR window, N×C×height×width.
        gradient: of the detector by the LR images, N×C×h×w.
    """

    patch: Tensor
    gradient: Tensor


@dataclass(frozen=True)
class _Tolerance:
    """Relative L2 differences of patch and gradient that pass, and the rounding unit of the type."""

    patch: float
    gradient: float
    unit: float


# Regional evaluation computes the same sums, but kernels add them up in another order for another size. Rectifiers
# and the detector's cusp amplify that in the gradient, far more so in half precision.
_TOLERANCES = {
    torch.float64: _Tolerance(1e-11, 1e-9, 1e-16),
    torch.float32: _Tolerance(1e-5, 1e-3, 6e-8),
    torch.float16: _Tolerance(1e-2, 5e-2, 5e-4),
    torch.bfloat16: _Tolerance(5e-2, 2e-1, 4e-3),
}
_NOISE_FACTOR = 4.0
_NOISE_LIMIT = 0.3


def disagreement(
    full: Result, regional: Result, dtype: torch.dtype, again: Callable[[float], Result] | None = None
) -> str | None:
    """Why the two are not the same evaluation; None if they are.

    Args:
        full: of the whole network.
        regional: of the plan.
        dtype: in which the network computes.
        again: the full evaluation at images multiplied by 1 + the given number. It is called only where the
            gradients differ by more than the tolerance: they still agree if rounding the input moves the full
            gradient about as much. None: the tolerance alone decides.
    """
    tolerance = _tolerance(dtype)
    if not agrees(regional.patch, full.patch, dtype):
        return f"its SR window differs by {distance(regional.patch, full.patch):.1g}"
    gradient = distance(regional.gradient, full.gradient)
    if gradient <= tolerance.gradient:
        return None
    if again is not None and gradient <= _NOISE_LIMIT:
        noise = distance(again(tolerance.unit).gradient, full.gradient)
        if gradient <= _NOISE_FACTOR * noise:
            return None
    return f"its gradient differs by {gradient:.1g}"


def agrees(patch: Tensor, full: Tensor, dtype: torch.dtype) -> bool:
    """Whether two patches differ by rounding at most."""
    return distance(patch, full) <= _tolerance(dtype).patch


def _tolerance(dtype: torch.dtype) -> _Tolerance:
    return _TOLERANCES.get(dtype, _TOLERANCES[torch.float32])


def distance(tensor: Tensor, reference: Tensor) -> float:
    """Relative L2 distance; infinite if only the reference is zero, NaN if either is not finite."""
    difference = float((tensor.double() - reference.double()).norm())
    norm = float(reference.double().norm())
    if norm == 0:
        return 0.0 if difference == 0 else float("inf")
    return difference / norm
