"""A second device on a machine that has none: tensors that say they are on ``meta`` and hold numbers all the same.

Every operator that is given tensors of both devices is an error, convolution and indexing included, in the backward
pass too. What would make a real GPU's owner wait (a number taken out, a copy back to the CPU) is counted.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing
from torch.utils._pytree import tree_flatten, tree_map_only

DEVICE = torch.device("meta")
#: Operators that need numbers where Python runs, or make tensors as large as the numbers say.
WAITING = {"_local_scalar_dense", "equal", "is_nonzero", "nonzero", "masked_select", "allclose", "unique"}


class MixtureError(RuntimeError):
    """One operator was given tensors of two devices."""


class Far(Tensor):
    """A tensor on the other device.

    Attributes:
        here: its numbers.
    """

    here: Tensor

    @staticmethod
    def __new__(cls, here: Tensor) -> "Far":
        made: Far = Tensor._make_wrapper_subclass(
            cls, here.shape, here.stride(), here.storage_offset(), dtype=here.dtype, device=DEVICE
        )
        made.here = here
        return made

    @property
    def data(self) -> Tensor:
        return Tensor.data.__get__(self)  # type: ignore[attr-defined]

    @data.setter
    def data(self, new: "Far") -> None:
        self.here = new.here

    __torch_function__ = torch._C._disabled_torch_function_impl

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        raise MixtureError(f"{func}: outside of the block")  # that the other device is there in


class Elsewhere(TorchDispatchMode):
    """The other device, for as long as the block lasts.

    Attributes:
        waits: how often each operator that waits for the device was called.
    """

    def __init__(self) -> None:
        super().__init__()
        self.waits: Counter[str] = Counter()
        self.forbidden = False

    @contextmanager
    def no_waits(self) -> Iterator[None]:
        """Within the block a wait is an error."""
        self.forbidden = True
        try:
            yield
        finally:
            self.forbidden = False

    def _wait(self, name: str) -> None:
        self.waits[name] += 1
        if self.forbidden:
            raise AssertionError(f"{name} waits for the device")

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        name = func._schema.name.removeprefix("aten::")
        tensors = [one for one in tree_flatten((args, kwargs))[0] if isinstance(one, Tensor)]
        far = any(isinstance(one, Far) for one in tensors)
        target = kwargs.get("device")
        to_far = torch.device(target) == DEVICE if target is not None else far
        if to_far and target is not None:
            kwargs["device"] = torch.device("cpu")
        moving = name in ("_to_copy", "copy_", "copy")
        if far and not moving and any(one.ndim > 0 and not isinstance(one, Far) for one in tensors):
            shapes = [(type(one).__name__, tuple(one.shape)) for one in tensors]
            raise MixtureError(f"{name} is given tensors of two devices: {shapes}")
        if name in ("copy_", "copy"):
            to_far = isinstance(args[0], Far)
            if far and any(not isinstance(one, Far) for one in tensors):
                self._wait(name)
        elif name == "_to_copy" and to_far and not far:
            self._wait("_to_copy to the device")  # of memory that is not pinned
        elif far and (name in WAITING or (not to_far) or (name == "index" and _masked(args[1]))):
            self._wait(name if to_far else f"{name} to the CPU")
        result = func(*_here(args), **_here(kwargs))
        result = tree_map_only(Tensor, Far, result) if to_far and name not in ("_local_scalar_dense",) else result
        return return_and_correct_aliasing(func, args, kwargs, result) if far and to_far else result


def _here(tree: Any) -> Any:
    return tree_map_only(Far, lambda one: one.here, tree)


def _masked(indices: Any) -> bool:
    return any(isinstance(one, Tensor) and one.dtype in (torch.bool, torch.uint8) for one in indices)


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    with Elsewhere() as mode:
        yield mode
