"""Whether a plan gives what the whole network gives at the same input: values and gradient."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from srlens.windowed.plan import Plan, Source


@dataclass(frozen=True)
class Result:
    """One evaluation.

    Attributes:
        patch: the window of the output, N×C×height×width.
        gradient: of the detector by the input, N×C×h×w.
    """

    patch: Tensor
    gradient: Tensor


# Patch and gradient at an input (the first argument), the patch computed by a source.
Differentiate = Callable[[Tensor, Source], Result]

# Relative L2 differences of patch and gradient that pass. A plan computes the same sums, but kernels add them up in
# another order for another size. Rectifiers and the detector's cusp amplify that in the gradient, far more so in half
# precision.
_TOLERANCES = {
    torch.float64: (1e-11, 1e-9),
    torch.float32: (1e-5, 1e-3),
    torch.float16: (1e-2, 5e-2),
    torch.bfloat16: (5e-2, 2e-1),
}
# The gradients still agree if rounding the input moves the full gradient about as much.
_NOISE_FACTOR = 4.0
_NOISE_LIMIT = 0.3


def tried(
    plan: Plan, x: Tensor, dtype: torch.dtype, differentiate: Differentiate, whole: tuple[Source, Tensor] | None
) -> Result | str:
    """The plan's result at x; or why it is not that of the whole network.

    Args:
        plan: to be tried.
        x: the input.
        dtype: in which the network computes.
        differentiate: evaluates.
        whole: the window by the whole network, and its values at x as it lies. None: no proof is needed.
    """
    try:
        if whole is None:
            return differentiate(x, plan)
        source, y = whole

        def full(inputs: Tensor) -> Tensor:
            # In the plan's memory format: another one rounds otherwise everywhere, which may flip a rectifier.
            return source(inputs.clone(memory_format=plan.memory_format))

        expected = differentiate(x, full)
        if not agrees(expected.patch, y, dtype):
            return "the network's output depends on how its input lies in memory"
        result = differentiate(x, plan)
        if not agrees(result.patch, expected.patch, dtype):
            return f"its window differs by {distance(result.patch, expected.patch):.1g}"
        difference = distance(result.gradient, expected.gradient)
        noise = 0.0
        if _tolerances(dtype)[1] < difference <= _NOISE_LIMIT:
            rounded = differentiate(x.detach() * (1 + torch.finfo(dtype).eps / 2), full)
            noise = distance(rounded.gradient, expected.gradient)
    except torch.OutOfMemoryError:
        raise
    except Exception as error:  # the network's own code runs here; evaluated in full, its errors pass
        return f"it failed: {type(error).__name__}: {next(iter(str(error).splitlines()), '')}"
    agreed = difference <= max(_tolerances(dtype)[1], _NOISE_FACTOR * noise)
    return result if agreed else f"its gradient differs by {difference:.1g}"


def agrees(patch: Tensor, full: Tensor, dtype: torch.dtype) -> bool:
    """Whether two patches differ by rounding at most."""
    return distance(patch, full) <= _tolerances(dtype)[0]


def _tolerances(dtype: torch.dtype) -> tuple[float, float]:
    return _TOLERANCES.get(dtype, _TOLERANCES[torch.float32])


def distance(tensor: Tensor, reference: Tensor) -> float:
    """Relative L2 distance; infinite if only the reference is zero, NaN if either is not finite."""
    difference, norm = (tensor.double() - reference.double()).norm(), reference.double().norm()
    return float(difference / norm) if difference else 0.0


def gradient_of_sines(x: Tensor, source: Source) -> Result:
    """Patch, and gradient of the sum of its sines."""
    leaf = x.detach().requires_grad_(True)
    patch = source(leaf.clone())
    (gradient,) = torch.autograd.grad(patch.sin().sum(), leaf)
    return Result(patch.detach(), gradient)
