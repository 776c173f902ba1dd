"""A method: the mean gradient of noisy copies of the image (SmoothGrad; Smilkov et al. 2017)."""

from dataclasses import dataclass

import torch

import srlens


@dataclass(frozen=True)
class SmoothGradient(srlens.Algorithm):
    samples: int = 16
    noise: float = 0.02
    seed: int = 0

    def explain(self, scene: srlens.Scene) -> srlens.Explanation:
        scene.expect(self.samples)
        random = torch.Generator().manual_seed(self.seed)
        noise = self.noise * torch.randn(self.samples, *scene.image.shape, generator=random)
        gradients = [scene.gradients((scene.image + one)[None])[0] for one in noise]
        return srlens.Explanation(torch.stack(gradients).mean(dim=0), facts={"noise_seed": self.seed})


srlens.METHODS.add("smooth-gradient", "mean gradient of noisy copies (Smilkov et al. 2017)", SmoothGradient)
