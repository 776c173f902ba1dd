"""The one table of measures: what is drawn from an explained network, and how and where it is shown.

CSV, Parquet, LaTeX, sorting, the terminal's table, the page's, figures and the reports of studies loop over
:data:`MEASURES`. A measure of your own, in a file that ``SRLENS_PLUGINS`` names (:mod:`srlens.plugins`), is in all of
them::

    from srlens.comparison.measures import Measure, add_measure

    add_measure(Measure("peak", "Strongest pixel", lambda explained: float(explained.result.absolute.max())))
"""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from types import MappingProxyType
from typing import Any, cast

from srlens.comparison.explained import Measurable
from srlens.comparison.formats import FORMATS
from srlens.comparison.measure import EVERYWHERE, Measure, Place, Value
from srlens.errors import SettingError
from srlens.measures.extent import used_fraction

__all__ = ["MEASURES", "Measure", "add_measure", "columns", "measured", "shown_in"]

Drawn = Callable[[Measurable], Value | None]


def _used(e: Measurable) -> float | None:
    return None if e.within_reach is None else used_fraction(e.area(0.95), e.within_reach)


def _field(e: Measurable) -> str | None:
    return None if e.network is None else e.network.receptive_field.in_words(e.network.scale)


def _reaches_all(e: Measurable) -> bool | None:
    field = e.network.receptive_field if e.network is not None else None
    return field.is_global if field is not None and field.known else None


def _gain(order: str) -> Drawn:
    return lambda e: e.faithfulness.over(order) if e.faithfulness is not None else None


def _fills_agree(e: Measurable) -> bool | None:
    return e.faithfulness.agree("distance") if e.faithfulness is not None else None


#: What is drawn by more than a way through attributes.
_OWN: dict[str, Drawn] = {
    "area50": lambda e: e.area(0.50),
    "area90": lambda e: e.area(0.90),
    "area95": lambda e: e.area(0.95),
    "receptive_field": _field,
    "receptive_field_used": _used,
    "receptive_field_global": _reaches_all,
    "gain_over_distance": _gain("distance"),
    "gain_over_gradient": _gain("gradient"),
    "gain_over_ig_black": _gain("ig-black"),
    "gain_fills_agree": _fills_agree,
    "seed": lambda e: e.result.facts.get("seed"),
    # Where the window lies in the whole picture, in SR pixels.
    "top": lambda e: e.result.window.top + e.place[0] * e.result.scale,
    "left": lambda e: e.result.window.left + e.place[1] * e.result.scale,
}


def _along(way: str) -> Drawn:
    """What stands at the end of a way by names and places; None where a part of it is not known."""

    def of(e: Measurable) -> Value | None:
        found: Any = e
        for step in way.split("."):
            if found is not None:
                found = found[int(step)] if step.isdigit() else getattr(found, step)
        return cast(Value | None, found)

    return of


def _measure(key: str, told: dict[str, Any]) -> Measure:
    kind = {one.__name__: one for one in (str, int, float, bool)}[told.pop("kind", "float")]
    of = _along(told.pop("of")) if "of" in told else _OWN[key]
    places = frozenset(told.pop("places", EVERYWHERE if "label" in told else ()))
    label, text = told.pop("label", key.replace("_", " ")), FORMATS.get(told.pop("format", ""))
    return Measure(key, label, of, kind=kind, format=text, places=places, **told)


_table = tomllib.loads(files(__package__).joinpath("measures.toml").read_text(encoding="utf-8"))
_measures = {key: _measure(key, told) for key, told in _table.items()}

#: Columns that the results of studies have beside the measures.
JOB_KEYS = frozenset({"job", "place", "threads", "settings", "srlens", "torch"})

#: Keys of the measures that srlens has of its own.
BUILT_IN = frozenset(_measures)

#: Every measure by its key, in the order of columns; :func:`add_measure` puts further ones at the end.
MEASURES: Mapping[str, Measure] = MappingProxyType(_measures)


def add_measure(measure: Measure) -> None:
    """Add a measure to every table; the table is left as it was if that fails.

    Raises:
        SettingError: another column has its key, or another measure its name for sorting.
    """
    if measure.key in JOB_KEYS:
        raise SettingError(f"Studies have a column {measure.key!r} of their own; give your measure another key.")
    for other in _measures.values():
        if measure.key == other.key or measure.name == other.name:
            raise SettingError(
                f"A measure with the key {other.key!r} (--sort {other.name}) is there already; give yours another."
            )
    _measures[measure.key] = measure


def shown_in(place: Place) -> tuple[Measure, ...]:
    """The measures that are shown there, in order."""
    return tuple(measure for measure in _measures.values() if place in measure.places)


def columns(rows: Sequence[Measurable], place: Place) -> list[tuple[Measure, list[Value | None]]]:
    """What is shown there of these rows: each measure with its values, without those that no row has."""
    found = [(measure, [measure.value(row) for row in rows]) for measure in shown_in(place)]
    return [(measure, values) for measure, values in found if any(value is not None for value in values)]


def measured(explained: Measurable) -> dict[str, Value | None]:
    """Every measure and condition of one network by its key: one row of a file."""
    return {key: measure.value(explained) for key, measure in _measures.items()}
