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

from srlens.comparison.explained import Measurable
from srlens.comparison.formats import FORMATS
from srlens.comparison.measure import EVERYWHERE, Measure, Place, Value
from srlens.comparison.subject import Subject
from srlens.errors import SettingError
from srlens.measures.extent import used_fraction
from srlens.networks.facts import NetworkFacts

__all__ = ["MEASURES", "Measure", "add_measure", "columns", "measured", "shown_in"]

Drawn = Callable[[Measurable], Value | None]


def _network(of: Callable[[NetworkFacts], Value | None]) -> Drawn:
    return lambda e: None if e.network is None else of(e.network)


def _subject(of: Callable[[Subject], Value | None]) -> Drawn:
    return lambda e: None if e.subject is None else of(e.subject)


def _used(e: Measurable) -> float | None:
    return None if e.within_reach is None else used_fraction(e.area(0.95), e.within_reach)


def _of_reference(name: str) -> Drawn:
    def of(e: Measurable) -> float | None:
        reference = e.as_reference
        return None if reference is None else getattr(reference, name)

    return of


def _texture(part: str, feature: str) -> Drawn:
    return lambda e: getattr(getattr(e, f"{part}_texture"), feature, None)


#: What is drawn, in the order of columns, and its type; how it is shown stands in measures.toml.
_DRAWN: dict[str, tuple[type[Value], Drawn]] = {
    "image": (str, _subject(lambda s: s.name)),
    "network": (str, lambda e: e.result.network),
    "family": (str, _network(lambda n: n.family)),
    "kind": (str, _network(lambda n: n.kind)),
    "receptive_field": (str, _network(lambda n: str(n.receptive_field))),
    "diffusion_index": (float, lambda e: e.result.diffusion_index),
    "effective_pixels": (float, lambda e: e.result.effective_pixels),
    "gini": (float, lambda e: e.result.gini),
    "area50": (float, lambda e: e.area(0.50)),
    "area90": (float, lambda e: e.area(0.90)),
    "area95": (float, lambda e: e.area(0.95)),
    "receptive_field_used": (float, _used),
    "radius_mean": (float, lambda e: e.radius.mean),
    "radius_rms": (float, lambda e: e.radius.rms),
    "psnr_window": (float, lambda e: e.psnr_window),
    "psnr_image": (float, lambda e: e.psnr_image),
    "ssim_image": (float, lambda e: e.ssim_image),
    "lpips": (float, lambda e: e.lpips),
    "reference_psnr_window": (float, _of_reference("psnr_window")),
    "reference_psnr_image": (float, _of_reference("psnr_image")),
    "completeness_gap": (float, lambda e: e.result.completeness_gap),
    "map_error": (float, lambda e: e.result.map_error),
    "evaluations": (int, lambda e: e.result.evaluations),
    "seconds": (float, lambda e: e.seconds),
    **{
        f"{part}_{feature}": (float, _texture(part, feature))
        for features in (("peak_share", "coherence", "edge_density", "contrast"), ("orientation", "peak_wavelength"))
        for part in ("around", "window")
        for feature in features
    },
    "parameters": (int, _network(lambda n: n.parameters)),
    "receptive_field_side": (float, _network(lambda n: n.receptive_field.true)),
    "receptive_field_global": (
        bool,
        _network(lambda n: n.receptive_field.is_global if n.receptive_field.known else None),
    ),
    "receptive_field_pixels": (int, lambda e: e.within_reach),
    # Where the window lies in the whole picture, in SR pixels, and what of the picture was shown, in LR pixels.
    "top": (int, lambda e: e.result.window.top + e.place[0] * e.result.scale),
    "left": (int, lambda e: e.result.window.left + e.place[1] * e.result.scale),
    "height": (int, lambda e: e.result.window.height),
    "width": (int, lambda e: e.result.window.width),
    "scale": (int, lambda e: e.result.scale),
    "lr_top": (int, lambda e: e.place[0]),
    "lr_left": (int, lambda e: e.place[1]),
    "lr_height": (int, lambda e: e.result.lr_size[0]),
    "lr_width": (int, lambda e: e.result.lr_size[1]),
    "sr_outside": (float, lambda e: e.outside),
    "degradation": (str, _subject(lambda s: s.degradation)),
    "detector_at_image": (float, lambda e: e.result.detector_at_image),
    "detector_at_baseline": (float, lambda e: e.result.detector_at_baseline),
    "converged": (bool, lambda e: e.result.converged),
    "evaluation": (str, lambda e: e.result.evaluation),
    "device": (str, _network(lambda n: n.device)),
    "method": (str, lambda e: e.result.method.name),
    "detector": (str, lambda e: e.result.method.detector.name),
    "preset": (str, lambda e: e.result.method.preset_text),
    "conditions": (str, lambda e: e.result.conditions),
    "image_sha256": (str, _subject(lambda s: s.digest)),
    "weights_sha256": (str, lambda e: e.result.network_digest),
}


def _shown(key: str, kind: type[Value], of: Drawn) -> Measure:
    told = dict(_TABLE.get(key, {"label": key.replace("_", " "), "places": ()}))
    places = frozenset(told.pop("places", EVERYWHERE))
    return Measure(
        key, told.pop("label"), of, kind=kind, format=FORMATS.get(told.pop("format", "")), places=places, **told
    )


_TABLE = tomllib.loads(files(__package__).joinpath("measures.toml").read_text(encoding="utf-8"))
_measures = {key: _shown(key, *drawn) for key, drawn in _DRAWN.items()}

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
