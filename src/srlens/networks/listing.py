"""What can be opened, as rows of plain values for tables and JSON."""

from typing import Any

from srlens.networks.catalog import SHIPPED, catalog, published


def listed_shipped() -> list[dict[str, Any]]:
    """One row a shipped network: name, kind, scale, receptive field in LR pixels."""
    return [
        {
            "name": entry.name,
            "display_name": entry.title,
            "kind": entry.kind,
            "scale": entry.scales[0],
            "receptive_field": entry.receptive_field,
        }
        for entry in (catalog()[name] for name in SHIPPED)
    ]


def listed_families() -> list[dict[str, Any]]:
    """One row a family: kind, receptive field of the paper's Table 1 where it is there, paper, published checkpoints.

    The receptive field of a given file depends on its configuration: ``srlens networks inspect`` tells it.
    """
    from srlens.networks.zoo.registry import families

    files: dict[str, list[str]] = {}
    for entry in published().values():
        files.setdefault(entry.family, []).append(entry.name)
    return [
        {
            "family": family.name,
            "kind": "several" if callable(family.kind) else family.kind,
            "receptive_field_table_1": family.table_1 or None,
            "paper": family.paper,
            "published": files.get(family.name, []),
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
        for entry in published().values()
    ]
