"""MPS has no float64: a picture in it becomes float32 before it goes there."""

from contextlib import suppress
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

import srlens


class Watch(TorchDispatchMode):
    """Remembers the types of tensors on MPS."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[torch.dtype] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if isinstance(result, Tensor) and result.device.type == "mps":
            self.seen.add(result.dtype)
        return result


def test_float64_is_left_behind() -> None:
    mode, watch = FakeTensorMode(allow_non_fake_inputs=True), Watch()
    network = srlens.Network.wrap(nn.Conv2d(3, 3, 3, padding=1), scale=1)
    weights = network.module._parameters
    weights |= {
        name: FakeTensor(mode, torch.empty_like(weight, device="meta"), torch.device("mps"))
        for name, weight in weights.items()
        if weight is not None
    }
    assert network.device.type == "mps"
    # Slicing asks for an MPS that is linked; by then the module has run.
    with mode, watch, torch.no_grad(), suppress(RuntimeError):
        network(torch.rand(1, 3, 8, 8, dtype=torch.float64))
    assert watch.seen == {torch.float32}
