"""Train the diffusion network that ships with srlens.

::

    python training/train_diffusion.py --out runs

Its encoder is the shipped ``plain`` network and stays as it is. ``OUT/diffusion.safetensors`` holds the exponential
moving average of the weights; it is written again at every checkpoint. ``--minutes`` ends the training early, with
the learning rate that the last steps have: the time decides, not a score. No picture outside the scikit-image wheel is
read.
"""

import argparse
import math
import time
from pathlib import Path

import torch
from photographs import PairSampler
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn.functional import mse_loss, pixel_unshuffle

from srlens.networks import zoo
from srlens.networks.zoo.smalldiffusion import SCALE, UNIT, SmallDiffusion, enlarge

STEPS = 20_000
RATE, LAST_RATE = 2e-3, 1e-5
WARM_UP = 100
EMA_DECAY = 0.999
SAVE_EVERY = 100
BATCH, SIDE = 8, 28
SOFT_SHARE = 0.0
SEED = 3
ENCODER = Path(zoo.__file__).parents[1] / "weights" / "plain.safetensors"


def loss_of(network: SmallDiffusion, lr: Tensor, hr: Tensor, random: torch.Generator) -> Tensor:
    """Mean squared error of v at one random angle for each pair, in units."""
    residual = pixel_unshuffle(hr - enlarge(lr), SCALE) / UNIT
    angle = math.pi / 2 * torch.rand(len(lr), generator=random)
    cos, sin = angle.cos()[:, None, None, None], angle.sin()[:, None, None, None]
    noise = torch.randn(residual.shape, generator=random)
    with torch.autocast("cpu", torch.bfloat16):
        velocity = network.velocity(cos * residual + sin * noise, angle, network.encode(lr))
    return mse_loss(velocity.float(), cos * noise - sin * residual)


def rate_at(progress: float, step: int) -> float:
    """Learning rate: half a cosine over the whole training, of which ``progress`` in [0, 1] is over."""
    return min(1.0, (step + 1) / WARM_UP) * (LAST_RATE + (RATE - LAST_RATE) * 0.5 * (1 + math.cos(math.pi * progress)))


def main() -> None:
    """Train as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs"))
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--minutes", type=float, default=math.inf)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)

    torch.set_num_threads(options.threads)
    torch.manual_seed(SEED)
    network = SmallDiffusion()
    network.encoder.load_state_dict(load_file(ENCODER))
    network.encoder.requires_grad_(False)
    sampler, random = PairSampler(SIDE, BATCH, SEED, SOFT_SHARE), torch.Generator().manual_seed(SEED)
    optimiser = torch.optim.Adam([p for p in network.parameters() if p.requires_grad], lr=RATE, betas=(0.9, 0.99))
    average = {name: value.detach().clone() for name, value in network.state_dict().items()}
    start, total, counted = time.perf_counter(), 0.0, 0
    for step in range(options.steps):
        minutes = (time.perf_counter() - start) / 60
        progress = min(1.0, max(step / options.steps, minutes / options.minutes))
        optimiser.param_groups[0]["lr"] = rate_at(progress, step)
        loss = loss_of(network, *sampler.draw(), random)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it unannotated
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        decay = min(EMA_DECAY, (step + 1) / (step + 10))
        for name, value in network.state_dict().items():
            average[name].lerp_(value, 1 - decay)
        total, counted = total + loss.item(), counted + 1
        if (step + 1) % SAVE_EVERY == 0 or step + 1 == options.steps or progress == 1:
            save_file(average, options.out / "diffusion.safetensors")
            print(f"{step + 1} loss {total / counted:.5f} {minutes:.1f} min", flush=True)
            total, counted = 0.0, 0
        if progress == 1:
            break


if __name__ == "__main__":
    main()
