"""diffusers' super-resolution pipelines as samplers: what their ``__call__`` computes, step by step, with gradients.

Restated after diffusers 0.42: a pipeline itself runs without gradients and draws its noise as it goes. The clamp to
[0, 1] that ends each of them is left out, as of every network here: where it binds it would stop the gradient.
"""
# ruff: noqa: ARG002 - a sampler need not use all that it is handed

import inspect
from copy import deepcopy
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from srlens.errors import SettingError
from srlens.imaging.check import whole
from srlens.networks.sampler import Condition, Noise, Sampler

# Schedulers that carry on what they computed before; a step that is computed again for its gradient would add to it.
_HISTORY = ("model_outputs", "ets", "derivatives", "prev_derivative")
_LATENT, _PICTURE, _FIRST_STEP = 0, 1, 2  # which draw of the noise is for what


class Guidance(NamedTuple):
    """How a prompt guides: the empty one does not, whatever the weight, since both halves would be the same."""

    prompt: str = ""
    weight: float = 9.0

    @property
    def works(self) -> bool:
        """Whether the UNet computes every step twice, with and without the prompt."""
        return bool(self.prompt) and self.weight > 1


class PipelineSampler(Sampler):
    """What the three have in common.

    Attributes:
        scale: SR pixels per LR pixel.
        multiple: LR sides must be multiples of this.
    """

    scale: int
    multiple: int
    unet: Any
    decoder: Any

    def __init__(self, pipeline: Any, decoder: Any, steps: int) -> None:
        super().__init__()
        self.steps = whole("steps", steps)
        self.unet, self.decoder, self.scheduler = pipeline.unet, decoder, deepcopy(pipeline.scheduler)
        name = type(self.scheduler).__name__
        if self.scheduler.order != 1 or any(hasattr(self.scheduler, kept) for kept in _HISTORY):
            raise SettingError(
                f"{name} carries earlier steps along, so that no step can be computed again for its gradient. Give the "
                "pipeline another: pipeline.scheduler = diffusers.DDIMScheduler.from_config(pipeline.scheduler.config)."
            )
        self.scheduler.set_timesteps(self.steps, device=pipeline.device)
        if len(self.scheduler.timesteps) != self.steps:
            raise SettingError(f"{name} makes {len(self.scheduler.timesteps)} steps where steps={steps}; try fewer.")
        self.multiple = 2 ** (len(self.unet.config.block_out_channels) - 1)
        self._random = "generator" in inspect.signature(self.scheduler.step).parameters

    def step(self, latent: Tensor, index: int, condition: Condition, noise: Noise) -> Tensor:
        """One step of the scheduler."""
        self.scheduler._step_index = index  # some count on their own, and would count a repeated step twice
        predicted = self.predict(latent, index, condition)
        # A generator for each picture, in one state: all of a batch meet the same noise.
        options = {"generator": [noise.generator(_FIRST_STEP + index) for _ in latent]} if self._random else {}
        after: Tensor = self.scheduler.step(predicted, self.scheduler.timesteps[index], latent, **options).prev_sample
        return after

    def predict(self, latent: Tensor, index: int, condition: Condition) -> Tensor:
        """What the UNet predicts, in the scheduler's terms."""
        raise NotImplementedError

    def end(self, latent: Tensor, condition: Condition) -> Tensor:
        """Decode, to [0, 1] terms."""
        decoded: Tensor = self.decoder.decode(latent / getattr(self.decoder.config, "scaling_factor", 1)).sample
        return 0.5 * decoded + 0.5

    def _noise(self, noise: Noise, like: Tensor, channels: int) -> Tensor:
        latent = like.new_empty(len(like), channels, *like.shape[-2:])
        return noise(_LATENT, latent) * float(self.scheduler.init_noise_sigma)


class UpscaleSampler(PipelineSampler):
    """StableDiffusionUpscalePipeline: the LR picture, with noise of a level, is concatenated to the latent."""

    embeds: Tensor

    def __init__(self, pipeline: Any, steps: int, guidance: Guidance, noise_level: int) -> None:
        super().__init__(pipeline, pipeline.vae, steps)
        self.low_res_scheduler, self.guidance = pipeline.low_res_scheduler, guidance
        self.noise_level = whole("noise_level", noise_level, 0)
        self.scale = _enlargement(pipeline.vae)
        with torch.no_grad():
            given, without = pipeline.encode_prompt(guidance.prompt, pipeline.device, 1, guidance.works)[:2]
        self.register_buffer("embeds", torch.cat([without, given]) if guidance.works else given)

    def condition(self, image: Tensor, noise: Noise) -> Condition:
        """The LR picture in [−1, 1], with its noise."""
        picture, level = 2 * image - 1, torch.tensor([self.noise_level], device=image.device)
        noisy: Tensor = self.low_res_scheduler.add_noise(picture, noise(_PICTURE, picture), level)
        return (noisy,)

    def begin(self, condition: Condition, noise: Noise) -> Tensor:
        """Noise."""
        return self._noise(noise, condition[0], self.decoder.config.latent_channels)

    def predict(self, latent: Tensor, index: int, condition: Condition) -> Tensor:
        """The noise, or v."""
        time, doubled = self.scheduler.timesteps[index], len(self.embeds)
        given = torch.cat([self.scheduler.scale_model_input(latent, time), condition[0]], dim=1).repeat(
            doubled, 1, 1, 1
        )
        levels = torch.full((len(given),), self.noise_level, dtype=torch.long, device=latent.device)
        embeds = self.embeds.repeat_interleave(len(latent), dim=0)
        predicted: Tensor = self.unet(given, time, encoder_hidden_states=embeds, class_labels=levels).sample
        return _guided(predicted, self.guidance)


class LatentUpscaleSampler(PipelineSampler):
    """StableDiffusionLatentUpscalePipeline: the VAE's code of the LR picture, enlarged by two, stands by the latent."""

    embeds: Tensor
    pooled: Tensor
    scale = 2

    def __init__(self, pipeline: Any, steps: int, guidance: Guidance) -> None:
        super().__init__(pipeline, pipeline.vae, steps)
        self.guidance = guidance
        self.multiple *= _enlargement(pipeline.vae)
        with torch.no_grad():
            given, without, pooled, pooled_without = pipeline.encode_prompt(
                guidance.prompt, pipeline.device, guidance.works
            )
        self.register_buffer("embeds", torch.cat([without, given]) if guidance.works else given)
        self.register_buffer("pooled", torch.cat([pooled_without, pooled]) if guidance.works else pooled)

    def condition(self, image: Tensor, noise: Noise) -> Condition:
        """The VAE's code, drawn with the fixed noise, enlarged."""
        code = self.decoder.encode(2 * image - 1).latent_dist
        drawn = (code.mean + code.std * noise(_PICTURE, code.mean)) * self.decoder.config.scaling_factor
        return (nn.functional.interpolate(drawn, scale_factor=2, mode="nearest"),)

    def begin(self, condition: Condition, noise: Noise) -> Tensor:
        """Noise."""
        return self._noise(noise, condition[0], self.decoder.config.latent_channels)

    def predict(self, latent: Tensor, index: int, condition: Condition) -> Tensor:
        """The clean latent, by the preconditioning of Karras et al. (2022), brought to the scheduler's terms."""
        time, sigma, doubled = self.scheduler.timesteps[index], self.scheduler.sigmas[index], len(self.embeds)
        given = torch.cat([self.scheduler.scale_model_input(latent, time), condition[0]], dim=1).repeat(
            doubled, 1, 1, 1
        )
        pooled = torch.cat([torch.ones_like(self.pooled[:, :1]).expand(-1, 64),
                            torch.zeros_like(self.pooled[:, :1]).expand(-1, 64), self.pooled], dim=1)  # fmt: skip
        predicted = self.unet(
            given,
            sigma.log() * 0.25,
            encoder_hidden_states=self.embeds.repeat_interleave(len(latent), dim=0),
            timestep_cond=pooled.repeat_interleave(len(latent), dim=0),
        ).sample[:, :-1]  # the last channel is a variance that is not used
        scaled = self.scheduler.scale_model_input(sigma, time) * predicted
        return _guided(latent.repeat(doubled, 1, 1, 1) / (sigma**2 + 1) + scaled, self.guidance)


class LatentDiffusionSampler(PipelineSampler):
    """LDMSuperResolutionPipeline: the LR picture is concatenated to the latent, which a VQ-VAE decodes.

    The decoder rounds every place of the latent to its codebook and hands the gradient through as if it did not
    (straight-through), so that maps are not complete; without the rounding they are.
    """

    def __init__(self, pipeline: Any, steps: int, rounded: bool) -> None:
        super().__init__(pipeline, pipeline.vqvae, steps)
        self.rounded = rounded
        self.scale = _enlargement(pipeline.vqvae)

    def condition(self, image: Tensor, noise: Noise) -> Condition:
        """The LR picture in [−1, 1]."""
        return (2 * image - 1,)

    def begin(self, condition: Condition, noise: Noise) -> Tensor:
        """Noise."""
        return self._noise(noise, condition[0], self.unet.config.in_channels // 2)

    def predict(self, latent: Tensor, index: int, condition: Condition) -> Tensor:
        """The noise."""
        time = self.scheduler.timesteps[index]
        given = self.scheduler.scale_model_input(torch.cat([latent, condition[0]], dim=1), time)
        predicted: Tensor = self.unet(given, time).sample
        return predicted

    def end(self, latent: Tensor, condition: Condition) -> Tensor:
        """Decode; the VQ-VAE of this pipeline takes the latent unscaled."""
        decoded: Tensor = self.decoder.decode(latent, force_not_quantize=not self.rounded).sample
        return decoded / 2 + 0.5


def sampler_of(
    pipeline: Any, *, steps: int, prompt: str, guidance: float, noise_level: int, rounded: bool
) -> PipelineSampler:
    """The sampler of a pipeline; see :meth:`srlens.Network.from_pipeline`.

    Raises:
        SettingError: a pipeline of another kind, a scheduler that cannot repeat a step, a value out of range.
    """
    # By name, so that nothing of diffusers is imported where there is no pipeline of it.
    names = {one.__name__ for one in type(pipeline).__mro__}
    guided = Guidance(prompt, guidance)
    if "StableDiffusionUpscalePipeline" in names:
        return UpscaleSampler(pipeline, steps, guided, noise_level)
    if "StableDiffusionLatentUpscalePipeline" in names:
        return LatentUpscaleSampler(pipeline, steps, guided)
    if "LDMSuperResolutionPipeline" in names:
        return LatentDiffusionSampler(pipeline, steps, rounded)
    raise SettingError(
        f"{type(pipeline).__name__} is none of the pipelines that are known: StableDiffusionUpscalePipeline, "
        "StableDiffusionLatentUpscalePipeline, LDMSuperResolutionPipeline. For another, write its steps as a "
        "srlens.Sampler and use Network.from_sampler."
    )


def _enlargement(decoder: Any) -> int:
    return int(2 ** (len(decoder.config.block_out_channels) - 1))


def _guided(predicted: Tensor, guidance: Guidance) -> Tensor:
    """Classifier-free guidance (Ho & Salimans 2022); diffusers has the half without the prompt first."""
    if not guidance.works:
        return predicted
    without, prompted = predicted.chunk(2)
    return without + guidance.weight * (prompted - without)
