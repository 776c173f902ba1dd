"""What srlens knows of a network family beyond its layers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from torch import nn

from srlens.networks.receptive_field import ReceptiveField

Kind = Literal["convolution", "global pooling", "non-local", "transformer"]
"""How a network gathers context; the grouping of the paper's second finding."""


def _unit_range(module: nn.Module) -> float:  # noqa: ARG001 - the common answer needs no look at the module
    return 1.0


@dataclass(frozen=True)
class Family:
    """Facts about a network family that no state dict tells.

    Attributes:
        id: the spandrel architecture id.
        name: as the field writes it, e.g. ``"RFDN"``.
        kind: how it gathers context.
        paper: authors, venue, year, arXiv number.
        receptive_field: the theoretical receptive field of a loaded module.
        value_range: the largest input value that the bare module works with (1.0 or 255.0), from a loaded module.
        colour: ``"rgb"``, or ``"y"`` for networks that take the luma alone.
        note: what a user must know (mean shift, colour rule, scales), one sentence.
    """

    id: str
    name: str
    kind: Kind
    paper: str
    receptive_field: Callable[[nn.Module], ReceptiveField]
    value_range: Callable[[nn.Module], float] = _unit_range
    colour: Literal["rgb", "y"] = "rgb"
    note: str = ""
