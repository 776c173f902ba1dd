"""Networks made to mislead: a window is evaluated by itself only where that gives what the whole network gives."""

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import srlens

SIDE = 24
STATE = SimpleNamespace(gain=1.5)


class Clamped(torch.autograd.Function):
    """Bright pixels are cut, and its derivative does not know."""

    @staticmethod
    def forward(_, x):
        return x.clamp(max=0.45)

    @staticmethod
    def backward(_, gradient):
        return gradient


class Body(nn.Module):
    """A trunk with something odd in it, and a tail that windows can be cut from."""

    def __init__(self, odd: Callable[["Body", Tensor], Tensor]) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.odd = odd
        self.first = nn.Conv2d(3, 8, 3, padding=1)
        self.other = nn.Conv2d(8, 8, 3, padding=1)
        self.last = nn.Sequential(nn.Conv2d(8, 12, 3, padding=1), nn.PixelShuffle(2))
        self.hidden = torch.zeros((), dtype=torch.float64)
        self.calls = 0
        self.double()

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.odd(self, self.first(x)).tanh())


def by_closure() -> Callable[[Body, Tensor], Tensor]:
    gain = 2.0
    return lambda _, y: y * gain


def by_numpy(_: Body, y: Tensor) -> Tensor:
    return y * float(y.detach().numpy().mean() + 1)


def by_array(_: Body, y: Tensor) -> Tensor:
    return y * torch.from_numpy(np.asarray(y.detach()).mean((2, 3), keepdims=True) + 1)


def by_list(_: Body, y: Tensor) -> Tensor:
    return y * (1 + sum(y.mean((2, 3)).tolist()[0]))


def by_item(_: Body, y: Tensor) -> Tensor:
    return y * (1 + y.mean().item())


def by_experts(body: Body, y: Tensor) -> Tensor:
    chosen = y.mean((0, 2, 3)).topk(4).indices.tolist()
    return y + body.other(y)[:, chosen].mean(1, keepdim=True)


def by_threshold(body: Body, y: Tensor) -> Tensor:
    return body.other(y) if y.mean() > y.median() else y


def by_mask(_: Body, y: Tensor) -> Tensor:
    return torch.where(y > y.mean(), y, y * 0.1)


def straight_through(_: Body, y: Tensor) -> Tensor:
    return y + (y.clamp(0, 0.3) - y).detach()


def straight_through_without(_: Body, y: Tensor) -> Tensor:
    with torch.no_grad():
        change = y.round() - y
    return y + change


def straight_through_data(_: Body, y: Tensor) -> Tensor:
    return y + (y.clamp(0, 0.3) - y).data


def noisy(_: Body, y: Tensor) -> Tensor:
    return y + 0.1 * torch.randn_like(y)


def stateful(body: Body, y: Tensor) -> Tensor:
    result = y + body.hidden
    body.hidden = body.hidden + y.mean().detach()
    return result


def counting(body: Body, y: Tensor) -> Tensor:
    body.calls += 1
    return y * (1 + 0.1 * body.calls)


def mixing(_: Body, y: Tensor) -> Tensor:
    return (y - y.mean()) / y.std()


def merging(body: Body, y: Tensor) -> Tensor:
    with torch.no_grad():
        body.other.weight.data = body.other.weight.data.clone()
    return body.other(y)


def hooked(_: Body, y: Tensor) -> Tensor:
    z = y * 1.5
    if z.requires_grad:
        z.register_hook(lambda gradient: gradient.clamp(-1e-3, 1e-3))
    return z


def by_global(_: Body, y: Tensor) -> Tensor:
    return y * STATE.gain


def writing(_: Body, y: Tensor) -> Tensor:
    z = y * 2
    z[:, :4] = z[:, 4:].sigmoid()
    return z


OPERATORS_ALONE = {"closure", "global", "mask", "mixing"}
RANDOM = {"noisy", "stateful", "counting"}
ODD = {
    "closure": by_closure(),
    "global": by_global,
    "NumPy": by_numpy,
    "array": by_array,
    "list": by_list,
    "item": by_item,
    "experts": by_experts,
    "threshold": by_threshold,
    "mask": by_mask,
    "straight-through function": lambda _, y: Clamped.apply(y),
    "straight-through detach": straight_through,
    "straight-through no_grad": straight_through_without,
    "straight-through data": straight_through_data,
    "hook": hooked,
    "mixing": mixing,
    "merging": merging,
    "writing": writing,
    "noisy": noisy,
    "stateful": stateful,
    "counting": counting,
}
WINDOWS = [srlens.Window(4, 4, 8, 8), srlens.Window(20, 30, 6, 6), srlens.Window(38, 0, 10, 8)]


def pictures() -> list[Tensor]:
    """Bright dots on dark ground, and a picture of all levels."""
    generator = torch.Generator().manual_seed(5)
    dots = torch.full((3, SIDE, SIDE), 0.2, dtype=torch.float64)
    dots[:, ::5, ::4] = 0.95
    return [dots, torch.rand(3, SIDE, SIDE, generator=generator, dtype=torch.float64)]


@pytest.mark.filterwarnings("ignore::srlens.UnsteadyNetworkWarning", "ignore::srlens.IncompleteWarning")
@pytest.mark.parametrize("picture", [0, 1])
@pytest.mark.parametrize("name", ODD)
def test_a_window_is_that_of_the_whole_network_or_is_not_used(name: str, picture: int) -> None:
    network = srlens.Network.wrap(Body(ODD[name]).eval(), scale=2)
    image = pictures()[picture]
    explainer = srlens.Explainer(network, image, steps=8)
    results = [*(explainer.window(window) for window in WINDOWS), *explainer.windows(WINDOWS)]
    for window, one in zip(WINDOWS * 2, results, strict=True):
        if name in RANDOM:
            assert one.evaluation.startswith("full (")
        assert one.evaluation.startswith("regional") or name not in OPERATORS_ALONE
        if one.evaluation.startswith("regional"):
            full = srlens.attribute(network, image, window, steps=8, regional=False)
            assert np.linalg.norm(one.map - full.map) <= 1e-9 * np.linalg.norm(full.map)


@pytest.mark.parametrize("change", ["attribute", "closure", "method"])
def test_a_record_ends_with_the_call(change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    gain = 0.05
    body = Body(by_global if change == "attribute" else lambda _, y: y * gain)
    network = srlens.Network.wrap(body.eval(), scale=2)
    image = pictures()[1]
    before = srlens.attribute(network, image, WINDOWS[0], steps=8)
    assert before.evaluation.startswith("regional")
    if change == "attribute":
        monkeypatch.setattr(STATE, "gain", 0.4)
    elif change == "closure":
        gain = 0.4
    else:
        monkeypatch.setattr(Body, "forward", lambda self, x: self.last(self.first(x)))
    after = srlens.attribute(network, image, WINDOWS[0], steps=8)
    full = srlens.attribute(network, image, WINDOWS[0], steps=8, regional=False)
    assert np.linalg.norm(after.map - full.map) <= 1e-9 * np.linalg.norm(full.map)
    assert np.linalg.norm(after.map - before.map) > 1e-3 * np.linalg.norm(full.map)
