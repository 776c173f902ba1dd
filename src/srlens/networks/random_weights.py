"""A network before training: what its architecture alone does, as a reference for what its weights add."""

from copy import deepcopy
from dataclasses import replace

import torch

from srlens.networks.network import Network


def with_random_weights(network: Network, seed: int = 0) -> Network:
    """The same architecture with weights drawn anew, the given network stays as it is.

    Each layer draws its weights as PyTorch initialises it (``reset_parameters``: of convolutions and linear layers,
    uniform by their fan-in; of normalisations, 1 and 0). Values that no layer draws (factors, tables of attention,
    weights under weight normalisation) are put in random order.

    Args:
        network: any network.
        seed: of the random numbers, which are drawn on the CPU: the same on every device.
    """
    device = network.device
    module = deepcopy(network.module).cpu()
    before = {name: value.detach().clone() for name, value in module.named_parameters()}
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        for layer in module.modules():
            if callable(draw := getattr(layer, "reset_parameters", None)):
                draw()
        for name, value in module.named_parameters():
            if torch.equal(value, before[name]):
                value.copy_(value.flatten()[torch.randperm(value.numel())].view_as(value))
    return replace(network, module=module.to(device), name=f"{network.name}, random weights")
