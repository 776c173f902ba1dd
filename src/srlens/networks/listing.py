"""What can be opened, as rows of plain values for tables and JSON."""

from typing import Any

from srlens.networks.catalog import catalog
from srlens.networks.default import DEFAULT_NETWORKS, DISPLAY_NAMES, build
from srlens.networks.default import conv_radius as shipped_radius
from srlens.networks.shipped import KINDS, SCALE

TYPICAL_REACH: dict[str, str] = {
    "FSRCNN": "17 (6 mappings)",
    "CARN": "45",
    "EDSR": "75 (16 blocks)",
    "MSRN": "107",
    "RRDBNet": "703 (23 blocks)",
    "IMDN": "global",
    "RFDN": "global (as counted)",
    "RCAN": "global",
    "RNAN": "global",
    "SAN": "global",
}
"""Receptive fields of Gu & Dong (2021), Table 1, by family. RFDN's strided attention has a finite reach in truth."""


def listed_shipped() -> list[dict[str, Any]]:
    """One row a shipped network: name, kind, scale, receptive field in LR pixels."""
    rows = []
    for name in DEFAULT_NETWORKS:
        radius = shipped_radius(build(name))
        rows.append(
            {
                "name": name,
                "display_name": DISPLAY_NAMES[name],
                "kind": KINDS[name],
                "scale": SCALE,
                "receptive_field": "global" if radius is None else str(1 + 2 * radius),
            }
        )
    return rows


def listed_families() -> list[dict[str, Any]]:
    """One row a family: kind, receptive field of the paper's Table 1 where it is there, paper, published checkpoints.

    The receptive field of a given file depends on its configuration: ``srlens networks inspect`` tells it.
    """
    from srlens.networks.zoo.registry import families

    published: dict[str, list[str]] = {}
    for entry in catalog().values():
        published.setdefault(entry.family, []).append(entry.name)
    return [
        {
            "family": family.name,
            "kind": family.kind,
            "receptive_field_table_1": TYPICAL_REACH.get(family.name),
            "paper": family.paper,
            "published": published.get(family.name, []),
        }
        for family in families().values()
    ]


def listed_published() -> list[dict[str, Any]]:
    """One row a published checkpoint."""
    return [
        {
            "name": entry.name,
            "family": entry.family,
            "scales": list(entry.scales),
            "psnr_set5": entry.psnr,
            "psnr_source": entry.psnr_source,
            "bytes": entry.size,
            "hash": "none" if entry.sha256 is None else "full" if len(entry.sha256) == 64 else "short",
            "licence": entry.licence,
            "repository": entry.repository,
            "note": entry.note,
        }
        for entry in catalog().values()
    ]
