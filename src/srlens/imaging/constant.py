"""Numbers that are made on the CPU and needed where images are."""

from collections.abc import Callable
from functools import lru_cache

import torch
from torch import Tensor


def constant(numbers: Tensor) -> Callable[[Tensor], Tensor]:
    """A function that gives a tensor of the CPU where another one is, copied once: a copy waits for the GPU.

    Floating-point numbers take the other's type.
    """

    @lru_cache(maxsize=4)
    def there(device: torch.device, dtype: torch.dtype) -> Tensor:
        with torch.inference_mode(False):  # or no gradient could be taken of what is made with it
            return numbers.to(dtype, copy=True).to(device)  # in this order: MPS has no float64

    return lambda like: there(like.device, like.dtype if numbers.is_floating_point() else numbers.dtype)
