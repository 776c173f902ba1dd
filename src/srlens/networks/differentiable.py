"""Whether gradients reach a network's input, and cures for known architectures where they do not."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from srlens.errors import NotDifferentiableError
from srlens.networks.network import Network

# Which layers stop gradients, and the flag whose other value lets them pass and computes the same.
_CURES: tuple[tuple[Callable[[nn.Module], bool], str, bool], ...] = (
    # PLKSR's partial large-kernel convolution writes in place in eval mode only.
    (lambda layer: type(layer).__name__ == "PLKConv2d", "training", True),
    # Activations that overwrite their input.
    (lambda layer: getattr(layer, "inplace", False) is True, "inplace", False),
)
_SMALLEST_PROBE = 16


def input_gradient_exists(network: Network) -> bool:
    """Run the network forward and backward once, on a small smooth picture, and see whether a gradient arrives."""
    multiple, minimum = network.padding.multiple, network.padding.minimum
    side = -(-max(minimum, _SMALLEST_PROBE) // multiple) * multiple
    try:
        with torch.inference_mode(False), torch.enable_grad():
            x = _smooth_picture(network.channels, side).to(device=network.device, dtype=network.dtype)
            x.requires_grad_(True)
            (gradient,) = torch.autograd.grad(network(x.clone()).float().sum(), x, allow_unused=True)
    except RuntimeError as error:
        if any(text in str(error) for text in _REFUSALS):
            return False
        raise
    return gradient is not None and bool((gradient != 0).any())


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
    for applies, flag, value in _CURES:
        found = [layer for layer in network.module.modules() if applies(layer)]
        for layer in found:
            setattr(layer, flag, value)
        if found and input_gradient_exists(network):
            return
    raise NotDifferentiableError(
        f"No gradient reaches the input of {network.name} ({network.family or 'unknown architecture'}): it overwrites "
        "tensors in place or detaches its input. Rewrite that part and give the module to srlens.Network.wrap."
    )
