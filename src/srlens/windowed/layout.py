"""How images lie in memory while a plan runs: channel by channel, or pixel by pixel (channels last)."""

import torch
from torch import Tensor

from srlens.windowed.graph import Graph

# On the CPU, convolutions run 1.05–1.4 times as fast channels last (oneDNN). Attention does not gain.
_LEAST_SHARE = 0.5
_FORMATTED = (torch.float32, torch.bfloat16)
# What they return depends on how their input lies in memory.
_BOUND_TO_MEMORY = frozenset({"as_strided", "_reshape_alias"})


def memory_format(graph: Graph, device: torch.device, dtype: torch.dtype) -> torch.memory_format:
    """The faster memory format for a network that computes in ``dtype``; the same numbers up to rounding."""
    if device.type != "cpu" or dtype not in _FORMATTED or len(graph.shapes[graph.input]) != 4:
        return torch.contiguous_format
    # An extension's own operator ("library::name") may read the numbers as they lie.
    if any(node.name in _BOUND_TO_MEMORY or "::" in node.name for node in graph.nodes):
        return torch.contiguous_format
    convolutions = sum(cost for node, cost in zip(graph.nodes, graph.costs, strict=True) if node.name == "convolution")
    return torch.channels_last if convolutions > _LEAST_SHARE * sum(graph.costs) else torch.contiguous_format


def laid_out(x: Tensor, memory_format: torch.memory_format) -> Tensor:
    """A copy of x in that format.

    Not ``contiguous()``, which leaves an image of one channel as it is: it counts as either, but runs as the other.
    """
    return x.clone(memory_format=memory_format)
