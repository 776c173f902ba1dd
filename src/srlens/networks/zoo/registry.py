"""The explicit list of what can be loaded: srlens's own families first, then spandrel's architectures."""

from importlib import import_module
from typing import Any

from torch import nn

from srlens.errors import SettingError, UnknownArchitectureError
from srlens.networks.checkpoint import StateDict, readings
from srlens.networks.network import Network, default_colour
from srlens.networks.padding import Padding
from srlens.networks.receptive_field import UNKNOWN
from srlens.networks.zoo.family import Family
from srlens.networks.zoo.spandrel_families import load_by_spandrel, spandrel_families

_OWN = "fsrcnn carn edsr msrn imdn rfdn rnan san drln pan rlfn bsrn smfanet smallsr"

#: The families written here, in the order in which a state dict is tried.
OWN_FAMILIES: tuple[Family, ...] = tuple(import_module(f"{__package__}.{name}").FAMILY for name in _OWN.split())

_added: list[Family] = []


def families() -> dict[str, Family]:
    """Every family with known facts, by name: added ones, srlens's own, spandrel's."""
    return {family.name: family for family in (*_added, *OWN_FAMILIES, *spandrel_families())}


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


def open_state(state: StateDict, file: str) -> Network | None:
    """Build the network of a state dict, by the first of its readings that some family knows; None where none does.

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
                return _network(module, family, family.name, module.scale, module.channels, padding)
        network = _opened_by_spandrel(reading, file)
        if network is not None:
            return network
    return None


def _opened_by_spandrel(state: StateDict, file: str) -> Network | None:
    from srlens.extras import spandrel

    try:
        found: Any = load_by_spandrel(state)
    except spandrel.UnsupportedModelError:
        return None
    name = found.architecture.name
    if not isinstance(found, spandrel.ImageModelDescriptor):
        raise UnknownArchitectureError(f"{file} is a {name}, which is no image network.")
    family = next((f for f in spandrel_families() if f.spandrel_id == found.architecture.id), None)
    sizes = found.size_requirements
    padding = Padding(multiple=max(sizes.multiple_of, 1), minimum=max(sizes.minimum, 1), square=sizes.square)
    return _network(found.model, family, name, found.scale, found.input_channels, padding)


def _network(
    module: nn.Module, family: Family | None, name: str, scale: int, channels: int, padding: Padding
) -> Network:
    return Network(
        module=module,
        scale=scale,
        channels=channels,
        value_range=float(family.value_range_of(module)) if family is not None else 1.0,
        family=family.name if family is not None else name,
        kind=family.kind_of(module) if family is not None else None,
        colour=default_colour(channels),
        padding=padding,
        receptive_field=family.receptive_field_of(module) if family is not None else UNKNOWN,
    )
