"""Batches of nodes: sizes, back-off, and the bound on memory."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import srlens
from srlens.attribution.windows import Windows
from srlens.errors import OutOfMemoryError, SettingError


class Recorder:
    """Stands for an evaluator that can take ``capacity`` images at once."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.sizes: list[int] = []
        self.network = srlens.Network.wrap(nn.Identity(), scale=1)
        self.windows = (srlens.Window(0, 0, 2, 2),)

    def gradients(self, images: Tensor, _: Callable[[], None] = lambda: None) -> Tensor:
        if len(images) > self.capacity:
            raise OutOfMemoryError("too many")
        self.sizes.append(len(images))
        return images[:, None] * 2


def batches(capacity: int, limit: int) -> tuple[Windows, Recorder]:
    recorder: Any = Recorder(capacity)
    result = Windows(recorder, None, torch.zeros(3, 2, 2), {}, None)
    result.limit = limit
    return result, recorder


@pytest.mark.parametrize("limit", [1, 2, 8])
def test_every_image_once_in_powers_of_two(limit: int) -> None:
    run, recorder = batches(100, limit)
    images = torch.rand(13, 3, 2, 2)
    assert torch.equal(run.gradients(images)[:, 0], images * 2)
    assert sum(recorder.sizes) == 13 + (limit > 1)  # one of them alone and in a batch
    assert all(size & (size - 1) == 0 and size <= limit for size in recorder.sizes)


def test_too_many_are_halved_until_they_fit() -> None:
    run, recorder = batches(3, 16)
    images = torch.rand(13, 3, 2, 2)
    assert torch.equal(run.gradients(images)[:, 0], images * 2)
    assert run.limit == 2
    assert max(recorder.sizes) == 2


def test_one_that_does_not_fit_is_an_error() -> None:
    run, _ = batches(0, 4)
    with pytest.raises(OutOfMemoryError):
        run.gradients(torch.rand(5, 3, 2, 2))


def test_the_bound_on_memory_holds() -> None:
    body = nn.Sequential(nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 3, 3, padding=1))
    network = srlens.Network.wrap(body, scale=1)
    image = torch.rand(3, 64, 64)
    window = srlens.Window(8, 8, 8, 8)
    # What autograd keeps of one evaluation: the rectified maps at least, 32 numbers of 4 bytes for each pixel.
    with pytest.raises(OutOfMemoryError, match="more than memory"):
        srlens.attribute(network, image, window, memory=32 * 8 * 8 * 4 // 2)
    with pytest.raises(OutOfMemoryError, match="more than"):
        srlens.attribute(network, image, window, memory=32 * 64 * 64 * 4 // 2, regional=False)
    bounded = srlens.attribute(network, image, window, memory=64 * 2**20)
    free = srlens.attribute(network, image, window)
    assert bounded.diffusion_index == pytest.approx(free.diffusion_index, rel=1e-4)


def test_nonsense_is_refused() -> None:
    network, image = srlens.Network.wrap(nn.Conv2d(3, 3, 3, padding=1), scale=1), torch.rand(3, 16, 16)
    windows = [srlens.Window(4, 4, 6, 6)]
    for memory in (0, -1, 1.5, "2", True):
        with pytest.raises(SettingError, match=r"memory must be a whole number of at least 1, got .* counts bytes"):
            srlens.Explainer(network, image, memory=memory)
        with pytest.raises(SettingError, match=r"memory must be a whole number of at least 1, got .* counts bytes"):
            srlens.Explainer(network, image).windows(windows, memory=memory)
