"""Batches of nodes: sizes, back-off, and the bound on memory."""

import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import srlens
from srlens.attribution.windows import Windows
from srlens.errors import OutOfMemoryError, SettingError


class Recorder:
    """Stands for an evaluator that can take ``capacity`` images at once."""

    def __init__(self, capacity: int, device: str = "cpu") -> None:
        self.capacity = capacity
        self.sizes: list[int] = []
        self.failed: list[int] = []
        self.measured: list[int] = []
        self.network = SimpleNamespace(device=torch.device(device), dtype=torch.float32)
        self.windows = (srlens.Window(0, 0, 2, 2),)
        self.mixing = False

    def gradients(self, images: Tensor, _: Callable[[], None] = lambda: None, *, measuring: bool = False) -> Tensor:
        if len(images) > self.capacity:
            self.failed.append(len(images))
            raise OutOfMemoryError("too many")
        (self.measured if measuring else self.sizes).append(len(images))
        mixed = images.mean(dim=0, keepdim=True) if self.mixing else 0
        return (images + mixed)[:, None] * 2

    def values(self, images: Tensor, at_once: int = 1) -> Tensor:
        self.sizes += [len(some) for some in images.split(at_once)]
        return images.mean(dim=(1, 2, 3))[:, None]


def batches(capacity: int, limit: int) -> tuple[Windows, Recorder]:
    recorder: Any = Recorder(capacity)
    result = Windows(recorder, None, torch.zeros(3, 2, 2), {}, None)
    result.limit = limit
    return result, recorder


@pytest.mark.parametrize("limit", [1, 2, 8])
def test_every_image_once_in_as_few_batches_as_fit(limit: int) -> None:
    run, recorder = batches(100, limit)
    images = torch.rand(13, 3, 2, 2)
    assert torch.equal(run.gradients(images)[:, 0], images * 2)
    assert sum(recorder.sizes) == 13 + (limit > 1)  # one of them alone and in a batch
    assert len(recorder.sizes) == -(-13 // limit) + (limit > 1)
    assert max(recorder.sizes) <= limit


def test_too_many_are_halved_until_they_fit() -> None:
    run, recorder = batches(3, 16)
    images = torch.rand(13, 3, 2, 2)
    assert torch.equal(run.gradients(images)[:, 0], images * 2)
    assert recorder.failed == [13, 6]
    assert run.limit == 3
    assert recorder.sizes == [3, 1, 3, 3, 3, 1]  # the second of them to compare with the batch


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


class Card:
    """A CUDA device that is not there: its memory, in bytes, and what one image takes of it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, free: int, image: int, held: int = 0) -> None:
        self.emptied = 0
        self.in_hand: list[bool] = []
        cuda = torch.cuda
        monkeypatch.setattr(cuda, "mem_get_info", lambda _: (free, 10**12))
        monkeypatch.setattr(cuda, "memory_allocated", lambda _: 1000)
        monkeypatch.setattr(cuda, "memory_reserved", lambda _: 1000 + held)
        monkeypatch.setattr(cuda, "reset_peak_memory_stats", lambda _: None)
        monkeypatch.setattr(cuda, "max_memory_allocated", lambda _: 1000 + image)
        monkeypatch.setattr(cuda, "empty_cache", self._empty)

    def _empty(self) -> None:
        self.emptied += 1
        self.in_hand.append(sys.exc_info()[0] is not None)


def on_card(capacity: int, kept: dict[str, Any] | None = None, memory: int | None = None) -> tuple[Windows, Recorder]:
    recorder: Any = Recorder(capacity, "cuda")
    return Windows(recorder, memory, torch.zeros(3, 2, 2), {} if kept is None else kept, None), recorder


IMAGES = torch.rand(13, 3, 2, 2)


@pytest.mark.parametrize(
    ("free", "held", "memory", "limit"),
    [(800, 0, None, 4), (800, 400, None, 6), (10**6, 0, None, 64), (800, 0, 1000, 10), (100, 0, None, 1)],
)
def test_what_fits_is_measured_on_the_first_image(
    monkeypatch: pytest.MonkeyPatch, free: int, held: int, memory: int | None, limit: int
) -> None:
    Card(monkeypatch, free, image=100, held=held)  # half of what is free or held back by PyTorch, or as asked
    run, recorder = on_card(100, memory=memory)
    assert run.limit == 1
    run.gradients(IMAGES[:1])
    assert recorder.measured == [1]
    assert run.limit == limit
    assert recorder.sizes == ([1] if limit == 1 else [])  # one at a time: windows are evaluated by themselves
    assert torch.equal(run.gradients(IMAGES[1:])[:, 0], IMAGES[1:] * 2)
    assert max(recorder.sizes) == min(limit, 12)


def test_further_windows_measure_and_compare_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    Card(monkeypatch, free=10**6, image=100)
    kept: dict[str, Any] = {}
    first, recorder = on_card(100, kept)
    first.gradients(IMAGES[:1])
    first.gradients(IMAGES[1:])
    assert (recorder.measured, recorder.sizes) == ([1], [12, 1])
    assert first.detect(IMAGES[:2]).shape == (2, 1)
    assert recorder.sizes[2:] == [2]
    further, recorder = on_card(100, kept)
    assert further.limit == 64
    further.gradients(IMAGES)
    assert (recorder.measured, recorder.sizes) == ([], [13])


def test_values_run_together_only_where_images_were_seen_not_to_mix(monkeypatch: pytest.MonkeyPatch) -> None:
    Card(monkeypatch, free=10**6, image=100)
    run, recorder = on_card(100)
    run.gradients(IMAGES[:1])
    run.detect(IMAGES[:3])
    assert recorder.sizes == [1, 1, 1]


def test_what_mixes_the_images_of_a_batch_takes_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    Card(monkeypatch, free=10**6, image=100)
    kept: dict[str, Any] = {}
    run, recorder = on_card(100, kept)
    recorder.mixing = True
    run.gradients(IMAGES[:1])
    alone = torch.cat([recorder.gradients(one) for one in IMAGES.split(1)])
    assert torch.equal(run.gradients(IMAGES), alone)
    assert run.limit == kept["limit"] == 1
    assert on_card(100, kept)[0].limit == 1


def test_a_whole_network_that_does_not_fit_leaves_its_window(monkeypatch: pytest.MonkeyPatch) -> None:
    card = Card(monkeypatch, free=800, image=100)
    run, recorder = on_card(100)
    whole = recorder.gradients

    def gradients(images: Tensor, tick: Any = None, *, measuring: bool = False) -> Tensor:
        if measuring:
            raise OutOfMemoryError("the whole network")
        return whole(images)

    monkeypatch.setattr(recorder, "gradients", gradients)
    assert torch.equal(run.gradients(IMAGES)[:, 0], IMAGES * 2)
    assert recorder.sizes == [1] * 13
    assert card.emptied == 0


def test_memory_is_given_back_when_the_error_that_holds_it_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    card = Card(monkeypatch, free=10**6, image=100)
    run, recorder = on_card(5)
    run.gradients(IMAGES[:1])
    assert torch.equal(run.gradients(IMAGES)[:, 0], IMAGES * 2)
    assert recorder.failed == [13, 6]
    assert card.in_hand == [False, False]


def test_several_windows_share_passes_of_one_image(monkeypatch: pytest.MonkeyPatch) -> None:
    Card(monkeypatch, free=10**6, image=100)
    recorder: Any = Recorder(100, "cuda")
    recorder.windows *= 2
    kept = {"limit": 64, "compared": True}
    run = Windows(recorder, None, torch.zeros(3, 2, 2), kept, None)
    run.gradients(IMAGES)
    run.detect(IMAGES[:2])
    assert recorder.sizes == [1] * 15
    assert kept["limit"] == 64
