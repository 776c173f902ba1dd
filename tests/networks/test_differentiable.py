"""The probe for an input gradient, and its cures."""

import pytest
import torch
from torch import Tensor, nn

import srlens
from srlens.errors import NotDifferentiableError
from srlens.networks.differentiable import ensure_differentiable, input_gradient_exists


class Changed(nn.Module):
    def __init__(self, change) -> None:
        super().__init__()
        self.tail = nn.Conv2d(3, 12, 3, padding=1)
        self.change = change

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.pixel_shuffle(self.tail(self.change(x)), 2)


def network(change) -> srlens.Network:
    return srlens.Network.wrap(Changed(change).eval().requires_grad_(False), scale=2)


REFUSED = {
    "detach": lambda x: x.detach(),
    "no_grad": torch.no_grad()(lambda x: x * 2),
    "numpy": lambda x: torch.from_numpy(x.numpy()),
    "rounding": lambda x: (x * 255).round() / 255,
    "inference mode": torch.inference_mode()(lambda x: x * 2),
    "in place": lambda x: x.sigmoid().mul_(2).sigmoid_().mul_(3),
}


@pytest.mark.parametrize("change", REFUSED.values(), ids=REFUSED)
def test_no_gradient(change) -> None:
    assert not input_gradient_exists(network(change))
    if change is REFUSED["in place"]:  # what it overwrites is kept for it
        ensure_differentiable(network(change))
        return
    with pytest.raises(NotDifferentiableError, match=r"Changed .*Rewrite that part"):
        ensure_differentiable(network(change))


ACCEPTED = {
    "plain": lambda x: x,
    "overwrites its input": lambda x: x.mul_(2),
    "grows beyond float32 on noise": lambda x: x.exp().exp().exp().exp() * 1e3,
    "straight through": lambda x: x + ((x * 255).round() / 255 - x).detach(),
}


@pytest.mark.parametrize("change", ACCEPTED.values(), ids=ACCEPTED)
def test_gradient(change) -> None:
    assert input_gradient_exists(network(change))


def test_errors_of_the_module_are_its_own() -> None:
    def broken(x: Tensor) -> Tensor:
        raise RuntimeError("my own affair")

    with pytest.raises(RuntimeError, match="my own affair"):
        input_gradient_exists(network(broken))


def test_inplace_activations_are_cured_without_changing_the_output() -> None:
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.head = nn.Conv2d(3, 12, 3, padding=1)
            self.act = nn.LeakyReLU(0.1, inplace=True)

        def forward(self, x: Tensor) -> Tensor:
            gate = self.head(x).sigmoid()
            return nn.functional.pixel_shuffle(self.act(gate) - 0.5, 2)  # overwrites what the sigmoid needs

    module = Block().eval().requires_grad_(False)
    wrapped = srlens.Network.wrap(module, scale=2)
    x = torch.rand(1, 3, 9, 9)
    before = wrapped(x)
    assert not input_gradient_exists(wrapped)
    ensure_differentiable(wrapped)
    assert input_gradient_exists(wrapped)
    assert torch.equal(wrapped(x), before)


def test_layers_that_write_in_place_in_eval_mode_only_are_cured() -> None:
    class PLKConv2d(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(1, 1, 3, padding=1)

        def forward(self, x: Tensor) -> Tensor:
            if self.training:
                a, b = x[:, :1], x[:, 1:]
                return torch.cat([self.conv(a), b], dim=1)
            x[:, :1] = self.conv(x[:, :1])
            return x

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = PLKConv2d()

        def forward(self, x: Tensor) -> Tensor:
            y = x.sigmoid()
            return nn.functional.interpolate(self.layer(y) * 1.0, scale_factor=2)

    wrapped = srlens.Network.wrap(Net().eval().requires_grad_(False), scale=2)
    x = torch.rand(1, 3, 9, 9)
    before = wrapped(x)
    ensure_differentiable(wrapped)
    assert torch.equal(wrapped(x), before)
    assert not wrapped.module.training
    image = torch.rand(3, 12, 12)
    assert srlens.attribute(wrapped, image, srlens.Window(8, 8, 6, 6), steps=2).map.any()


@pytest.mark.parametrize("multiple", [1, 7, 32])
def test_probe_respects_sizes_and_channels(multiple: int) -> None:
    class Demanding(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            assert x.shape[1] == 5
            assert x.shape[-1] % multiple == 0
            assert x.shape[-1] >= 20
            return nn.functional.interpolate(x, scale_factor=2)

    wrapped = srlens.Network.wrap(Demanding(), scale=2, channels=5, multiple=multiple, minimum=20)
    with torch.no_grad():
        assert input_gradient_exists(wrapped)
