"""The figure of any result."""

from collections.abc import Callable, Sequence
from typing import Any

from matplotlib.figure import Figure

from srlens.attribution.field import Field
from srlens.attribution.result import Attribution
from srlens.attribution.seeds import SeedMaps
from srlens.comparison.compare import Comparison
from srlens.comparison.compare_methods import MethodComparison
from srlens.comparison.explained import Explained, Measurable
from srlens.comparison.field_of_view import FieldOfView
from srlens.comparison.interest import Interest
from srlens.comparison.seeds import SeedComparison
from srlens.comparison.sweep import Sweep
from srlens.errors import SettingError
from srlens.figures.comparison import comparison_figure
from srlens.figures.explain import explain_figure
from srlens.figures.field import field_figure
from srlens.figures.field_of_view import field_of_view_figure
from srlens.figures.interest import interest_figure
from srlens.figures.methods import methods_figure
from srlens.figures.reach import reach_figure
from srlens.figures.seeds import seed_comparison_figure, seeds_figure
from srlens.figures.sweep import sweep_figure
from srlens.figures.trust_card import trust_card
from srlens.trust.reach_result import Reach
from srlens.trust.verification import Verification


def _of_comparison(comparison: Comparison, **options: Any) -> Figure:
    if len(comparison.rows) == 1:
        return explain_figure(comparison.rows[0], comparison.subject, **options)
    return comparison_figure(comparison, **options)


#: What draws each kind of result.
FIGURES: dict[type, Callable[..., Figure]] = {
    Attribution: explain_figure,
    Explained: explain_figure,
    Measurable: lambda given, **options: explain_figure(given.result, given.subject, **options),
    Comparison: _of_comparison,
    MethodComparison: methods_figure,
    Interest: interest_figure,
    Sweep: sweep_figure,
    FieldOfView: lambda field, **options: field_of_view_figure([field], **options),
    Field: field_figure,
    SeedMaps: seeds_figure,
    SeedComparison: seed_comparison_figure,
    Reach: reach_figure,
    Verification: trust_card,
}


def figure_of(result: object | Sequence[object], **options: Any) -> Figure:
    """Picture any result: attribution, comparison, area of interest, sweep, fields of view, field, reach, verification.

    Args:
        result: one of the types of ``FIGURES``, or several fields of view.
        **options: of the function that draws it: ``subject``, ``style`` and ``bandwidth`` of an attribution and ``lr``
            of a field.

    Raises:
        SettingError: nothing draws such a thing.
    """
    if isinstance(result, list | tuple) and result and all(isinstance(one, FieldOfView) for one in result):
        return field_of_view_figure(result, **options)
    draw = FIGURES.get(type(result))
    if draw is None:
        known = ", ".join(kind.__name__ for kind in FIGURES)
        raise SettingError(f"There is no figure of a {type(result).__name__}; known: {known}.")
    return draw(result, **options)
