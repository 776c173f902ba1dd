"""Any function that samples, as a sampler of one step."""
# ruff: noqa: ARG002 - a sampler need not use all that it is handed

from collections.abc import Callable

import torch
from torch import Tensor, nn

from srlens.networks.sampler import Condition, Noise, Sampler


class CalledSampler(Sampler):
    """A function or module that goes from N×C×h×w to its output and draws from torch's random generator.

    It is called with one picture at a time, the generator seeded anew for each, so that every picture of a batch meets
    the same noise; the process's own random numbers go on. Its steps are not known, so that none can be recomputed.
    """

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.steps = 1
        self.function = function if not isinstance(function, nn.Module) else None
        self.module = function if isinstance(function, nn.Module) else None

    def condition(self, image: Tensor, noise: Noise) -> Condition:
        """The image."""
        return (image,)

    def begin(self, condition: Condition, noise: Noise) -> Tensor:
        """Nothing: the function makes its own."""
        return torch.zeros_like(condition[0][:, :0])

    def step(self, latent: Tensor, index: int, condition: Condition, noise: Noise) -> Tensor:
        """All of it."""
        return torch.cat([self._call(image, noise.seed) for image in torch.split(condition[0], 1)])

    def end(self, latent: Tensor, condition: Condition) -> Tensor:
        """What the function returned."""
        return latent

    def _call(self, image: Tensor, seed: int) -> Tensor:
        function = self.module if self.function is None else self.function
        assert function is not None
        with torch.random.fork_rng([image.device] if image.device.type == "cuda" else []):
            torch.manual_seed(seed)
            output: Tensor = function(image)
            return output
