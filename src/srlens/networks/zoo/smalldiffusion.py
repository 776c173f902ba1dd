"""SmallDiffusion, the architecture of the shipped diffusion network: conditional, ×4, small enough for one CPU core.

It diffuses what bicubic enlargement lacks, as SRDiff does (Li et al., 2022, arXiv 2104.14951), folded to 48 channels
on the LR grid. A SmallSR of convolutions encodes the LR picture, which the steps read in two ways: concatenated to the
latent, pixel by pixel, and by cross-attention whose keys are places of the LR picture.
"""
# ruff: noqa: ARG002 - a sampler need not use all that it is handed

import math

import torch
from torch import Tensor, nn

from srlens.networks.checkpoint import StateDict
from srlens.networks.cross_attention import SpatialCrossAttention, pixel_norm
from srlens.networks.receptive_field import GLOBAL
from srlens.networks.sampled import SampledModule
from srlens.networks.sampler import Condition, Noise, Sampler
from srlens.networks.zoo.family import Family, own_facts
from srlens.networks.zoo.layers import convolution
from srlens.networks.zoo.smallsr import SCALE, SmallSR

WIDTH, DEEP = 48, 64
HEADS = 4
TIME = 64
STEPS = 12

#: One unit of the latent, in [0, 1] terms: about the error of the encoder's estimate where pictures have detail.
UNIT = 0.06


class Block(nn.Module):
    """A residual block of two 3×3 convolutions, scaled and shifted per channel by the time of the step."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.expand, self.reduce = convolution(width, width), convolution(width, width)
        self.time = nn.Linear(TIME, 2 * width)
        nn.init.zeros_(self.reduce.weight)
        nn.init.zeros_(self.reduce.bias)  # type: ignore[arg-type]  # a bias is there by default

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        """Refine ``x`` (N×C×h×w) at ``time`` (N×TIME)."""
        scale, shift = self.time(time)[..., None, None].chunk(2, dim=1)
        inside = self.expand(nn.functional.silu(pixel_norm(x)))
        refined: Tensor = self.reduce(nn.functional.silu(inside * (1 + scale) + shift))
        return x + refined


class SmallDiffusion(Sampler):
    """A conditional diffusion network for RGB, sampled by DDIM without added noise (Song et al., 2021, η = 0).

    Takes N×3×h×w in [0, 1] with h, w even and ≥ 8; gives N×3×4h×4w, about [0, 1]: nothing is clamped. The latent at
    angle φ is cos φ · r + sin φ · ε of the residual r and noise ε; the network predicts v = cos φ · ε − sin φ · r
    (Salimans & Ho 2022). Angles go from π/2 to 0 in equal steps.
    """

    def __init__(self, steps: int = STEPS) -> None:
        super().__init__()
        self.steps = steps
        self.encoder = SmallSR(lambda _: nn.Identity())
        folded, features = 3 * SCALE**2, self.encoder.head.out_channels
        self.time = nn.Sequential(nn.Linear(TIME, TIME), nn.SiLU(), nn.Linear(TIME, TIME), nn.SiLU())
        self.entry = convolution(2 * folded + features + 3, WIDTH)
        self.keys = nn.Conv2d(features, DEEP, 4, stride=2, padding=1)
        self.first = Block(WIDTH)
        self.down = nn.Conv2d(WIDTH, DEEP, 4, stride=2, padding=1)
        self.deep = nn.ModuleList(Block(DEEP) for _ in range(2))
        self.attend = nn.ModuleList(SpatialCrossAttention(DEEP, DEEP, HEADS) for _ in range(2))
        self.up = nn.Sequential(convolution(DEEP, 4 * WIDTH), nn.PixelShuffle(2))
        self.last = Block(WIDTH)
        self.exit = convolution(WIDTH, folded)
        nn.init.zeros_(self.exit.weight)
        nn.init.zeros_(self.exit.bias)  # type: ignore[arg-type]  # a bias is there by default

    def condition(self, image: Tensor, noise: Noise) -> Condition:
        """What :meth:`encode` finds; nothing of it is random."""
        return self.encode(image)

    def encode(self, image: Tensor) -> Condition:
        """The LR picture, the encoder's features, its estimate of the residual in units, and what keys are made of."""
        encoder = self.encoder
        shallow = encoder.head(image)
        features = shallow + encoder.body(shallow)
        return image, features, encoder.tail(features) / UNIT, self.keys(features)

    def velocity(self, latent: Tensor, angle: Tensor, condition: Condition) -> Tensor:
        """Predict v of N×48×h×w at N angles in [0, π/2]."""
        image, features, estimate, keys = condition
        time = self.time(embedding(angle))
        outer = self.first(self.entry(torch.cat([latent, estimate, features, image], dim=1)), time)
        inner = self.down(outer)
        for block, attention in zip(self.deep, self.attend, strict=True):
            inner = attention(block(inner, time), keys)
        learnt: Tensor = self.exit(pixel_norm(self.last(outer + self.up(inner), time)))
        # What a residual of one unit around the estimate would make best; the rest is learnt.
        return learnt - torch.sin(angle)[:, None, None, None] * estimate

    def begin(self, condition: Condition, noise: Noise) -> Tensor:
        """Noise alone."""
        return noise(0, condition[2])

    def step(self, latent: Tensor, index: int, condition: Condition, noise: Noise) -> Tensor:
        """One DDIM step: the same residual and noise, at the next angle."""
        now, then = (math.pi / 2 * (1 - at / self.steps) for at in (index, index + 1))
        velocity = self.velocity(latent, latent.new_full(latent.shape[:1], now), condition)
        return math.cos(now - then) * latent - math.sin(now - then) * velocity

    def end(self, latent: Tensor, condition: Condition) -> Tensor:
        """Bicubic enlargement plus the residual, unfolded."""
        return enlarge(condition[0]) + UNIT * nn.functional.pixel_shuffle(latent, SCALE)


def enlarge(image: Tensor) -> Tensor:
    """Enlarge N×3×h×w by bicubic interpolation, as SmallSR does."""
    return nn.functional.interpolate(image, scale_factor=SCALE, mode="bicubic", align_corners=False)


def embedding(angle: Tensor) -> Tensor:
    """Sines and cosines of N angles: N×TIME."""
    waves = angle[:, None] * torch.arange(1, TIME // 2 + 1, device=angle.device, dtype=angle.dtype)
    return torch.cat([waves.sin(), waves.cos()], dim=1)


class SampledSmallDiffusion(SampledModule):
    """:class:`SmallDiffusion` as it is opened: seed 0, all steps."""

    scale, channels = SCALE, 3

    def __init__(self) -> None:
        super().__init__(SmallDiffusion())


def _named(state: StateDict) -> StateDict:
    return {f"sampler.{key}": value for key, value in state.items()}


FAMILY = Family(
    **own_facts("SmallDiffusion"), build=lambda _: SampledSmallDiffusion(), receptive_field=GLOBAL, translate=_named
)
