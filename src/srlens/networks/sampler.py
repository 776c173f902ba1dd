"""What an iterative or diffusion network is made of: a condition, a latent, steps; and its noise, fixed by a seed."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

Condition = tuple[Tensor, ...]


@dataclass(frozen=True)
class Noise:
    """White Gaussian noise of one seed: the same whenever it is asked for, for every picture of a batch.

    Each draw has a random generator of its own, so that a step that is computed again draws what it drew before.
    """

    seed: int

    def __call__(self, draw: int, like: Tensor) -> Tensor:
        """Standard normal numbers of the shape, type and place of ``like`` (N×…); ``draw``, at least 0, says which."""
        # Always drawn as float32 on the CPU: one noise on every device and in every type.
        return torch.randn(1, *like.shape[1:], generator=self.generator(draw)).to(like).expand_as(like)

    def generator(self, draw: int) -> torch.Generator:
        """A new random generator, on the CPU, for what draws by itself."""
        state = np.random.SeedSequence((self.seed, draw)).generate_state(1, np.uint64)
        return torch.Generator().manual_seed(int(state[0] >> np.uint64(1)))


class Sampler(nn.Module, ABC):
    """A network that goes from noise, or from a first guess, to its output in steps; subclass it for your own.

    Everything random comes from the noise that is handed in.

    Attributes:
        steps: how many.
        random: whether it draws any noise.
    """

    steps: int
    random: bool = True

    @abstractmethod
    def condition(self, image: Tensor, noise: Noise) -> Condition:
        """What the steps read of the input N×C×h×w; computed once."""

    @abstractmethod
    def begin(self, condition: Condition, noise: Noise) -> Tensor:
        """The latent before the first step, of N pictures."""

    @abstractmethod
    def step(self, latent: Tensor, index: int, condition: Condition, noise: Noise) -> Tensor:
        """The latent after step ``index``, 0 to ``steps`` − 1."""

    @abstractmethod
    def end(self, latent: Tensor, condition: Condition) -> Tensor:
        """The output N×C'×sh×sw."""
