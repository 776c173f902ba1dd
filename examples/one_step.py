"""A diffusion network of one step: the code of a VAE, one call of a UNet at a fixed time, decoding."""

from typing import Any

from torch import Tensor, nn

import srlens


class OneStep(srlens.Sampler):
    """N×3×h×w in [0, 1] to N×3×4h×4w.

    Args:
        vae: an ``AutoencoderKL``.
        unet: a ``UNet2DModel``, or one that reads a prompt: call it with ``encoder_hidden_states`` then.
        time: at which the UNet is called.
        kept: ᾱ of that time, the scheduler's ``alphas_cumprod[time]``.
        drawn: whether the code is drawn from the VAE's posterior, with the fixed noise; else it is its mode.
    """

    steps = 1

    def __init__(self, vae: Any, unet: Any, *, time: int, kept: float, drawn: bool = False) -> None:
        super().__init__()
        self.vae, self.unet, self.time, self.kept, self.random = vae, unet, time, kept, drawn

    def condition(self, image: Tensor, noise: srlens.Noise) -> tuple[Tensor, ...]:
        large = nn.functional.interpolate(2 * image - 1, scale_factor=4, mode="bicubic")
        code = self.vae.encode(large).latent_dist
        latent = code.mean + code.std * noise(0, code.mean) if self.random else code.mode()
        return (latent * self.vae.config.scaling_factor,)

    def begin(self, condition: tuple[Tensor, ...], noise: srlens.Noise) -> Tensor:
        return condition[0]

    def step(self, latent: Tensor, index: int, condition: tuple[Tensor, ...], noise: srlens.Noise) -> Tensor:
        predicted = self.unet(latent, self.time).sample
        return (latent - (1 - self.kept) ** 0.5 * predicted) / self.kept**0.5

    def end(self, latent: Tensor, condition: tuple[Tensor, ...]) -> Tensor:
        return self.vae.decode(latent / self.vae.config.scaling_factor).sample / 2 + 0.5
