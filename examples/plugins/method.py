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
        noisy = (scene.image + self.noise * torch.randn(scene.image.shape, generator=random) for _ in range(self.samples))
        gradients = [scene.gradients(image[None])[0] for image in noisy]
        return srlens.Explanation(torch.stack(gradients).mean(dim=0), facts={"noise_seed": self.seed})


srlens.METHODS.add("smooth-gradient", "mean gradient of noisy copies (Smilkov et al. 2017)", SmoothGradient)
