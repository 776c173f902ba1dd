"""The training loop of the networks that ship with srlens: a trunk first, then variants that continue it."""

import argparse
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.functional import l1_loss

EMA_DECAY = 0.999
WARM_UP = 200
SAVE_EVERY = 1000


class Sampler(Protocol):
    """What draws (input, target) batches."""

    def draw(self) -> tuple[Tensor, Tensor]:
        """Draw one batch."""


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
    sampler: Callable[[int], Sampler]
    """Called with the seed."""
    seed: int


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
    sampler = stage.sampler(stage.seed)
    groups = [group for group in parameter_groups(network, stage.attention_factor) if group["params"]]
    optimiser = torch.optim.Adam(groups, lr=stage.rate, betas=(0.9, 0.99))
    average = {name: value.detach().clone() for name, value in network.state_dict().items()}
    total, counted = 0.0, 0
    for step in range(stage.steps):
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(stage, step) * group["factor"]
        given, target = sampler.draw()
        with torch.autocast("cpu", torch.bfloat16):
            output = network(given.to(memory_format=torch.channels_last))
        loss = l1_loss(output.float(), target)
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


def run(build: Mapping[str, Callable[[], nn.Module]], trunk: Stage, variant: Stage, description: str) -> None:
    """Run the stage that the command line names.

    Args:
        build: what each stage trains, by its name; ``"trunk"`` is the one that the others continue.
        trunk: settings of that one.
        variant: settings of the others.
        description: of the program.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", choices=sorted(build))
    parser.add_argument("--out", type=Path, default=Path("runs"))
    parser.add_argument("--steps", type=int)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    torch.use_deterministic_algorithms(True)
    stage = trunk if options.stage == "trunk" else variant
    if options.steps is not None:
        stage = replace(stage, steps=options.steps, horizon=options.steps)
    torch.manual_seed(stage.seed)
    network = build[options.stage]().to(memory_format=torch.channels_last)
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
