"""Everything that is known of a network, gathered for people and for records."""

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from srlens.imaging.resample import bicubic_upscale
from srlens.networks.catalog import file_sha256, find_by_sha256
from srlens.networks.colours import COLOURS
from srlens.networks.differentiable import input_gradient_exists
from srlens.networks.frozen import frozen
from srlens.networks.network import Network

#: Side of the LR image for which multiply-adds are counted, in pixels.
COST_SIDE = 64


@dataclass(frozen=True)
class Inspection:
    """What a network is.

    Attributes:
        name: for captions.
        family: the architecture; None where unknown.
        kind: how it gathers context; None where unknown.
        paper: of the architecture; None where unknown.
        note: what a user of the architecture must know; may be empty.
        scale: SR pixels per LR pixel, as it is set.
        scales: all that this network can be set to.
        channels: input channels.
        colour: what the channels are, and what is done to an RGB image.
        value_range: the largest input value that the bare module works with.
        parameters: number of weights.
        multiply_adds: of one forward pass over an LR image of ``cost_height``×``cost_width`` pixels, in
            convolutions and matrix products (attention included; biases, norms and activations not).
        cost_height: LR pixels: 64, or the next size that the network takes.
        cost_width: LR pixels, likewise.
        multiple: LR sides are padded to a multiple of this.
        minimum: the smallest LR side, in pixels.
        dtype: of the weights, e.g. ``"float32"``.
        differentiable: a gradient reaches the input, and is not zero (tried).
        receptive_field: as a table prints it.
        receptive_field_paper: side length in the paper's convention; None = global, unknown or not countable.
        receptive_field_true: side length in true LR pixels; None = global or unknown.
        file: the file's name; None where the network came from no file.
        file_sha256: of the file, hex; None where it came from no file.
        weights_sha256: of names, types, shapes and bytes of the weights: ``Network.digest``.
        published_as: name in the catalogue of the file with that hash; None where it has none.
        published_at: the URL of that file.
    """

    name: str
    family: str | None
    kind: str | None
    paper: str | None
    note: str
    scale: int
    scales: tuple[int, ...]
    channels: int
    colour: str
    value_range: float
    parameters: int
    multiply_adds: int
    cost_height: int
    cost_width: int
    multiple: int
    minimum: int
    dtype: str
    differentiable: bool
    receptive_field: str
    receptive_field_paper: int | None
    receptive_field_true: float | None
    file: str | None
    file_sha256: str | None
    weights_sha256: str
    published_as: str | None
    published_at: str | None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def inspect_network(network: Network, path: str | os.PathLike[str] | None = None) -> Inspection:
    """Gather what is known of a network; runs it forward twice and backward once on small images.

    Args:
        network: any.
        path: the file that it was read from, for its hash and its entry in the catalogue.

    Raises:
        ModuleError: the module fails on a small image.
    """
    from srlens.networks.zoo.registry import families

    family = families().get(network.family or "")
    file = None if path is None else Path(path)
    sha256 = None if file is None else file_sha256(file)
    entry = None if sha256 is None else find_by_sha256(sha256)
    height, width = network.padding.target(*(2 * (max(COST_SIDE, network.padding.minimum),)))
    with frozen(network.module):
        differentiable = input_gradient_exists(network)
        cost = multiply_adds(network, height, width)
    same = ("name", "family", "kind", "scale", "channels", "value_range", "parameters")
    return Inspection(
        **{key: getattr(network, key) for key in same},
        paper=family.paper if family else None,
        note=family.note if family else "",
        scales=tuple(getattr(network.module, "scales", (network.scale,))),
        colour=COLOURS[network.colour][1],
        multiply_adds=cost,
        cost_height=height,
        cost_width=width,
        multiple=network.padding.multiple,
        minimum=network.padding.minimum,
        dtype=str(network.dtype).removeprefix("torch."),
        differentiable=differentiable,
        receptive_field=network.receptive_field.in_words(network.scale),
        receptive_field_paper=network.receptive_field.paper,
        receptive_field_true=network.receptive_field.true,
        file=file.name if file else None,
        file_sha256=sha256,
        weights_sha256=network.digest,
        published_as=entry.name if entry else None,
        published_at=entry.url if entry else None,
    )


def multiply_adds(network: Network, height: int, width: int) -> int:
    """Multiply-adds of one forward pass over an LR image of height×width pixels (a size that the module takes).

    Convolutions and matrix products are counted, as PyTorch's counter does (it counts two operations a
    multiply-add). Fused attention would count 0 on the CPU, so that it is run unfused here.

    Raises:
        ModuleError: the module fails on such an image.
    """
    x = torch.zeros(1, network.channels, height, width, device=network.device, dtype=network.dtype)
    given = bicubic_upscale(x, network.scale) if network.pre_upsampled else x
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), counter:
        network.run_module(given)
    return int(counter.get_total_flops()) // 2
