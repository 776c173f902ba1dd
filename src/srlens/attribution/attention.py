"""The verb: read a network's cross-attention for one window of its output."""

from dataclasses import replace
from functools import cache
from math import isqrt
from typing import Any

import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from srlens.attribution.attention_maps import AttentionMaps, LayerAttention, Map
from srlens.attribution.scene import Progress
from srlens.errors import NoAttentionError
from srlens.imaging.check import check_image
from srlens.imaging.window import Window
from srlens.measures.imacs import footprint
from srlens.networks.attention_watch import AttentionWatch, recording
from srlens.networks.frozen import frozen
from srlens.networks.network import Network
from srlens.networks.sampled import SampledModule

_GROUPS = 5  # of steps, as in the paper


def attention(
    network: Network, image: Tensor | ArrayLike, window: Window, *, progress: Progress | None = None
) -> AttentionMaps:
    """Read the cross-attention of a network between its output and the LR picture (I2AM).

    One forward pass; what is kept does not grow with the steps. Layers count that are told from self-attention by what
    they are given to read, and whose queries and keys are a grid over the picture; those that read text are left out.

    Args:
        network: sampled or not; its ``scaled_dot_product_attention`` is recorded.
        image: the LR image, C×h×w in [0, 1].
        window: in SR pixels.
        progress: called with (steps done, steps).

    Raises:
        NoAttentionError: no layer counts.
        WindowError: the window does not fit.
    """
    given = network.prepare(check_image(image))[None]
    height, width = given.shape[-2:]
    window.check_inside(height * network.scale, width * network.scale)
    module = network.module
    steps = module.steps if isinstance(module, SampledModule) else 1
    groups = min(_GROUPS, steps)
    padded_height, padded_width = network.padding.apply(given).shape[-2:]
    padded = padded_height, padded_width

    @cache
    def weights(queries: int, keys: int) -> Tensor | None:
        asked, read = grid_of(queries, *padded), grid_of(keys, *padded)
        if asked is None or read is None:
            return None
        top, left, bottom, right = window.on_lr(network.scale)
        rows, columns = asked[0] / padded[0], asked[1] / padded[1]
        inside = footprint((top * rows, left * columns, bottom * rows, right * columns), *asked)
        return torch.from_numpy(inside / inside.sum()).flatten()

    watch = AttentionWatch(groups, weights)
    counts = [0] * groups

    def forward(module: nn.Module, x: Tensor) -> Any:
        if not isinstance(module, SampledModule):
            counts[0] = 1
            return network.forward(module, x)
        condition = module.sampler.condition(x, module.noise)
        for index, latent in enumerate(module.latents(condition)):  # noqa: B007
            if progress is not None:
                progress(index, steps)
            if index < steps:
                watch.group = index * groups // steps
                counts[watch.group] += 1
        return module.sampler.end(latent, condition)

    with torch.no_grad(), frozen(module), recording(module, watch):
        replace(network, forward=forward)(given)
    if not watch.sums:
        raise NoAttentionError(
            f"{network.name} has no cross-attention whose keys are places of the picture: it is concatenated to the "
            "latent, as in diffusers' super-resolution pipelines, or not read by attention at all. A local attribution "
            "map needs none: srlens.attribute(network, image, window)."
        )

    def mean(sums: Tensor) -> Map:
        rows, columns = grid_of(sums.shape[-1], *padded) or (1, sums.shape[-1])
        over: Map = (sums / torch.tensor(counts)[:, None, None]).reshape(groups, -1, rows, columns).numpy()
        return over

    layers = tuple(
        LayerAttention(name, mean(sums.sram), mean(sums.g2r), mean(sums.r2g)) for name, sums in watch.sums.items()
    )
    seed = module.seed if isinstance(module, SampledModule) else None
    return AttentionMaps(network.name, window, network.scale, (height, width), padded, seed, tuple(counts), layers)


def grid_of(count: int, height: int, width: int) -> tuple[int, int] | None:
    """Rows and columns of so many places, evenly over a picture of height×width; None where they are no such grid."""
    rows = isqrt(count * height // width)
    columns = isqrt(count * width // height)
    return (rows, columns) if rows * columns == count and rows * width == columns * height else None
