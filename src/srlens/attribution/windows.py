"""Windows of one image: how many images run at once, measured on the first one, halved where too many."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from srlens.attribution.evaluator import HALF, Evaluator
from srlens.attribution.scene import Progress, Scene
from srlens.errors import NetworkOutputError, OutOfMemoryError

_SHARE_OF_FREE = 0.5  # of a CUDA device's free memory, unless the user says otherwise
_MPS_BATCH = 4  # its allocator tells no peak; halved where it is too many
_LARGEST = 64
_ALIKE = 0.01, 0.3  # relative difference of one image's gradients, alone and in a batch, by rounding; in half precision


class Windows(Scene):
    """The scene of windows of one network's output, whose gradients are computed in batches that fit.

    On the CPU one image runs at a time: a batch would only leave the caches. On a GPU a single small image is bound by
    launches, so as many run together as memory allows. Batches are powers of two, since every batch size is
    recorded and verified once for regional evaluation. One image is evaluated alone and in a batch; where that differs
    (statistics over the batch), or a batch fails, images run one at a time. Several windows share each forward pass,
    of one image.

    Args:
        evaluator: of the windows.
        memory: bytes that an evaluation may take; None: one node on the CPU, half of the free memory on CUDA.
        image: see :class:`Scene`, as the rest.
        kept: what further windows may use.
        progress: called as the evaluations go on.

    Attributes:
        evaluator: as given.
    """

    def __init__(
        self, evaluator: Evaluator, memory: int | None, image: Tensor, kept: dict[str, Any], progress: Progress | None
    ) -> None:
        super().__init__(image, evaluator.windows, kept, progress)
        self.evaluator = evaluator
        self._memory = memory
        self._device = evaluator.network.device
        self._compared = False
        self._alike = _ALIKE[evaluator.network.dtype in HALF]
        one = len(self.windows) == 1
        self._measured = self._device.type != "cuda" or not one
        self.limit = _MPS_BATCH if self._device.type == "mps" and one else 1

    @property
    def evaluation(self) -> str:
        """How the network was evaluated."""
        return self.evaluator.evaluation

    def detect(self, images: Tensor) -> Tensor:
        """Detector values (N×K, float64, CPU) at N×C×h×w LR images."""
        return self.evaluator.values(images)

    def _gradients(self, images: Tensor) -> Tensor:
        pieces: list[Tensor] = []
        start = 0
        while start < len(images):
            size = min(self.limit, _power_of_two(len(images) - start))
            batch = images[start : start + size]
            try:
                evaluate = self.evaluator.gradients if self._measured else self._measure_cuda
                gradients = evaluate(batch, partial(self._tick, size))
                if size > 1 and not self._compared:
                    self._compared = True
                    alone = self.evaluator.gradients(batch[:1])[0]
                    if float((gradients[0] - alone).norm()) > self._alike * float(alone.norm()):
                        raise NetworkOutputError("The images of a batch are mixed.")  # one alone has another gradient
            except (OutOfMemoryError, NetworkOutputError) as error:  # the latter: it takes one image at a time
                if size == 1:
                    raise
                self.limit = size // 2 if isinstance(error, OutOfMemoryError) else 1
                torch.cuda.empty_cache()
                continue
            start += size
            pieces.append(gradients)
            self._tick(size)
        return torch.cat(pieces)

    def _measure_cuda(self, images: Tensor, tick: Callable[[], None]) -> Tensor:
        self._measured = True
        free, _ = torch.cuda.mem_get_info(self._device)
        budget = self._memory if self._memory is not None else int(free * _SHARE_OF_FREE)
        before = torch.cuda.memory_allocated(self._device)
        torch.cuda.reset_peak_memory_stats(self._device)
        result = self.evaluator.gradients(images, tick)
        needed = max(torch.cuda.max_memory_allocated(self._device) - before, 1) / len(images)
        self.limit = max(1, min(_LARGEST, _power_of_two(int(budget / needed))))
        return result


def _power_of_two(n: int) -> int:
    """The largest power of two that is not above n (1 for n < 1)."""
    return 1 << max(0, n.bit_length() - 1) if n >= 1 else 1
