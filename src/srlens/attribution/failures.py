"""Failures of a network under autograd, named: out of memory, not differentiable."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from srlens.errors import NotDifferentiableError, OutOfMemoryError
from srlens.windowed import TooLargeError


@contextmanager
def out_of_memory_named() -> Iterator[None]:
    """Within the block, whatever says that memory is used up is an OutOfMemoryError with a remedy."""
    try:
        yield
    except TooLargeError as error:
        raise OutOfMemoryError(f"{error} Raise memory (--memory), or crop the LR image around the window.") from error
    except torch.OutOfMemoryError as error:
        raise OutOfMemoryError(_MEMORY_REMEDY) from error
    except RuntimeError as error:
        if "can't allocate memory" in str(error) or "not enough memory" in str(error):
            raise OutOfMemoryError(_MEMORY_REMEDY) from error
        raise


_MEMORY_REMEDY = (
    "One gradient evaluation does not fit into the memory of the device. Crop the LR image around the window, "
    "use a device with more memory, or lower `memory=` (--memory) so that fewer nodes run at once."
)


DETACHED = "its output does not depend on its input in autograd's eyes (detach, no_grad, NumPy or rounding)"


def not_differentiable(name: str, reason: str) -> str:
    """A sentence for NotDifferentiableError."""
    return (
        f"{name} is not differentiable with respect to its input: {reason}. Rewrite that part of the module; "
        "srlens needs plain autograd operations from input to output."
    )


@contextmanager
def not_differentiable_named(name: str) -> Iterator[None]:
    """Within the block, autograd's words for it are a NotDifferentiableError about the network of that name."""
    try:
        yield
    except RuntimeError as error:
        text = str(error)
        if "inplace operation" in text or "in-place" in text:
            reason = "it overwrites a tensor that its gradient needs (an in-place operation)"
        elif any(t in text for t in ("does not require grad", "that requires grad", "not have been used in the graph")):
            reason = DETACHED
        elif "nference tensor" in text:
            reason = "it runs in inference mode"
        else:
            raise
        raise NotDifferentiableError(not_differentiable(name, reason)) from error
