"""Whether gradients reach a network's input, and cures for known architectures where they do not."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from srlens.errors import NotDifferentiableError
from srlens.networks.network import Network


def _train_partial_convolutions(module: nn.Module) -> bool:
    """PLKSR's partial large-kernel convolution writes in place in eval mode only; both modes compute the same."""
    found = [m for m in module.modules() if type(m).__name__ == "PLKConv2d"]
    for layer in found:
        layer.training = True
    return bool(found)


def _disable_inplace(module: nn.Module) -> bool:
    """Activations that overwrite their input compute the same out of place."""
    found = [m for m in module.modules() if getattr(m, "inplace", False) is True]
    for layer in found:
        layer.inplace = False  # type: ignore[assignment]
    return bool(found)


_CURES: tuple[Callable[[nn.Module], bool], ...] = (_train_partial_convolutions, _disable_inplace)
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
    for cure in _CURES:
        if cure(network.module) and input_gradient_exists(network):
            return
    raise NotDifferentiableError(
        f"No gradient reaches the input of {network.name} ({network.family or 'unknown architecture'}): it overwrites "
        "tensors in place or detaches its input. Rewrite that part and give the module to srlens.Network.wrap."
    )
