"""What becomes of the gradient on its way back through the steps of a sampled network, and which clamps stop it."""

from dataclasses import dataclass, replace

import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from srlens.attribution.detector import Detector, find_detector
from srlens.errors import SettingError
from srlens.imaging.check import check_image
from srlens.imaging.window import Window
from srlens.networks.clamps import Clamp, watched
from srlens.networks.frozen import frozen
from srlens.networks.network import Network
from srlens.networks.sampled import SampledModule, sampled_module


@dataclass(frozen=True)
class SamplerReport:
    """One gradient of one window through a sampler.

    Attributes:
        seed: of the noise.
        gradient_norms: L2 norm of the detector's gradient by the latent before the first step and after each, ``steps``
            + 1 numbers in units of the detector; None where the latent has no gradient (see :func:`srlens.last_steps`).
        image_norm: likewise by the LR image, in all the ways that lead to it.
        clamps: every clamp that stops the gradient anywhere, in the order in which it was met.
    """

    seed: int
    gradient_norms: tuple[float | None, ...]
    image_norm: float
    clamps: tuple[Clamp, ...]


def sampler_report(
    network: Network, image: Tensor | ArrayLike, window: Window, detector: str | Detector = "gradient"
) -> SamplerReport:
    """Measure the gradient's norm at every step, and find the clamps that stop it, at the image itself.

    Args:
        network: one that samples.
        image: the LR image, C×h×w in [0, 1].
        window: in SR pixels.
        detector: one that reads the window alone.

    Raises:
        SettingError: the network does not sample, or the detector reads more than the window.
        WindowError: the window does not fit.
    """
    sampled_module(network)
    asked = find_detector(detector)
    if asked.reads:
        raise SettingError(f"The detector {asked.name!r} reads {' and '.join(asked.reads)}; take one that does not.")
    given = network.prepare(check_image(image))[None]
    height, width = (side * network.scale for side in given.shape[-2:])
    window.check_inside(height, width)
    read = window.grown(asked.margin, height, width)
    latents: list[Tensor] = []
    with frozen(network.module), watched() as watch:

        def forward(module: nn.Module, x: Tensor) -> Tensor:
            assert isinstance(module, SampledModule)
            condition = module.sampler.condition(x, module.noise)
            watch.stage = "step 1"
            for index, latent in enumerate(module.latents(condition)):
                # Noise, or what steps without a gradient left: a leaf, whose gradient is asked for all the same.
                latents.append(latent.requires_grad_(index >= module.first) if latent.is_leaf else latent)
                watch.stage = f"step {index + 1}" if index < module.steps else "output"
            return module.sampler.end(latents[-1], condition)

        x = given.to(network.device, network.dtype).requires_grad_(True)
        patch = read.crop(replace(network, forward=forward)(x))
        count = len(watch.found)  # steps that are computed again meet the same clamps
        reached = [one for one in latents if one.requires_grad]
        by_image, *by_latent = torch.autograd.grad(asked.measure(patch).sum(), [x, *reached], allow_unused=True)
    norms = [None if one is None else float(one.norm()) for one in by_latent]
    return SamplerReport(
        seed=sampled_module(network).seed,
        gradient_norms=(*[None] * (len(latents) - len(reached)), *norms),
        image_norm=0.0 if by_image is None else float(by_image.norm()),
        clamps=tuple(one for one in watch.found[:count] if one.share > 0),
    )
