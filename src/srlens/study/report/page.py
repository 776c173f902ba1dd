"""The report as one HTML page that needs nothing beside it."""

import math
from importlib import resources
from typing import Any

from srlens._version import __version__
from srlens.study.blocks import INDEX, Blocks
from srlens.study.verdicts import Findings

_SHOWN_PAIRS = 60


def render_page(
    *,
    plan: dict[str, Any],
    blocks: Blocks,
    findings: Findings,
    tables: dict[str, list[dict[str, Any]]],
    reference: dict[str, Any],
    pictures: dict[str, str],
    results: int,
    seed: int,
) -> str:
    """Fill the page.

    Args:
        plan: of the study.
        blocks: what was compared.
        findings: verdicts and statistics.
        tables: rows by name.
        reference: means of bicubic's measures by key.
        pictures: PNG files by name, base64.
        results: jobs with a result.
        seed: of bootstrap and permutations.
    """
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["number"] = number
    environment.filters["share"] = lambda v, digits=0: "–" if _unknown(v) else f"{100 * v:.{digits}f} %"
    environment.filters["p"] = lambda v: "–" if _unknown(v) else "< 0.001" if v < 0.001 else f"{v:.3f}"
    text = resources.files(__package__).joinpath("page.html.j2").read_text(encoding="utf-8")
    planned = sum(len(row) for row in plan["jobs"])
    return environment.from_string(text).render(
        title=plan["title"],
        version=__version__,
        blocks=blocks,
        verdicts=findings.verdicts,
        contrast=findings.contrast,
        tables=tables,
        reference=reference,
        index=INDEX,
        measures=blocks.known("report"),
        pictures=pictures,
        results=results,
        planned=planned,
        shown_pairs=tables["pairs"][:_SHOWN_PAIRS],
        seed=seed,
        settings=plan["settings"],
    )


def number(value: Any, digits: int = 2) -> str:
    """A number, or a dash where it is not known."""
    return "–" if _unknown(value) else f"{value:,.{digits}f}".replace("-", "−")


def _unknown(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))
