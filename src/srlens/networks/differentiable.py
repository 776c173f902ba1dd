"""Whether gradients reach a network's input, and cures for known architectures where they do not."""

from contextlib import nullcontext

import torch
from torch import Tensor

from srlens.errors import ModuleError, NotDifferentiableError
from srlens.networks.network import Network

# LR pixels a side; the second is for modules that say nothing of the sizes that they take.
_FIRST_PROBE, _SECOND_PROBE = 16, 64


def input_gradient_exists(network: Network, *, mutating: bool = False) -> bool:
    """Run the network forward and backward once, on a small smooth picture, and see whether a gradient arrives.

    Args:
        network: in eval mode, its weights frozen.
        mutating: whether it may overwrite what its gradient needs, which is kept for it then.

    Raises:
        ModuleError: the module fails, on a larger picture too.
    """
    allowed = torch.autograd.graph.allow_mutation_on_saved_tensors() if mutating else nullcontext()
    try:
        with torch.inference_mode(False), torch.enable_grad(), allowed:
            try:
                gradient = _gradient(network, _FIRST_PROBE)
            except ModuleError:
                gradient = _gradient(network, _SECOND_PROBE)
    except RuntimeError as error:
        if any(text in str(error) for text in _REFUSALS):
            return False
        raise
    return gradient is not None and bool((gradient != 0).any())


def _gradient(network: Network, least: int) -> Tensor | None:
    side, _ = network.padding.target(*[max(network.padding.minimum, least)] * 2)
    x = _smooth_picture(network.channels, side).to(device=network.device, dtype=network.dtype).requires_grad_(True)
    return torch.autograd.grad(network(x.clone()).float().sum(), x, allow_unused=True)[0]


# How torch refuses: in-place writes; detached, no_grad or NumPy; inference mode.
_REFUSALS = ("inplace", "in-place", "does not require grad", "that requires grad", "nference tensor")


def _smooth_picture(channels: int, side: int) -> Tensor:
    """1×C×side×side in [0.25, 0.75]: a smooth wave, since noise drives some networks (PAN) out of float32's range."""
    axis = torch.linspace(0, 3, side)
    wave = torch.sin(axis[:, None]) * torch.cos(2 * axis[None, :])
    return (0.5 + 0.25 * wave).expand(1, channels, side, side).clone()


def ensure_differentiable(network: Network) -> None:
    """Apply the known cures, in place and only as far as needed, until a gradient reaches the input.

    Raises:
        NotDifferentiableError: no cure helps.
    """
    if input_gradient_exists(network):
        return
    overwriting = [layer for layer in network.module.modules() if getattr(layer, "inplace", False) is True]
    for layer in overwriting:
        setattr(layer, "inplace", False)  # noqa: B010 - a name that nn.Module does not know
    if not (overwriting and input_gradient_exists(network)) and not input_gradient_exists(network, mutating=True):
        raise NotDifferentiableError(
            f"No gradient reaches the input of {network.name} ({network.family or 'unknown architecture'}): it "
            "detaches its input, rounds it or leaves torch. Rewrite that part, and give the module to "
            "srlens.Network.wrap."
        )
