"""Train the networks that ship with srlens.

::

    python training/train_default.py trunk --out runs
    python training/train_default.py plain --out runs      # these three continue the trunk,
    python training/train_default.py channel --out runs    # on the same draws
    python training/train_default.py nonlocal --out runs

Each stage writes ``OUT/STAGE.safetensors``, the exponential moving average of the weights. ``--steps``
shortens a stage for a trial. No picture outside the scikit-image wheel is read, and none is used to choose a
checkpoint: the last average is the result.
"""

import argparse
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from photographs import PairSampler
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.functional import l1_loss

from srlens.networks.zoo.smallsr import WIDTH, ChannelAttention, NonLocalAttention, SmallSR


def plain() -> SmallSR:
    """Build the trunk alone: convolutions, a bounded receptive field."""
    return SmallSR(lambda _: nn.Identity())


def channel() -> SmallSR:
    """Build the trunk with global-average-pooling channel attention in each block."""
    return SmallSR(lambda _: ChannelAttention(WIDTH, hidden=WIDTH))


def nonlocal_() -> SmallSR:
    """Build the trunk with non-local attention over the whole image in every second block."""
    return SmallSR(lambda i: NonLocalAttention(WIDTH, embedding=WIDTH // 2) if i % 2 else nn.Identity())


BUILD = {"trunk": plain, "plain": plain, "channel": channel, "nonlocal": nonlocal_}
EMA_DECAY = 0.999
WARM_UP = 200
SAVE_EVERY = 1000


@dataclass(frozen=True)
class Stage:
    """Settings of one stage; the learning rate falls from ``rate`` to ``last_rate`` along half a cosine."""

    steps: int
    horizon: int
    """Step at which ``last_rate`` would be reached; beyond ``steps`` where a stage hands on before."""
    rate: float
    last_rate: float
    attention_factor: float
    """Learning rate of the attention, over that of the trunk: it starts at zero gain and has less time."""
    lr_size: int
    batch: int
    soft_share: float
    seed: int


TRUNK = Stage(
    steps=6_000,
    horizon=12_000,
    rate=1.5e-3,
    last_rate=5e-4,
    attention_factor=1.0,
    lr_size=32,
    batch=16,
    soft_share=0.0,
    seed=1,
)
# Larger patches of differing sharpness: attention over the whole image has little to learn from a patch that
# the trunk sees whole, or from pictures that are all alike.
VARIANT = Stage(
    steps=5_000,
    horizon=5_000,
    rate=1e-3,
    last_rate=0.0,
    attention_factor=3.0,
    lr_size=48,
    batch=8,
    soft_share=0.5,
    seed=2,
)


def learning_rate(stage: Stage, step: int) -> float:
    """Learning rate of the trunk at ``step``."""
    cosine = 0.5 * (1 + math.cos(math.pi * step / stage.horizon))
    return min(1.0, (step + 1) / WARM_UP) * (stage.last_rate + (stage.rate - stage.last_rate) * cosine)


def parameter_groups(network: nn.Module, factor: float) -> list[dict[str, object]]:
    """Split the parameters: the trunk at the learning rate itself, the attention at ``factor`` times it."""
    named = list(network.named_parameters())
    return [
        {"params": [value for name, value in named if ".attention." not in name], "factor": 1.0},
        {"params": [value for name, value in named if ".attention." in name], "factor": factor},
    ]


def train(network: nn.Module, stage: Stage) -> Iterator[tuple[int, float, dict[str, Tensor]]]:
    """Train; yield (step, mean loss, averaged weights) every ``SAVE_EVERY`` steps and at the end."""
    sampler = PairSampler(stage.lr_size, stage.batch, stage.seed, stage.soft_share)
    groups = [group for group in parameter_groups(network, stage.attention_factor) if group["params"]]
    optimiser = torch.optim.Adam(groups, lr=stage.rate, betas=(0.9, 0.99))
    average = {name: value.detach().clone() for name, value in network.state_dict().items()}
    total, counted = 0.0, 0
    for step in range(stage.steps):
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(stage, step) * group["factor"]
        lr, hr = sampler.draw()
        with torch.autocast("cpu", torch.bfloat16):
            sr = network(lr.to(memory_format=torch.channels_last))
        loss = l1_loss(sr.float(), hr)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it unannotated
        optimiser.step()
        decay = min(EMA_DECAY, (step + 1) / (step + 10))
        for name, value in network.state_dict().items():
            average[name].lerp_(value, 1 - decay)
        total, counted = total + loss.item(), counted + 1
        if (step + 1) % SAVE_EVERY == 0 or step + 1 == stage.steps:
            yield step + 1, total / counted, average
            total, counted = 0.0, 0


def main() -> None:
    """Run one stage."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", choices=sorted(BUILD))
    parser.add_argument("--out", type=Path, default=Path("runs"))
    parser.add_argument("--steps", type=int)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    torch.use_deterministic_algorithms(True)
    stage = TRUNK if options.stage == "trunk" else VARIANT
    if options.steps is not None:
        stage = replace(stage, steps=options.steps, horizon=options.steps)
    torch.manual_seed(stage.seed)
    network = BUILD[options.stage]().to(memory_format=torch.channels_last)
    if options.stage != "trunk":
        absent, unexpected = network.load_state_dict(load_file(options.out / "trunk.safetensors"), strict=False)
        assert not unexpected
        assert all(".attention." in name for name in absent)

    options.out.mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()
    for step, loss, average in train(network, stage):
        weights = {name: value.contiguous() for name, value in average.items()}
        save_file(weights, options.out / f"{options.stage}.safetensors")
        print(f"{options.stage} {step} loss {loss:.6f} {time.perf_counter() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
