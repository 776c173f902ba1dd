"""Evaluations within a bound on memory: segments computed again, and what happens where even they are too large."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import srlens
from srlens.errors import OutOfMemoryError
from srlens.networks.frozen import frozen
from srlens.windowed import TooLargeError, bounded
from srlens.windowed.memory import Segmented
from srlens.windowed.plan import Plan, make_plan
from srlens.windowed.recorder import Recorder
from srlens.windowed.shared import SharedForward

SIDE = 32
MAP = 16 * SIDE * SIDE * 8  # bytes of 16 channels in float64
WINDOW = srlens.Window(24, 20, 16, 16)


class Deep(nn.Module):
    """Twelve residual convolutions that split, pool and join, then a pixel shuffle."""

    def __init__(self, odd: Callable[[Tensor], Tensor] = lambda x: x) -> None:
        super().__init__()
        self.odd = odd
        self.first = nn.Conv2d(3, 16, 3, padding=1)
        self.body = nn.ModuleList([nn.Conv2d(16, 16, 3, padding=1) for _ in range(12)])
        self.last = nn.Sequential(nn.Conv2d(16, 12, 3, padding=1), nn.PixelShuffle(2))

    def forward(self, x: Tensor) -> Tensor:
        shallow = y = self.first(x)
        for convolution in self.body:
            one, other = convolution(y).tanh().split([4, 12], dim=1)
            y = y + torch.cat([other, one * other.std(dim=(2, 3), keepdim=True).mean(dim=1, keepdim=True)], dim=1)
        return self.last(self.odd(y + shallow))


def network_with(odd: Callable[[Tensor], Tensor] = lambda x: x) -> srlens.Network:
    torch.manual_seed(5)
    return srlens.Network.wrap(Deep(odd).double().eval(), scale=2)


@pytest.fixture
def image() -> Tensor:
    return torch.rand(3, SIDE, SIDE, generator=torch.Generator().manual_seed(2), dtype=torch.float64)


def planned(network: srlens.Network, x: Tensor) -> Plan:
    with frozen(network.module), (recorder := Recorder(x)):
        y = network(x)
    return make_plan(recorder.graph(y), WINDOW)


def enough(image: Tensor) -> int:
    """Bytes that the network in segments needs by its own estimate, and a little more."""
    return int(Segmented(planned(network_with(), image[None])).elements * 8 * 2.1)  # half of it may be kept


def test_segments_give_the_same_gradient_and_keep_less(image: Tensor) -> None:
    network = network_with()
    with frozen(network.module):
        plan = planned(network, image[None])
        sparing = Segmented(plan)
        assert len(sparing.segments) > 2
        assert sparing.elements < sum(step.allocates for step in plan.program.steps) / 2
        gradients = []
        for forward in (SharedForward([plan]), sparing):
            x = image[None].clone().requires_grad_(True)
            (patch,) = forward(x.clone())
            gradients.append((patch.detach(), *torch.autograd.grad(patch.sin().sum(), x)))
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-14)
    with torch.no_grad():
        torch.testing.assert_close(next(sparing(image[None])), gradients[0][0], rtol=1e-12, atol=1e-14)


def test_a_map_within_a_bound_is_the_same_map(image: Tensor) -> None:
    network = network_with()
    free = srlens.attribute(network, image, WINDOW, steps=6)
    bound = srlens.attribute(network, image, WINDOW, steps=6, memory=enough(image))
    assert "recomputed in" in bound.evaluation
    assert np.linalg.norm(bound.map - free.map) <= 1e-9 * np.linalg.norm(free.map)
    assert bound.evaluations == 6


@pytest.mark.parametrize("proven", [False, True], ids=["unproven", "proven"])
def test_in_single_precision(proven: bool, image: Tensor) -> None:
    torch.manual_seed(5)
    network = srlens.Network.wrap(Deep().eval(), scale=2)
    full = srlens.attribute(network, image, WINDOW, steps=6, regional=False)
    if proven:  # then its plans run channels last
        assert "channels last" in srlens.attribute(network, image, WINDOW, steps=12).evaluation
    bound = srlens.attribute(network, image, WINDOW, steps=6, memory=enough(image) // 2)
    assert "recomputed in" in bound.evaluation
    assert np.linalg.norm(bound.map - full.map) <= 1e-4 * np.linalg.norm(full.map)


def test_recording_does_not_count(image: Tensor) -> None:
    """A network that cannot be recorded runs within what its full evaluation needs, and not within less."""
    torch.manual_seed(5)
    network = srlens.Network.wrap(Deep(lambda y: y + 1e-9 * torch.rand(1)).eval(), scale=2)

    def fits(memory: int, regional: bool) -> bool:
        try:
            srlens.attribute(network, image, WINDOW, steps=6, memory=memory, regional=regional)
        except OutOfMemoryError:
            return False
        return True

    sizes = [int(MAP * 1.3**k) for k in range(30)]
    least = next(size for size in sizes if fits(size, regional=False))
    assert least > MAP
    assert fits(least, regional=True)


def test_a_region_that_fits_is_not_recomputed(image: Tensor) -> None:
    body = nn.Sequential(
        *[layer for _ in range(8) for layer in (nn.Conv2d(3, 3, 3, padding=1), nn.Tanh())]
    ).double()  # fmt: skip
    network = srlens.Network.wrap(body, scale=1)
    window = srlens.Window(0, 0, 8, 8)
    free = srlens.attribute(network, image, window, steps=6)
    bound = srlens.attribute(network, image, window, steps=6, memory=35 * 3 * SIDE * SIDE * 8)
    assert bound.evaluation.startswith("regional (")
    assert "recomputed" not in bound.evaluation
    assert np.linalg.norm(bound.map - free.map) <= 1e-9 * np.linalg.norm(free.map)


def test_what_fits_nowhere_is_an_error(image: Tensor) -> None:
    with pytest.raises(OutOfMemoryError, match=r"more than memory; recomputed in \d+ segments it takes \d+ MiB. Raise"):
        srlens.attribute(network_with(), image, WINDOW, steps=6, memory=MAP)
    with pytest.raises(OutOfMemoryError, match="more than"):
        srlens.attribute(network_with(), image, WINDOW, steps=6, memory=MAP // 2, regional=False)


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        (lambda x: x * (1 if x.mean().item() > 0 else 2), "pixel values"),
        (lambda x: x * x.detach().sigmoid(), r"stops the gradient \(detach\)"),
    ],
    ids=["values", "detach"],
)
def test_what_cannot_be_divided_says_why(odd: Callable[[Tensor], Tensor], reason: str, image: Tensor) -> None:
    with pytest.raises(OutOfMemoryError, match=f"cannot be divided: .*{reason}"):
        srlens.attribute(network_with(odd), image, WINDOW, steps=6, memory=enough(image))


def test_the_bound_holds_while_it_runs() -> None:
    calls = []
    chain = nn.Sequential(*[nn.Sigmoid() for _ in range(100)])  # each keeps its own output, 4096 bytes
    chain.register_forward_hook(lambda *_: calls.append("end"))
    chain[9].register_forward_hook(lambda *_: calls.append("tenth"))
    chain[10].register_forward_hook(lambda *_: calls.append("eleventh"))
    with pytest.raises(TooLargeError), bounded(25 * 4096, nn.Identity()):
        chain(torch.rand(1, 4, 16, 16, requires_grad=True))
    assert calls == ["tenth"]


def test_overwriting_makes_no_difference_within_a_bound(image: Tensor) -> None:
    def overwriting(x: Tensor) -> Tensor:
        y = x.sigmoid()
        z = y * 2
        y.mul_(3)
        return z

    one, plain = (
        srlens.attribute(network_with(odd), image, WINDOW, steps=6, memory=2**30)
        for odd in (overwriting, lambda x: x.sigmoid() * 2)
    )
    np.testing.assert_allclose(one.map, plain.map, rtol=1e-9, atol=1e-12)
