"""Windows of one image: how many images run at once, measured on the first one, halved where too many."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import torch
from torch import Tensor

from srlens.attribution.detector import Detector
from srlens.attribution.evaluator import HALF, Edges, Evaluator
from srlens.attribution.scene import Progress, Scene
from srlens.errors import NetworkOutputError, OutOfMemoryError

_SHARE_OF_FREE = 0.5  # of a CUDA device's free memory, unless the user says otherwise
_MPS_BATCH = 4  # its allocator tells no peak; halved where it is too many
_LARGEST = 64
_ALIKE = 0.01, 0.3  # relative difference of one image's gradients, alone and in a batch, by rounding; in half precision


class Windows(Scene):
    """The scene of windows of one network's output, whose gradients are computed in batches that fit.

    On the CPU one image runs at a time: a batch would only leave the caches. On a GPU a single small image is bound by
    launches, so as many run together as memory allows, by what the first one takes. Where only one fits, or where many
    evaluations are to come, windows are evaluated by themselves. One image is evaluated alone and in a batch; where
    that differs (statistics over the batch), or a batch fails, images run one at a time. What was found is kept for
    further windows. Several windows share each forward pass, of one image.

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
        self._alike = _ALIKE[evaluator.network.dtype in HALF]
        kind = self._device.type if len(self.windows) == 1 else "cpu"
        self.limit = kept.get("limit", _MPS_BATCH if kind == "mps" else 1) if kind != "cpu" else 1
        self._measured = kind != "cuda" or "limit" in kept

    @property
    def scale(self) -> int:
        """SR pixels per LR pixel."""
        return self.evaluator.network.scale

    @property
    def detector(self) -> Detector:
        """What is asked about each window."""
        return self.evaluator.detector

    @property
    def reach(self) -> tuple[Edges, ...]:
        """LR pixels that each window can depend on, as far as it is known."""
        return self.evaluator.reach

    @property
    def evaluation(self) -> str:
        """How the network was evaluated."""
        return self.evaluator.evaluation

    def detect(self, images: Tensor) -> Tensor:
        """Detector values (N×K, float64, CPU) at N×C×h×w LR images."""
        return self.evaluator.values(images, self.limit if "compared" in self._kept else 1)

    def _gradients(self, images: Tensor) -> Tensor:
        pieces: list[Tensor] = []
        start = 0
        while start < len(images):
            batch = images[start : start + self.limit]
            try:
                pieces.append(self._evaluated(batch))
                start += len(batch)
                self._tick(len(batch))
                continue
            except (OutOfMemoryError, NetworkOutputError) as error:  # the latter: it takes one image at a time
                if len(batch) == 1:
                    raise
                self._take(len(batch) // 2 if isinstance(error, OutOfMemoryError) else 1)
            torch.cuda.empty_cache()  # not before: the error in hand holds what has filled the memory
        return torch.cat(pieces)

    def _evaluated(self, batch: Tensor) -> Tensor:
        tick = partial(self._tick, len(batch))
        if not self._measured:
            self._measured = True
            with suppress(OutOfMemoryError):  # its window alone may fit
                gradients = self._measure_cuda(batch, tick)
                if self.limit > 1:
                    return gradients
        gradients = self.evaluator.gradients(batch, tick)
        if len(batch) > 1 and "compared" not in self._kept:
            alone = self.evaluator.gradients(batch[:1])[0]
            if float((gradients[0] - alone).norm()) > self._alike * float(alone.norm()):
                raise NetworkOutputError("The images of a batch are mixed.")  # one alone has another gradient
            self._kept["compared"] = True
        return gradients

    def _measure_cuda(self, images: Tensor, tick: Callable[[], None]) -> Tensor:
        free, _ = torch.cuda.mem_get_info(self._device)
        before = torch.cuda.memory_allocated(self._device)
        free += torch.cuda.memory_reserved(self._device) - before  # held back for the next, by this process
        budget = self._memory if self._memory is not None else int(free * _SHARE_OF_FREE)
        torch.cuda.reset_peak_memory_stats(self._device)
        result = self.evaluator.gradients(images, tick, measuring=True)
        needed = max(torch.cuda.max_memory_allocated(self._device) - before, 1) / len(images)
        self._take(max(1, min(_LARGEST, int(budget / needed))))
        return result

    def _take(self, limit: int) -> None:
        self.limit = self._kept["limit"] = limit
