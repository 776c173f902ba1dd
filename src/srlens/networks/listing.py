"""What can be opened, as rows of plain values for tables and JSON; known without torch, which takes a second."""

import sys
import tomllib
from functools import cache
from importlib import resources
from typing import Any, Literal

from srlens.networks.catalog import SHIPPED, catalog, published


@cache
def family_facts(of: Literal["own", "spandrel"]) -> dict[str, dict[str, Any]]:
    """The table of srlens's own families, or of spandrel's, by name; its columns are explained in the file."""
    text = resources.files("srlens.networks.zoo").joinpath(f"{of}_families.toml").read_text(encoding="utf-8")
    return {(fact := {"name": entry.get("id"), **entry})["name"]: fact for entry in tomllib.loads(text)["family"]}


def listed_shipped() -> list[dict[str, Any]]:
    """One row a shipped network: name, kind, scale, receptive field in LR pixels."""
    columns = {"name": "name", "display_name": "title", "kind": "kind", "receptive_field": "receptive_field"}
    shipped = (catalog()[name] for name in SHIPPED)
    return [{**{key: getattr(one, own) for key, own in columns.items()}, "scale": one.scales[0]} for one in shipped]


def listed_families() -> list[dict[str, Any]]:
    """One row a family: kind, receptive field of the paper's Table 1 where it is there, paper, published checkpoints.

    The receptive field of a given file depends on its configuration: ``srlens networks inspect`` tells it.
    """
    files: dict[str, list[str]] = {}
    for entry in published().values():
        files.setdefault(entry.family, []).append(entry.name)
    facts = {**family_facts("own"), **family_facts("spandrel")}
    # Families of plug-ins are in the registry alone; it is there where one was added.
    registry = sys.modules.get("srlens.networks.zoo.registry")
    added = {name: vars(family) for name, family in registry.families().items()} if registry is not None else {}
    return [
        {
            "family": name,
            "kind": kind if isinstance(kind := fact.get("kind"), str) else "several",
            "receptive_field_table_1": fact.get("table_1") or None,
            "paper": fact["paper"],
            "published": files.get(name, []),
        }
        for name, fact in {**{name: added[name] for name in added if name not in facts}, **facts}.items()
    ]


def listed_published() -> list[dict[str, Any]]:
    """One row a published checkpoint."""
    same = ("name", "family", "psnr_source", "licence", "repository", "note")
    return [
        {
            **{key: getattr(entry, key) for key in same},
            **{"scales": list(entry.scales), "psnr_set5": entry.psnr, "bytes": entry.size},
            "hash": "none" if entry.sha256 is None else "full" if len(entry.sha256) == 64 else "short",
        }
        for entry in published().values()
    ]
