"""The report as one HTML page that needs nothing beside it."""

import math
from importlib import resources
from typing import Any


def render_page(**context: Any) -> str:
    """Fill the page: ``context`` holds what the template names, and nothing is taken for granted.

    Raises:
        jinja2.UndefinedError: the template names something that is not given.
    """
    from srlens.extras import jinja2

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["number"] = number
    environment.filters["share"] = lambda v, digits=0: "–" if _unknown(v) else f"{100 * v:.{digits}f} %"
    environment.filters["p"] = lambda v: "–" if _unknown(v) else "< 0.001" if v < 0.001 else f"{v:.3f}"
    text = resources.files(__package__).joinpath("page.html.j2").read_text(encoding="utf-8")
    return environment.from_string(text).render(**context)


def number(value: Any, digits: int = 2) -> str:
    """A number, or a dash where it is not known."""
    return "–" if _unknown(value) else f"{value:,.{digits}f}".replace("-", "−")


def _unknown(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))
