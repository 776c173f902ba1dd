"""The explicit list of what can be loaded: srlens's own families first, then spandrel's."""

from functools import cache

from spandrel import MAIN_REGISTRY, ArchRegistry, ArchSupport

from srlens.networks.zoo import (
    bsrn,
    carn,
    drln,
    edsr,
    fsrcnn,
    imdn,
    msrn,
    pan,
    rfdn,
    rlfn,
    rnan,
    san,
    smfanet,
)
from srlens.networks.zoo.family import Family
from srlens.networks.zoo.spandrel_families import SPANDREL_FAMILIES

_OWN = (fsrcnn, carn, edsr, msrn, imdn, rfdn, rnan, san, drln, pan, rlfn, bsrn, smfanet)

OWN_FAMILIES: tuple[Family, ...] = tuple(module.FAMILY for module in _OWN)
"""The families written here, in the order in which a state dict is tried."""


@cache
def registry() -> ArchRegistry:
    """All architectures, ours tried first. spandrel's own registry is left unchanged."""
    everything = ArchRegistry()  # type: ignore[no-untyped-call]
    everything.add(*(ArchSupport.from_architecture(module.ARCHITECTURE) for module in _OWN))
    everything.add(*MAIN_REGISTRY.architectures("insertion"), ignore_duplicates=True)
    return everything


@cache
def families() -> dict[str, Family]:
    """Every family with known facts, by architecture id."""
    return {family.id: family for family in (*OWN_FAMILIES, *SPANDREL_FAMILIES)}
