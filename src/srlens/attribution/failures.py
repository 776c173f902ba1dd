"""Failures under autograd, named: out of memory, not differentiable."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from srlens.errors import NotDifferentiableError, OutOfMemoryError
from srlens.windowed import TooLargeError

_MEMORY_REMEDY = (
    "One gradient evaluation does not fit into the memory of the device. Crop the LR image around the window, "
    "use a device with more memory, or lower `memory=` (--memory) so that fewer nodes run at once."
)
DETACHED = "its output does not depend on its input in autograd's eyes (detach, no_grad, NumPy or rounding)"
_IN_PLACE = "it overwrites a tensor that its gradient needs (an in-place operation)"
# What PyTorch's words mean.
_REASONS = {
    "inplace operation": _IN_PLACE,
    "in-place": _IN_PLACE,
    "does not require grad": DETACHED,
    "that requires grad": DETACHED,
    "not have been used in the graph": DETACHED,
    "nference tensor": "it runs in inference mode",
}


def not_differentiable(name: str, reason: str) -> NotDifferentiableError:
    """The error for a network or detector of that name."""
    return NotDifferentiableError(
        f"{name} is not differentiable with respect to its input: {reason}. Rewrite that part of it; "
        "srlens needs plain autograd operations from input to output."
    )


@contextmanager
def failures_named(name: str) -> Iterator[None]:
    """Within the block, what says that memory is used up is an OutOfMemoryError with a remedy.

    And autograd's words for what is not differentiable are a NotDifferentiableError about what ``name`` is.
    """
    try:
        yield
    except TooLargeError as error:
        raise OutOfMemoryError(f"{error} Raise memory (--memory), or crop the LR image around the window.") from error
    except torch.OutOfMemoryError as error:
        raise OutOfMemoryError(_MEMORY_REMEDY) from error
    except RuntimeError as error:
        text = str(error)
        if "can't allocate memory" in text or "not enough memory" in text:
            raise OutOfMemoryError(_MEMORY_REMEDY) from error
        for words, reason in _REASONS.items():
            if words in text:
                raise not_differentiable(name, reason) from error
        raise
