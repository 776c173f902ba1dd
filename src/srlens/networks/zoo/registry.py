"""The explicit list of what can be loaded: srlens's own families first, then spandrel's architectures."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from typing import Any

from torch import nn

from srlens.errors import CheckpointError, SettingError, SrlensError, UnknownArchitectureError
from srlens.networks.checkpoint import StateDict, readings
from srlens.networks.colours import colour_of
from srlens.networks.network import Network
from srlens.networks.padding import Padding
from srlens.networks.receptive_field import UNKNOWN
from srlens.networks.zoo.family import Family
from srlens.networks.zoo.spandrel_families import load_by_spandrel, spandrel_families, spandrel_name

_OWN = (
    "fsrcnn carn edsr msrn imdn imdn_kair msrresnet rfdn rnan san drln pan rlfn bsrn smfanet prenet aodnet iat "
    "smallsr smalldn smalldiffusion"
)
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


def open_state(state: StateDict, file: str) -> Network:
    """Build the network of a state dict, by the first of its readings that some family knows.

    Args:
        state: of :func:`srlens.networks.checkpoint.read_state_dict`.
        file: its name, for messages.

    Raises:
        UnknownArchitectureError: no family knows it, or it is no network of images; names the nearest.
        CheckpointError: it is incomplete or of a variant; names what is missing.
    """
    for reading in readings(state):
        for family in (*_added, *OWN_FAMILIES):
            if family.detect is not None and family.detect(reading):
                with _strictly(file, family.name):
                    module = family.load(reading)
                padding = Padding(multiple=family.multiple, minimum=family.minimum)
                return _network(module, family, module.scale, module.channels, padding)
        network = _opened_by_spandrel(reading, file)
        if network is not None:
            return network
    told = [(f, f.missing(reading)) for reading in readings(state) for f in OWN_FAMILIES if f.layers]
    nearest, lacking = min(told, key=lambda one: len(one[1]) / len(one[0].layers))
    hint = f" Nearest is {nearest.name}, but {', '.join(lacking[:3])} is not there."
    raise UnknownArchitectureError(
        f"{file} is a checkpoint of no known architecture (first keys: {', '.join(list(state)[:4])})."
        f"{hint if 2 * len(lacking) <= len(nearest.layers) else ''} `srlens networks list` shows the known ones; for "
        "your own, build the module and use srlens.Network.wrap, or --module on the command line."
    )


@contextmanager
def _strictly(file: str, name: str) -> Iterator[None]:
    """Within the block, whatever does not follow from a state dict is a CheckpointError that says what."""
    try:
        yield
    except SrlensError:
        raise
    except (RuntimeError, KeyError, ValueError, AssertionError, IndexError, TypeError, ZeroDivisionError) as error:
        # The first line of several says which class; the others name missing, unexpected and unlike keys.
        lines = [f"no key {error}"] if isinstance(error, KeyError) else str(error).splitlines()
        words = "; ".join(line.strip().rstrip(".")[:160] for line in (lines[1:] or lines)[:3])
        raise CheckpointError(
            f"{file} looks like {name}, but does not load strictly: {words}. It is a variant or an incomplete file; "
            "use srlens.Network.wrap with its own module."
        ) from error


def _opened_by_spandrel(state: StateDict, file: str) -> Network | None:
    from srlens.extras import spandrel

    name = spandrel_name(state)
    if name is None:
        return None
    with _strictly(file, name):
        found: Any = load_by_spandrel(state)
    if not isinstance(found, spandrel.ImageModelDescriptor):
        raise UnknownArchitectureError(f"{file} is a {name}, which is no image network.")
    unknown = Family(name, None, "", UNKNOWN)
    family = next((f for f in spandrel_families() if f.spandrel_id == found.architecture.id), unknown)
    sizes = found.size_requirements
    padding = Padding(multiple=max(sizes.multiple_of, 1), minimum=max(sizes.minimum, 1), square=sizes.square)
    return _network(found.model, family, found.scale, found.input_channels, padding)


def _network(module: nn.Module, family: Family, scale: int, channels: int, padding: Padding) -> Network:
    network = Network(
        module=module,
        scale=scale,
        channels=channels,
        value_range=float(family.value_range_of(module)),
        family=family.name,
        kind=family.kind_of(module),
        # One-channel networks that spandrel opens are those of manga and of grey denoisers, not of the luma.
        colour="grey" if channels == 1 and family.detect is None else colour_of(channels, scale=scale),
        padding=padding,
        receptive_field=family.receptive_field_of(module),
        noise_map=family.noise_map is not None and family.noise_map(module),
    )
    return network if family.forward is None else replace(network, forward=family.forward)
