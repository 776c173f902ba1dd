"""The diffusion index while a network trains
==========================================

A callback explains one window every few steps. It leaves the training as it was, bit for bit: weights, gradients, modes
and random numbers.
"""

import matplotlib.pyplot as plt
import torch
from torch import nn

import srlens


def upscaler() -> nn.Module:
    torch.manual_seed(0)
    layers = [nn.Conv2d(3, 16, 5, padding=2), nn.ReLU(), nn.Conv2d(16, 16, 5, padding=2, dilation=1), nn.ReLU()]
    return nn.Sequential(*layers, nn.Conv2d(16, 48, 5, padding=2), nn.PixelShuffle(4))


clean = srlens.open_image("hopper")
lr = srlens.make_lr(clean, 4)
watched = srlens.make_lr(srlens.open_image("pagoda"), 4)[:, 16:48, 16:48]


def train(steps: int, every: int | None) -> tuple[nn.Module, list[tuple[int, float]]]:
    """Train on random crops; explain a window every few steps, or never."""
    module, seen = upscaler(), []
    optimiser = torch.optim.Adam(module.parameters(), lr=2e-3)
    random = torch.Generator().manual_seed(1)
    for step in range(steps + 1):
        if every and step % every == 0:
            network = srlens.Network.wrap(module, scale=4)
            result = srlens.attribute(network, watched, srlens.Window(56, 56, 16, 16), steps=8)
            seen.append((step, result.diffusion_index))
        top, left = (int(torch.randint(0, 64 - 24, (), generator=random)) for _ in range(2))
        x = lr[None, :, top : top + 24, left : left + 24]
        y = clean[None, :, 4 * top : 4 * (top + 24), 4 * left : 4 * (left + 24)]
        optimiser.zero_grad()
        (module(x) - y).abs().mean().backward()
        optimiser.step()
    return module, seen


module, seen = train(200, every=20)
figure, axes = plt.subplots(figsize=(5, 3), layout="constrained")
axes.plot(*zip(*seen, strict=True), marker="o")
axes.set(xlabel="training step", ylabel="diffusion index (LR 32×32)")
figure

# %%
# Without the callback the weights come out the same, to the last bit.

other, _ = train(200, every=None)
print(all(torch.equal(a, b) for a, b in zip(module.parameters(), other.parameters(), strict=True)))
