"""Whether a plan gives what the whole network gives at the same input: values and gradient."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from srlens.windowed.shared import Forward


@dataclass(frozen=True)
class Result:
    """One evaluation of one window.

    Attributes:
        patch: the window of the output, N×C×height×width.
        values: of the detector, N.
        gradient: of the detector by the input, N×C×h×w.
    """

    patch: Tensor
    values: Tensor
    gradient: Tensor


# Patch and gradient of each window at an input (the first argument), the patches computed by a forward pass.
Differentiate = Callable[[Tensor, Forward], list[Result]]

# Relative L2 differences of patch and gradient that pass. A plan computes the same sums, but kernels add them up in
# another order for another size. Rectifiers and the detector's cusp amplify that in the gradient, far more so in half
# precision.
_TOLERANCES = {torch.float64: (1e-11, 1e-9), torch.float32: (1e-5, 1e-3)}
_TOLERANCES |= {torch.float16: (1e-2, 5e-2), torch.bfloat16: (5e-2, 2e-1)}
# The gradients still agree if rounding the input moves the full gradient about as much.
_NOISE_FACTOR = 4.0
_NOISE_LIMIT = 0.3


def difference_of_windows(patch: Tensor, whole: Tensor, dtype: torch.dtype) -> str:
    """How a window differs from the whole network's by more than rounding; empty if it does not."""
    difference = _distance(patch, whole)
    return "" if difference <= _tolerances(dtype)[0] else f"its window differs by {difference:.1g}"


def difference_of_gradients(
    result: Result, x: Tensor, differentiate: Differentiate, whole: Forward, memory_format: torch.memory_format
) -> str:
    """How a plan's result at x differs from the whole network's by more than rounding; empty if it does not.

    Args:
        result: of the plan.
        x: the input.
        differentiate: evaluates the window.
        whole: computes it by the whole network.
        memory_format: of the plan.
    """

    def alike(inputs: Tensor) -> Iterator[Tensor]:
        # In the plan's memory format: another one rounds otherwise everywhere, which may flip a rectifier.
        return whole(inputs.clone(memory_format=memory_format))

    try:
        (expected,) = differentiate(x, alike)
    except RuntimeError:  # a view may be refused in that format; in a plan it is a reshape
        (expected,) = differentiate(x, whole)
    dtype = expected.patch.dtype
    difference = _distance(result.gradient, expected.gradient)
    noise = 0.0
    if _tolerances(dtype)[1] < difference <= _NOISE_LIMIT:
        (rounded,) = differentiate(x.detach() * (1 + torch.finfo(dtype).eps / 2), whole)
        noise = _distance(rounded.gradient, expected.gradient)
    if difference <= max(_tolerances(dtype)[1], _NOISE_FACTOR * noise):
        return difference_of_windows(result.patch, expected.patch, dtype)
    return f"its gradient differs by {difference:.1g}"


def _tolerances(dtype: torch.dtype) -> tuple[float, float]:
    return _TOLERANCES.get(dtype, _TOLERANCES[torch.float32])


def _distance(tensor: Tensor, reference: Tensor) -> float:
    """Relative L2 distance; infinite if only the reference is zero, NaN if either is not finite."""
    difference, norm = (tensor.double() - reference.double()).norm(), reference.double().norm()
    return float(difference / norm) if difference else 0.0
