"""The explicit list of what can be loaded: srlens's own families first, then spandrel's architectures."""

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

from torch import nn

from srlens.errors import SettingError, UnknownArchitectureError
from srlens.networks.checkpoint import StateDict, readings
from srlens.networks.padding import Padding
from srlens.networks.zoo.family import Family
from srlens.networks.zoo.spandrel_families import load_by_spandrel, spandrel_families

_OWN = "fsrcnn carn edsr msrn imdn rfdn rnan san drln pan rlfn bsrn smfanet smallsr"

OWN_FAMILIES: tuple[Family, ...] = tuple(import_module(f"{__package__}.{name}").FAMILY for name in _OWN.split())
"""The families written here, in the order in which a state dict is tried."""

_added: list[Family] = []


@cache
def _of_spandrel() -> tuple[Family, ...]:
    return spandrel_families()


def families() -> dict[str, Family]:
    """Every family with known facts, by name: added ones, srlens's own, spandrel's."""
    return {family.name: family for family in (*_added, *OWN_FAMILIES, *_of_spandrel())}


def add_family(*new: Family) -> None:
    """Make families known, for as long as the process lives; all of them or, where one cannot be added, none.

    Added families are tried before all others, so that a variant is told from the family that it came from.

    Raises:
        SettingError: a name is taken, or a family lacks ``detect`` or ``build``.
    """
    names = [*families(), *(family.name for family in new)]
    for family in new:
        if names.count(family.name) > 1:
            raise SettingError(f"There is a family {family.name!r} already; give yours another name.")
        if family.detect is None or family.build is None:
            raise SettingError(f"The family {family.name!r} must say how to `detect` and to `build` it.")
    _added.extend(new)


@dataclass(frozen=True, eq=False)
class Opened:
    """A module with its weights, and what is known of it.

    Attributes:
        module: the bare module.
        name: of the architecture.
        family: what srlens knows of it; None for an architecture of spandrel without an entry.
        scale: SR pixels per LR pixel.
        channels: of its input.
        padding: the sizes that it takes.
    """

    module: nn.Module
    name: str
    family: Family | None
    scale: int
    channels: int
    padding: Padding


def open_state(state: StateDict, file: str) -> Opened | None:
    """Build the module of a state dict, by the first of its readings that some family knows; None where none does.

    Args:
        state: of :func:`srlens.networks.checkpoint.read_state_dict`.
        file: its name, for messages.

    Raises:
        UnknownArchitectureError: it is spandrel's, but no network of images.
        Exception: of many kinds, where the state dict is incomplete or of a variant.
    """
    for reading in readings(state):
        for family in (*_added, *OWN_FAMILIES):
            if family.detect is not None and family.detect(reading):
                module = family.load(reading)
                padding = Padding(multiple=family.multiple, minimum=family.minimum)
                return Opened(module, family.name, family, module.scale, module.channels, padding)
        opened = _opened_by_spandrel(reading, file)
        if opened is not None:
            return opened
    return None


def _opened_by_spandrel(state: StateDict, file: str) -> Opened | None:
    from spandrel import ImageModelDescriptor, UnsupportedModelError

    try:
        descriptor: Any = load_by_spandrel(state)
    except UnsupportedModelError:
        return None
    name = descriptor.architecture.name
    if not isinstance(descriptor, ImageModelDescriptor):
        raise UnknownArchitectureError(f"{file} is a {name}, which is no image network.")
    family = next((f for f in _of_spandrel() if f.spandrel_id == descriptor.architecture.id), None)
    sizes = descriptor.size_requirements
    padding = Padding(multiple=max(sizes.multiple_of, 1), minimum=max(sizes.minimum, 1), square=sizes.square)
    return Opened(
        descriptor.model,
        family.name if family is not None else name,
        family,
        descriptor.scale,
        descriptor.input_channels,
        padding,
    )
