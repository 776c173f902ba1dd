"""The report as one HTML page that needs nothing beside it, and what can be pasted from it into a paper."""

import math
import re
from importlib import resources
from typing import Any

from srlens.imaging.terms import worded
from srlens.study.verdicts import counted


def render_page(scale: int, **context: Any) -> str:
    """Fill the page: ``context`` holds what the template names, and nothing is taken for granted.

    The template speaks of LR and SR; at ``scale`` 1 the page speaks of input and output (:mod:`srlens.imaging.terms`).

    Raises:
        jinja2.UndefinedError: the template names something that is not given.
    """
    return _rendered("page.html.j2", context, scale, escaped=True)


def methods_paragraph(scale: int, **context: Any) -> str:
    """All conditions of a study as one paragraph of plain text; raises as :func:`render_page` does."""
    words = " ".join(_rendered("methods.txt.j2", context, scale, escaped=False).split())
    return words.replace(" ,", ",").replace(" .", ".").replace(" ;", ";")


def citations(srlens: str) -> str:
    """What to cite, as BibTeX: the paper of the method, and srlens of this version."""
    return _rendered("citations.bib.j2", {"srlens": srlens}, escaped=False)


def _rendered(template: str, context: dict[str, Any], scale: int = 4, *, escaped: bool) -> str:
    from srlens.extras import jinja2

    environment = jinja2.Environment(
        # What is filled in stays as it is, names and hashes above all; the filter is for words of ours among it.
        loader=jinja2.FunctionLoader(lambda name: worded(_template(name), scale)),
        autoescape=escaped,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = number
    environment.filters["share"] = lambda v, digits=0: "–" if _unknown(v) else f"{100 * v:.{digits}f} %"
    environment.filters["p"] = lambda v: "–" if _unknown(v) else "< 0.001" if v < 0.001 else f"{v:.3f}"
    environment.filters["counted"] = lambda of, what: counted(of if isinstance(of, int) else len(of), what)
    environment.globals["interval"] = _interval
    environment.filters["p_is"] = lambda v: _unbroken("p < 0.001" if v < 0.001 else f"p = {v:.3f}")
    environment.filters["unbroken"] = _unbroken
    environment.filters["words"] = lambda text: worded(text, scale)
    return environment.get_template(template).render(**context, restoration=scale == 1)


def _template(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def number(value: Any, digits: int = 2) -> str:
    """A number, or a dash where it is not known."""
    return "–" if _unknown(value) else f"{value:,.{digits}f}".replace("-", "−")


def _interval(low: Any, high: Any, digits: int = 2, factor: float = 1) -> str:
    """Both ends in brackets; nothing where there is no interval."""
    return (
        "" if _unknown(low) or _unknown(high) else f"[{number(factor * low, digits)}, {number(factor * high, digits)}]"
    )


def _unbroken(text: str) -> str:
    """With no end of a line before or after a sign that stands with a number."""
    return re.sub(r" (?=%)|(?<=\b[pn]) (?=[=<])|(?<=[=<]) (?=\d)", "\u00a0", text)


def _unknown(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))
