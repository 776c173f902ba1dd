"""A network family: what no state dict tells of it, and how a state dict of it becomes a module."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from srlens.networks.checkpoint import StateDict
from srlens.networks.listing import family_facts
from srlens.networks.receptive_field import GLOBAL, ReceptiveField
from srlens.networks.zoo.reading import read_sizes
from srlens.networks.zoo.scale_probe import most_consistent_scale

#: How a network gathers context; the grouping of the paper's second finding.
Kind = Literal["convolution", "global pooling", "non-local", "transformer"]

Detect = Callable[[StateDict], bool]


@dataclass(frozen=True)
class Family:
    """One network family; :func:`srlens.add_family` makes it known.

    Whatever depends on the configuration is a function of the loaded module.

    Attributes:
        name: as the field writes it, e.g. ``"RFDN"``.
        kind: how it gathers context; None where that is not known.
        paper: authors, venue, year, arXiv number.
        receptive_field: the theoretical receptive field.
        detect: whether a state dict is of this family; None for a family that spandrel opens.
        build: makes the module that a state dict describes, still without its weights. It has the attributes
            ``scale`` (SR pixels per LR pixel) and ``channels`` (of input and output); where it holds several scales
            also ``scales`` and ``select_scale(scale)``.
        translate: brings other authors' key names to those of the module.
        value_range: the largest input value that the bare module works with (1.0 or 255.0).
        multiple: LR sides must be multiples of this.
        minimum: the smallest LR side, in pixels.
        probe_scale: no state dict tells the scale: it is found by trying, and is what ``build`` assumes where that
            shows nothing.
        spandrel_id: the id of spandrel's architecture, where spandrel opens it.
        table_1: receptive field in Table 1 of Gu & Dong (2021); empty where it is not there.
        forward: how the module is called, where not simply with the picture.
        noise_map: whether it takes the level of the noise as one channel more.
        note: what a user must know (mean shift, colour rule, scales), one sentence.
        layers: what ``holds`` looks for, where that is all; it tells which family a foreign file comes nearest.
    """

    name: str
    kind: Kind | Callable[[Any], Kind] | None
    paper: str
    receptive_field: ReceptiveField | Callable[[Any], ReceptiveField]
    detect: Detect | None = None
    build: Callable[[StateDict], nn.Module] | None = None
    translate: Callable[[StateDict], StateDict] | None = None
    value_range: float | Callable[[Any], float] = 1.0
    multiple: int = 1
    minimum: int = 1
    probe_scale: bool = False
    spandrel_id: str | None = None
    table_1: str = ""
    forward: Callable[[nn.Module, Tensor], Any] | None = None
    noise_map: Callable[[Any], bool] | None = None
    note: str = ""
    layers: Sequence[str] = ()

    def kind_of(self, module: nn.Module) -> Kind | None:
        """How a loaded module gathers context."""
        return self.kind(module) if callable(self.kind) else self.kind

    def receptive_field_of(self, module: nn.Module) -> ReceptiveField:
        """The theoretical receptive field of a loaded module."""
        return self.receptive_field(module) if callable(self.receptive_field) else self.receptive_field

    def value_range_of(self, module: nn.Module) -> float:
        """The largest input value that a loaded module works with."""
        return self.value_range(module) if callable(self.value_range) else self.value_range

    def missing(self, state: StateDict) -> list[str]:
        """Which of its ``layers`` a state dict lacks."""
        return [name for name in self.layers if name not in state and f"{name}.weight" not in state]

    def load(self, state: StateDict) -> Any:
        """Build the module that a state dict describes and fill it, in float64 where a weight is of that type.

        Raises:
            RuntimeError, KeyError, ValueError: the state dict is incomplete, or of a variant.
        """
        assert self.build is not None
        state = state if self.translate is None else self.translate(state)
        module: Any = self.build(state)
        if any(tensor.dtype == torch.float64 for tensor in state.values()):
            module.double()  # before the weights come, which would be rounded otherwise
        module.load_state_dict(state)
        if self.probe_scale and len(module.scales) > 1:
            module.select_scale(most_consistent_scale(module, module.channels, module.scales, default=module.scale))
        return module


def own_facts(name: str, network: Callable[..., nn.Module] | None = None) -> dict[str, Any]:
    """What the table of srlens's own families says of one: arguments of :class:`Family`.

    Args:
        name: of the family.
        network: makes the module, where the table says of which layers its arguments are read.
    """
    facts = dict(family_facts("own")[name])
    if facts.get("receptive_field") == "global":
        facts["receptive_field"] = GLOBAL
    if layers := facts.get("layers"):
        facts["detect"] = holds(*layers)
    sizes = facts.pop("sizes", None)
    facts.pop("variants", None)
    if network is not None and sizes is not None:
        facts["build"] = lambda state: network(**read_sizes(state, **sizes))
    return facts


def holds(*names: str) -> Detect:
    """A :attr:`Family.detect`: whether a state dict has all these keys, or layers of these names with a ``weight``."""
    return lambda state: all(name in state or f"{name}.weight" in state for name in names)
