"""Randomised networks: the order of layers, what stays, what goes, and that nothing of the caller's is touched."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as nnf

import srlens
from srlens.errors import SettingError
from srlens.trust.randomisation import Randomisation, layers_in_order, randomisation

WINDOW = srlens.Window(12, 10, 8, 8)
METHOD = srlens.Method("lam", steps=3)


class Backwards(nn.Module):
    """Layers registered in another order than they are called in; one is never called as a module."""

    def __init__(self) -> None:
        super().__init__()
        self.last = nn.Conv2d(8, 3, 3, padding=1)
        self.borrowed = nn.Conv2d(8, 8, 1)
        self.first = nn.Conv2d(3, 8, 5, padding=2)
        self.middle = nn.Conv2d(8, 8, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.middle(torch.relu(self.first(x))))
        return self.last(nnf.conv2d(x, self.borrowed.weight))


class Skip(nn.Module):
    """A picture passed on as it is, plus a learnt part too weak to matter."""

    def __init__(self, strength: float) -> None:
        super().__init__()
        self.body = nn.Conv2d(3, 3, 3, padding=1)
        self.strength = strength

    def forward(self, x: Tensor) -> Tensor:
        return x + self.strength * self.body(x)


class Grows(nn.Module):
    """Larger by twenty-five powers of ten once its weights are others: its squares overflow in float32."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Conv2d(3, 3, 3, padding=1)
        self.register_buffer("trained", self.body.weight.detach()[0, 0, 0, 0].clone())

    def forward(self, x: Tensor) -> Tensor:
        same = self.body.weight[0, 0, 0, 0] == self.trained
        return self.body(x) * (1.0 if same else 1e25)


@pytest.fixture
def picture() -> Tensor:
    return torch.rand(3, 28, 30, dtype=torch.float64)


def randomised(module: nn.Module, picture: Tensor, **settings: int) -> Randomisation:
    network = srlens.Network.wrap(module, scale=1)
    true = srlens.attribute(network, picture, WINDOW, METHOD)
    return randomisation(network, picture, true, METHOD, **settings)


def test_layers_are_in_the_order_of_calls(picture: Tensor) -> None:
    network = srlens.Network.wrap(Backwards(), scale=1)
    names = {id(layer): name for name, layer in network.module.named_modules()}
    found = [[names[id(layer)] for layer in group] for group in layers_in_order(network, picture)]
    assert found == [["first"], ["middle"], ["last", "borrowed"]]


def test_the_ladder_goes_from_the_last_layer_to_the_first(picture: Tensor) -> None:
    module = Backwards()
    found = randomised(module, picture)
    assert [stage.layers for stage in found.stages] == [1, 2, 3]
    counts = [sum(w.numel() for w in layer.parameters()) for layer in (module.last, module.borrowed, module.middle)]
    every = sum(w.numel() for w in module.parameters())
    assert [stage.weights for stage in found.stages] == pytest.approx(
        [sum(counts[:2]) / every, sum(counts) / every, 1.0]
    )
    assert [stage.layers for stage in randomised(Backwards(), picture, stages=2).stages] == [2, 3]


def test_nothing_of_the_network_is_changed(picture: Tensor) -> None:
    module = Backwards().train()
    network = srlens.Network.wrap(module, scale=1)
    before, flags = network.digest, [w.requires_grad for w in module.parameters()]
    randomised(module, picture)
    assert network.digest == before
    assert module.training
    assert [w.requires_grad for w in module.parameters()] == flags
    assert not any(layer._forward_hooks for layer in module.modules())


def test_a_skip_keeps_the_map_alive_and_the_floor_says_so(picture: Tensor) -> None:
    found = randomised(Skip(1e-6), picture)
    assert found.rank_correlation[0] is not None
    assert found.floor.rank_correlation is not None
    assert min(found.rank_correlation[-1] or 0, found.floor.rank_correlation) > 0.95
    assert found.floor.ssim == pytest.approx(1, abs=1e-3)


def test_what_was_learnt_is_lost(picture: Tensor) -> None:
    """Weights that read one far pixel: shuffled, they read others."""
    module = nn.Conv2d(3, 3, 9, padding=4, bias=False)
    with torch.no_grad():
        module.weight.zero_()
        module.weight[:, :, 0, 0] = 1
    found = randomised(module, picture)
    assert found.rank_correlation[0] is not None
    assert found.rank_correlation[0] < 0.5
    again = randomised(module, picture)
    assert again.rank_correlation == found.rank_correlation
    assert randomised(module, picture, seed=1).rank_correlation != found.rank_correlation


def test_passes_are_counted(picture: Tensor) -> None:
    assert (
        randomised(Backwards(), picture).passes == 3 * 3 * 4
    )  # three nodes of three passes each; three stages, one more


def test_a_network_without_weights_has_no_test(picture: Tensor) -> None:
    with pytest.raises(SettingError, match="no weights"):
        randomised(nn.Identity(), picture)


def test_what_overflows_in_float32_is_computed_in_float64(picture: Tensor) -> None:
    found = randomised(Grows(), picture)
    assert found.rank_correlation[0] is not None
    assert found.passes == 2 * 3 * 3


def test_overflow_is_a_stage_without_a_map(picture: Tensor) -> None:
    module = nn.Conv2d(3, 3, 3, padding=1)
    network = srlens.Network.wrap(module, scale=1, forward=lambda m, x: m(x) / (m.weight[0, 0, 1, 1] == 7).float())
    with torch.no_grad():
        module.weight[0, 0, 1, 1] = 7
    true = srlens.attribute(network, picture, WINDOW, METHOD)
    found = randomisation(network, picture, true, METHOD)
    assert found.rank_correlation == (None,)
    assert found.floor.rank_correlation is None
