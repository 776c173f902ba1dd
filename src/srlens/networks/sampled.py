"""A sampler as a module: the noise fixed by a seed, steps recomputed for the gradient instead of kept."""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint, set_checkpoint_early_stop

from srlens.errors import SettingError
from srlens.imaging.check import whole
from srlens.networks.network import Network
from srlens.networks.sampler import Noise, Sampler


class SampledModule(nn.Module):
    """N×C×h×w to the sampler's output N×C'×sh×sw: deterministic and differentiable.

    Args:
        sampler: used as it stands, never copied.
        seed: of the noise, at least 0; every picture of a batch gets the same.
        last: the gradient goes through so many last steps only, and through the condition that they read; None for all.
            The output is the same; the map then tells what those steps read, and is not complete.
        checkpointed: each step is computed again for the gradient, so that memory hardly grows with their number.
    """

    def __init__(self, sampler: Sampler, seed: int = 0, last: int | None = None, checkpointed: bool = True) -> None:
        super().__init__()
        self.sampler = sampler
        self.seed = whole("seed", seed, 0)
        self.last = None if last is None else whole("last", last)
        self.checkpointed = checkpointed

    def with_seed(self, seed: int) -> "SampledModule":
        """The same sampler, with other noise."""
        return SampledModule(self.sampler, seed, self.last, self.checkpointed)

    @property
    def steps(self) -> int:
        """How many steps the sampler takes."""
        return self.sampler.steps

    @property
    def first(self) -> int:
        """The first step that the gradient goes through, from 0."""
        return 0 if self.last is None else max(0, self.steps - self.last)

    def forward(self, x: Tensor) -> Tensor:
        """Sample N×C×h×w."""
        condition = self.sampler.condition(x, self.noise)
        *_, latent = deque(self.latents(condition), maxlen=1)
        return self.sampler.end(latent, condition)

    @property
    def noise(self) -> Noise:
        """Of the seed."""
        return Noise(self.seed)

    def latents(self, condition: tuple[Tensor, ...]) -> Iterator[Tensor]:
        """The latent before the first step and after each, ``steps`` + 1 of them, of a condition of the sampler."""
        first = self.first
        with torch.set_grad_enabled(torch.is_grad_enabled() and first == 0):
            latent = self.sampler.begin(condition, self.noise)
        yield latent
        for index in range(self.steps):
            with torch.set_grad_enabled(torch.is_grad_enabled() and index >= first):
                latent = self._step(latent, index, condition)
            yield latent

    def _step(self, latent: Tensor, index: int, condition: tuple[Tensor, ...]) -> Tensor:
        if not (self.checkpointed and torch.is_grad_enabled()):
            return self.sampler.step(latent, index, condition, self.noise)
        # To its end: torch stops early by an exception, which a step with a network inside would take for an error.
        # Nothing is drawn from the process's generators, whose state need not be kept.
        with set_checkpoint_early_stop(False):
            kept: Tensor = checkpoint(
                self.sampler.step, latent, index, condition, self.noise, use_reentrant=False, preserve_rng_state=False
            )
        return kept


def sampled_module(network: Network) -> SampledModule:
    """The module of a network that samples.

    Raises:
        SettingError: it does not.
    """
    if not isinstance(network.module, SampledModule):
        raise SettingError(
            f"{network.name} draws no noise and takes no steps. Make a sampled network with "
            "srlens.Network.from_sampler or srlens.Network.from_pipeline."
        )
    return network.module


def samples(network: Network) -> bool:
    """Whether a network draws noise and takes steps."""
    return isinstance(network.module, SampledModule)


def with_noise(network: Network, seed: int) -> Network:
    """A network that samples with the noise of that seed, at least 0; any other as it is."""
    return network.seeded(seed) if samples(network) else network


def last_steps(network: Network, last: int | None) -> Network:
    """The same sampled network with the gradient through so many last steps only; None: all of them.

    Raises:
        SettingError: a value out of range, or the network does not sample.
    """
    module = sampled_module(network)
    return replace(network, module=SampledModule(module.sampler, module.seed, last, module.checkpointed))


def sampling_facts(network: Network) -> dict[str, int | None]:
    """For records: steps, seed (where it draws noise) and last steps of a network that samples; nothing of another."""
    module = network.module
    if not isinstance(module, SampledModule):
        return {}
    seed = {"seed": module.seed} if module.sampler.random else {}
    return {"sampler_steps": module.steps, **seed, "last_steps": module.last}


def sampling_in_words(facts: Mapping[str, Any]) -> list[str]:
    """:func:`sampling_facts`, or whatever holds them, for conditions: the steps, and last the seed of what is drawn."""
    steps, last, seed = (facts.get(key) for key in ("sampler_steps", "last_steps", "seed"))
    told = [] if steps is None else [f"sampler of {steps} step{'s' * (steps != 1)}"]
    told += [] if last is None else [f"gradient through the last {last} only"]
    return told if seed is None else [*told, f"seed {seed}"]
