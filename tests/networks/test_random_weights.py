"""Networks before training: every weight is drawn anew, by its seed, and the trained network stays as it was."""

import pytest
import torch
from torch import nn

from srlens.networks.network import Network
from srlens.networks.open import load_default
from srlens.networks.random_weights import with_random_weights
from srlens.networks.zoo.smfanet import SMFANet


class Factors(nn.Module):
    """A layer under weight normalisation, a normalisation, and factors that no layer draws."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.utils.parametrizations.weight_norm(nn.Conv2d(3, 12, 3, padding=1))
        self.norm = nn.BatchNorm2d(12)
        self.factor = nn.Parameter(torch.linspace(0.1, 1, 12).reshape(1, 12, 1, 1))
        nn.init.uniform_(self.norm.weight)
        nn.init.uniform_(self.norm.bias)
        self.norm.running_mean.fill_(3.0)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.pixel_shuffle(self.factor * self.norm(self.conv(x)), 2)


def weights(network):
    return {name: value.clone() for name, value in network.module.state_dict().items()}


@pytest.mark.parametrize("make", [lambda: Network.wrap(Factors(), scale=2), lambda: load_default("channel")])
def test_every_weight_is_another_and_the_given_network_stays(make):
    network = make()
    before = weights(network)
    drawn = with_random_weights(network)
    assert all(torch.equal(value, before[name]) for name, value in weights(network).items())
    same = [name for name, value in drawn.module.named_parameters() if torch.equal(value, before[name])]
    assert same == []
    assert drawn.name == f"{network.name}, random weights"
    assert drawn.digest != network.digest
    assert not torch.equal(drawn(torch.rand(1, 3, 12, 12)), network(torch.rand(1, 3, 12, 12)))


def test_normalisations_start_anew_and_factors_are_shuffled():
    module = Factors()
    drawn = with_random_weights(Network.wrap(module, scale=2)).module
    assert torch.equal(drawn.norm.weight, torch.ones(12))
    assert torch.equal(drawn.norm.running_mean, torch.zeros(12))
    assert torch.equal(drawn.factor.flatten().sort().values, module.factor.flatten())


def test_the_seed_decides_and_nothing_else_draws():
    network = Network.wrap(SMFANet(), scale=4)
    state = torch.get_rng_state()
    one, two, other = (with_random_weights(network, seed).digest for seed in (0, 0, 1))
    assert one == two != other
    assert torch.equal(torch.get_rng_state(), state)
