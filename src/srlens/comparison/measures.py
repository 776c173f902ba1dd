"""The one table of measures: what is drawn from an explained network, and how and where it is shown.

CSV, Parquet, LaTeX, sorting, the terminal's table, the page's, figures and the reports of studies loop over
:data:`MEASURES`. A measure of your own, in a file that ``SRLENS_PLUGINS`` names (:mod:`srlens.plugins`), is in all of
them::

    from srlens.comparison.measures import Measure, add_measure

    add_measure(Measure("peak", "Strongest pixel", lambda explained: float(explained.result.absolute.max())))
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from srlens.comparison.explained import Measurable
from srlens.comparison.formats import count, decibels, fixed, index, percent
from srlens.comparison.measure import Measure, Place, Value
from srlens.comparison.subject import Subject
from srlens.errors import SettingError
from srlens.measures.extent import used_fraction
from srlens.networks.facts import NetworkFacts

__all__ = ["MEASURES", "Measure", "add_measure", "columns", "measured", "shown_in"]

Drawn = Callable[[Measurable], Value | None]

_FILES: frozenset[Place] = frozenset()
_TABLES: frozenset[Place] = frozenset({"terminal", "page"})
_REPORT: frozenset[Place] = frozenset({"report"})
_LATEX: frozenset[Place] = frozenset({"latex"})
_TEXTURE: frozenset[Place] = frozenset({"texture"})


def _network(of: Callable[[NetworkFacts], Value | None]) -> Drawn:
    return lambda e: None if e.network is None else of(e.network)


def _subject(of: Callable[[Subject], Value | None]) -> Drawn:
    return lambda e: None if e.subject is None else of(e.subject)


def _fact(key: str, kind: type[Value], of: Drawn) -> Measure:
    """A condition or a detail, which files hold and tables do not show."""
    return Measure(key=key, label=key.replace("_", " "), of=of, kind=kind, places=_FILES)


def _used(e: Measurable) -> float | None:
    return None if e.within_reach is None else used_fraction(e.area(0.95), e.within_reach)


def _of_reference(name: str) -> Drawn:
    def of(e: Measurable) -> float | None:
        reference = e.as_reference
        return None if reference is None else getattr(reference, name)

    return of


def _quality(key: str, label: str, heading: str, short: str, of: Drawn) -> Measure:
    """A PSNR."""
    return Measure(
        key, label, of, heading=heading, short=short, format=decibels, unit="dB", better="higher", of_picture=True
    )


def _doubt(key: str, label: str, heading: str, short: str, of: Drawn) -> Measure:
    """A relative error."""
    return Measure(key, label, of, heading=heading, short=short, format=percent, unit="%", better="lower")


def _texture(part: str, feature: str) -> Drawn:
    return lambda e: getattr(getattr(e, f"{part}_texture"), feature, None)


#: Features of textures that reports hold against the diffusion index.
_LOOKS = {"peak_share": "regularity", "coherence": "coherence", "edge_density": "edge density", "contrast": "contrast"}

_TEXTURES = [
    Measure(f"{part}_{feature}", f"{label} of the {name}", _texture(part, feature), format=fixed(2), places=_TEXTURE)
    for part, name in (("around", "surroundings"), ("window", "window"))
    for feature, label in _LOOKS.items()
]


_OWN = (
    _fact("image", str, _subject(lambda s: s.name)),
    Measure("network", "Network", lambda e: e.result.network, kind=str, short="name", places=_TABLES | _LATEX),
    _fact("family", str, _network(lambda n: n.family)),
    _fact("kind", str, _network(lambda n: n.kind)),
    Measure(
        "receptive_field",
        "Receptive field",
        _network(lambda n: str(n.receptive_field)),
        kind=str,
        latex="RF",
        places=_LATEX,
    ),
    Measure(
        "diffusion_index", "DI (LR {lr})", lambda e: e.result.diffusion_index, format=index, heading="DI", short="di"
    ),
    Measure(
        "effective_pixels",
        "Effective pixels",
        lambda e: e.result.effective_pixels,
        format=count,
        heading="Eff. pixels",
        short="pixels",
    ),
    _fact("gini", float, lambda e: e.result.gini),
    _fact("area50", float, lambda e: e.area(0.50)),
    _fact("area90", float, lambda e: e.area(0.90)),
    Measure(
        "area95",
        "95 % area",
        lambda e: e.area(0.95),
        format=count,
        unit="LR px",
        latex="Area$_{95}$",
        short="area",
        places=_LATEX | _REPORT,
    ),
    Measure("receptive_field_used", "95 % area / RF", _used, format=percent, unit="%", places=_REPORT),
    Measure("radius_mean", "Mean distance", lambda e: e.radius.mean, format=fixed(1), unit="LR px", places=_REPORT),
    _fact("radius_rms", float, lambda e: e.radius.rms),
    _quality("psnr_window", "PSNR, window", "PSNR window", "psnr", lambda e: e.psnr_window),
    _quality("psnr_image", "PSNR, image", "PSNR image", "psnr-image", lambda e: e.psnr_image),
    Measure(
        "ssim_image", "SSIM", lambda e: e.ssim_image, format=fixed(4), better="higher", places=_REPORT, of_picture=True
    ),
    Measure("lpips", "LPIPS", lambda e: e.lpips, format=fixed(4), better="lower", places=_REPORT),
    _fact("reference_psnr_window", float, _of_reference("psnr_window")),
    _fact("reference_psnr_image", float, _of_reference("psnr_image")),
    _doubt("completeness_gap", "Completeness gap", "Gap", "gap", lambda e: e.result.completeness_gap),
    _doubt("map_error", "Map error, est.", "Map error", "error", lambda e: e.result.map_error),
    Measure(
        "evaluations",
        "Gradient evaluations",
        lambda e: e.result.evaluations,
        kind=int,
        better="lower",
        heading="Steps",
        places=_TABLES,
    ),
    Measure("seconds", "Time", lambda e: e.seconds, format=fixed(1, "s"), unit="s", better="lower", places=_TABLES),
    *_TEXTURES,
    *(
        _fact(f"{part}_{feature}", float, _texture(part, feature))
        for part in ("around", "window")
        for feature in ("orientation", "peak_wavelength")
    ),
    _fact("parameters", int, _network(lambda n: n.parameters)),
    _fact("receptive_field_side", float, _network(lambda n: n.receptive_field.true)),
    _fact(
        "receptive_field_global",
        bool,
        _network(lambda n: n.receptive_field.is_global if n.receptive_field.known else None),
    ),
    _fact("receptive_field_pixels", int, lambda e: e.within_reach),
    # Where the window lies in the whole picture, in SR pixels, and what of the picture was shown, in LR pixels.
    _fact("top", int, lambda e: e.result.window.top + e.place[0] * e.result.scale),
    _fact("left", int, lambda e: e.result.window.left + e.place[1] * e.result.scale),
    _fact("height", int, lambda e: e.result.window.height),
    _fact("width", int, lambda e: e.result.window.width),
    _fact("scale", int, lambda e: e.result.scale),
    _fact("lr_top", int, lambda e: e.place[0]),
    _fact("lr_left", int, lambda e: e.place[1]),
    _fact("lr_height", int, lambda e: e.result.lr_size[0]),
    _fact("lr_width", int, lambda e: e.result.lr_size[1]),
    _fact("sr_outside", float, lambda e: e.outside),
    _fact("degradation", str, _subject(lambda s: s.degradation)),
    _fact("detector_at_image", float, lambda e: e.result.detector_at_image),
    _fact("detector_at_baseline", float, lambda e: e.result.detector_at_baseline),
    _fact("converged", bool, lambda e: e.result.converged),
    _fact("evaluation", str, lambda e: e.result.evaluation),
    _fact("device", str, _network(lambda n: n.device)),
    _fact("method", str, lambda e: e.result.method.name),
    _fact("detector", str, lambda e: e.result.method.detector.name),
    _fact("preset", str, lambda e: e.result.method.preset_text),
    _fact("conditions", str, lambda e: e.result.conditions),
    _fact("image_sha256", str, _subject(lambda s: s.digest)),
    _fact("weights_sha256", str, lambda e: e.result.network_digest),
)
_measures = {measure.key: measure for measure in _OWN}

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
