"""Does the map depend on what was learnt? Weights re-drawn from the last layer to the first (Adebayo et al. 2018)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from srlens.attribution.method import Method
from srlens.attribution.result import Attribution
from srlens.attribution.scene import Progress
from srlens.errors import NotFiniteError, SettingError
from srlens.imaging.check import whole
from srlens.measures.agreement import rank_correlation, structural_similarity
from srlens.networks.frozen import frozen
from srlens.networks.network import Network
from srlens.trust.maps import maps_of, passes_of


@dataclass(frozen=True)
class Likeness:
    """How alike two maps are.

    Attributes:
        rank_correlation: Spearman's, of the absolute maps over the LR pixels where either is not zero, in [−1, 1]; None
            where a map is zero everywhere, the same everywhere, or not finite.
        ssim: structural similarity of the absolute maps as they are drawn (cube root of the map divided by its
            maximum), at most 1; None likewise, and for maps below 11×11 LR pixels.
    """

    rank_correlation: float | None
    ssim: float | None


@dataclass(frozen=True)
class RandomisationStage(Likeness):
    """The map of a partly randomised network beside the true one.

    Attributes:
        layers: layers whose weights are re-drawn, counted from the output.
        weights: share of all weights that these are, in (0, 1].
    """

    layers: int
    weights: float


@dataclass(frozen=True)
class Randomisation:
    """The ladder of randomised networks: a map that explains what was learnt loses its likeness along it.

    Attributes:
        stages: from the last layers alone to all layers.
        floor: two independent networks, all of whose weights are re-drawn, against each other: what image, path and
            skip connections alone make alike. A stage down at the floor keeps nothing of what was learnt; above 0 the
            floor says that rank correlations of maps do not start there.
        layers: of the network, those that hold weights.
        method: of the maps of randomised networks.
        seed: of the new weights.
        passes: forward passes taken, a gradient counted as three.
    """

    stages: tuple[RandomisationStage, ...]
    floor: Likeness
    layers: int
    method: Method
    seed: int
    passes: int

    @property
    def rank_correlation(self) -> tuple[float | None, ...]:
        """With the true map, one a stage."""
        return tuple(stage.rank_correlation for stage in self.stages)

    @property
    def ssim(self) -> tuple[float | None, ...]:
        """With the true map, one a stage."""
        return tuple(stage.ssim for stage in self.stages)

    def record(self) -> dict[str, Any]:
        """Plain values that JSON can hold."""
        return {
            "stages": [vars(stage).copy() for stage in self.stages],
            "floor": vars(self.floor).copy(),
            "layers": self.layers,
            "method": self.method.to_record(),
            "seed": self.seed,
            "passes": self.passes,
        }


def randomisation(
    network: Network,
    image: Tensor,
    true: Attribution,
    method: Method,
    *,
    clean: Tensor | ArrayLike | None = None,
    stages: int = 5,
    seed: int = 0,
    memory: int | None = None,
    progress: Progress | None = None,
) -> Randomisation:
    """Re-draw the weights from the last layer to the first, cumulatively, and compare each map with the true one.

    Every weight tensor is re-drawn from its own distribution: its entries are shuffled. The initialiser of somebody
    else's module is not known, and another scale of the weights would let layers fade or grow, which says nothing about
    the map. Deep networks may grow all the same: what overflows is computed again in float64, and a stage that
    overflows there has no map. Of a scalar weight nothing is left to draw. The network itself is never changed.

    Args:
        network: what was explained.
        image: the LR image, C×h×w in [0, 1].
        true: the map of the trained network.
        method: of the randomised networks' maps; that of ``true``, or the same with fewer nodes.
        clean: the clean picture, for detectors that read it.
        stages: of about equally many layers; fewer where the network has fewer layers.
        seed: of the new weights.
        memory: see :class:`srlens.Explainer`.
        progress: called with (maps done, all of them).

    Raises:
        SettingError: the network has no weights.
    """
    whole("stages", stages)
    layers = layers_in_order(network, image)
    if not layers:
        raise SettingError(f"{network.name} has no weights that could be re-drawn: leave out the randomisation test.")
    every = sum(_count(group) for group in layers)
    copy, other = network.to(), network.to()
    (copied, others) = (_counterparts(network.module, one.module, layers) for one in (copy, other))
    passes = 0
    steps = np.array_split(np.arange(len(layers))[::-1], min(stages, len(layers)))
    generator = torch.Generator().manual_seed(seed)

    def explained(one: Network, done: int) -> Attribution | None:
        nonlocal passes
        wide = [] if one.dtype == torch.float64 or one.device.type == "mps" else [torch.float64]
        result: Attribution | None = None
        for dtype in (one.dtype, *wide):
            try:
                tried = one if dtype == one.dtype else one.to(dtype=dtype)
                (result,) = maps_of(tried, image, [true.window], method, clean=clean, memory=memory)
            except NotFiniteError:
                continue
            passes += passes_of(result)
            break
        if progress is not None:
            progress(done, len(steps) + 1)
        return result

    ladder: list[RandomisationStage] = []
    drawn, last = 0, None
    for step in steps:
        for number in step:
            _redraw(copied[number], generator)
            drawn += _count(layers[number])
        last = explained(copy, len(ladder) + 1)
        ladder.append(
            RandomisationStage(**vars(likeness(true, last)), layers=len(layers) - int(step[-1]), weights=drawn / every)
        )
    for group in others:
        _redraw(group, generator)
    floor = likeness(last, explained(other, len(steps) + 1))
    return Randomisation(tuple(ladder), floor, len(layers), method, seed, passes)


def likeness(a: Attribution | None, b: Attribution | None) -> Likeness:
    """Of two maps of one LR image; None for one that is not finite.

    Ranks are those among the pixels where either map is not zero: far outside a receptive field both are zero by
    architecture, and any two maps would be alike there.
    """
    if a is None or b is None or a.is_zero or b.is_zero:
        return Likeness(None, None)
    there = (a.absolute > 0) | (b.absolute > 0)
    first, second = (one.absolute[there][None] for one in (a, b))
    ranked = np.ptp(first) > 0 and np.ptp(second) > 0
    return Likeness(rank_correlation(first, second) if ranked else None, structural_similarity(a.map, b.map))


def layers_in_order(network: Network, image: Tensor) -> list[list[nn.Module]]:
    """The layers that hold weights of their own, in the order in which the network last calls them.

    A layer that is never called as a module (its weights are used by the one around it, or not at all) goes with the
    one registered before it.
    """
    holding = [layer for layer in network.module.modules() if any(True for _ in layer.parameters(recurse=False))]
    called: list[nn.Module] = []
    handles = [layer.register_forward_hook(lambda layer, *_: called.append(layer)) for layer in holding]
    try:
        with torch.no_grad(), frozen(network.module):
            network(network.prepare(image)[None].to(network.device, network.dtype))
    finally:
        for handle in handles:
            handle.remove()
    last = {id(layer): place for place, layer in enumerate(called)}
    groups: list[list[nn.Module]] = []
    for layer in holding:
        if not groups or (id(layer) in last and id(groups[-1][0]) in last):
            groups.append([layer])
        elif id(layer) in last:  # those before it are never called
            groups[-1].insert(0, layer)
        else:
            groups[-1].append(layer)
    return sorted(groups, key=lambda group: last.get(id(group[0]), 0))


def _counterparts(module: nn.Module, copy: nn.Module, layers: list[list[nn.Module]]) -> list[list[nn.Module]]:
    """The same layers of a copy."""
    names = {id(layer): name for name, layer in module.named_modules()}
    return [[copy.get_submodule(names[id(layer)]) for layer in group] for group in layers]


def _count(layers: list[nn.Module]) -> int:
    return sum(weight.numel() for layer in layers for weight in layer.parameters(recurse=False))


def _redraw(layers: list[nn.Module], generator: torch.Generator) -> None:
    """Shuffle the entries of each weight tensor."""
    with torch.no_grad():
        for layer in layers:
            for weight in layer.parameters(recurse=False):
                order = torch.randperm(weight.numel(), generator=generator).to(weight.device)
                weight.copy_(weight.flatten()[order].view_as(weight))
