"""Answers as HTML, by the macros of ``assets/results.html.j2``: tables, pictures side by side on shared scales."""

from collections.abc import Sequence
from functools import cache
from statistics import median
from typing import Any

from srlens.attribution.field import Field
from srlens.comparison.compare import Comparison
from srlens.comparison.formats import MISSING, decibels, index
from srlens.comparison.measures import columns
from srlens.imaging.terms import worded
from srlens.web.asset import asset
from srlens.web.choices import Style
from srlens.web.paint import Bar, grey_uri, paint_maps, picture_uri
from srlens.web.progress import Step

#: Class of results that are not of the picture that is chosen.
OLD = "srl-old"
#: Stands where results will be.
EMPTY = (
    '<div class="srl-empty"><p><b>Click the picture to place a window, then press Run.</b></p>'
    "<p>You will see which pixels of the input each network used to make that window, how widely they spread, and "
    "how far the answer can be trusted.</p></div>"
)


@cache
def _macros() -> Any:
    from srlens.extras import jinja2

    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    used: dict[str, Any] = {"missing": MISSING, "repr": repr, "index": index, "decibels": decibels, "median": median}
    used |= {"picture_uri": picture_uri, "grey_uri": grey_uri, "worded": worded}
    return environment.from_string(asset("results.html.j2"), globals=used).module


def results_html(comparison: Comparison, style: Style, notes: Sequence[str] = ()) -> str:
    """The whole answer; every text from outside is escaped."""
    maps = paint_maps([row.result for row in comparison.rows], style)
    return str(_macros().results(comparison, maps, columns(comparison.rows, "page"), notes))


def field_html(field: Field, bar: Bar, sampling: Sequence[str] = ()) -> str:
    """Colour bar and one sentence of numbers, which ends in how the network samples, where it does."""
    found = [point.diffusion_index for point in field.points if point.diffusion_index is not None]
    return str(_macros().field(field, bar, found, sampling))


def step_html(step: Step) -> str:
    """The progress of a run, for eyes and screen readers."""
    return str(_macros().step(step))


def message_html(text: str, kind: str = "info") -> str:
    """One sentence: ``"info"``, or ``"error"``, which screen readers announce at once."""
    return str(_macros().message(text, kind))
