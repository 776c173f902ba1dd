"""A method as one value: which one, with every setting; to be written down and read back."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from functools import partial
from inspect import Parameter, signature
from typing import Any, Self, cast

from srlens.attribution.baseline import BASELINES
from srlens.attribution.detector import Detector, find_detector
from srlens.attribution.methods.gradient import Gradient, GradientInput
from srlens.attribution.methods.occlusion import Occlusion
from srlens.attribution.methods.path_integral import path_integral
from srlens.attribution.scene import Algorithm
from srlens.errors import SettingError


@dataclass(frozen=True)
class _Entry:
    line: str
    make: Callable[..., Algorithm]
    fixed: Mapping[str, Any]

    @property
    def accepts(self) -> tuple[str, ...]:
        """The settings that it takes: its parameters, and those of baselines where it takes what these take."""
        parameters = signature(self.make).parameters.values()
        names = [p.name for p in parameters if p.kind is not Parameter.VAR_KEYWORD]
        if len(names) < len(parameters):
            names += [f.name for baseline in BASELINES.values() for f in fields(cast(Any, baseline))]
        return tuple(dict.fromkeys(names))


class Methods(Mapping[str, str]):
    """Methods by name, each with one line on what it is."""

    def __init__(self) -> None:
        self._made: dict[str, _Entry] = {}

    def add(self, name: str, line: str, make: Callable[..., Algorithm], **fixed: Any) -> None:
        """Add a method, or replace one; the command line, study files and the page know it at once.

        Args:
            name: what it is called.
            line: what it is.
            make: a class (see :class:`Algorithm`), or a function of its settings by keyword.
            **fixed: settings of ``make`` that are the method's own and cannot be chosen.
        """
        self._made[name] = _Entry(line, make, fixed)

    def entry(self, name: str) -> "_Entry":
        """What makes the algorithm from its settings.

        Raises:
            SettingError: no method has that name.
        """
        if not isinstance(name, str) or name not in self._made:
            raise SettingError(f"No method is called {name!r}; known: {', '.join(self._made)}.")
        return self._made[name]

    def __getitem__(self, name: str) -> str:
        return self._made[name].line

    def __iter__(self) -> Iterator[str]:
        return iter(self._made)

    def __len__(self) -> int:
        return len(self._made)

    def __repr__(self) -> str:
        return "\n".join(f"{name}: {line}" for name, line in self.items())


#: Every method by name. ``METHODS.add(name, line, MyAlgorithm)`` adds your own.
METHODS = Methods()
METHODS.add(
    "lam",
    "local attribution map: gradients integrated along the progressive blur (Gu & Dong 2021)",
    partial(path_integral, path="progressive-blur"),
)
METHODS.add(
    "linear-blur",
    "gradients integrated along the straight line from the blurred image",
    path_integral,
    path="linear-blur",
)
METHODS.add(
    "ig-black",
    "integrated gradients along the straight line from black (Sundararajan et al. 2017)",
    path_integral,
    path="linear-black",
)
METHODS.add("gradient", "the gradient at the image (Simonyan et al. 2014)", Gradient)
METHODS.add("gradient-input", "the gradient at the image times the image (Shrikumar et al. 2017)", GradientInput)
METHODS.add("occlusion", "the detector's loss when blocks are replaced (Zeiler & Fergus 2014)", Occlusion)

#: Settings that stand in for those not given, as far as a method takes them.
PRESETS: Mapping[str, Mapping[str, Any]] = {
    "default": {},
    # Gu & Dong 2021: σ 1.2, kernel 9, 50 steps uniform in σ, right Riemann rule, Gini on the shifted map.
    "paper": {"rule": "right-riemann", "steps": 50},
}


@dataclass(frozen=True, init=False)
class Method:
    """How maps are made: everything that a number depends on besides network, image and window.

    ::

        srlens.Method("lam", preset="paper", sigma=2.0)
        srlens.Method("occlusion", block=8, fill="mean")

    Attributes:
        name: a key of :data:`METHODS`.
        detector: the scalar of the window.
        preset: ``"default"`` or ``"paper"``.
        departures: what differs from the preset.
        algorithm: the method itself, with its settings.

    Raises:
        SettingError: an unknown name, a setting that the method does not have, a value out of range.
    """

    name: str
    detector: Detector
    preset: str
    departures: tuple[str, ...]
    algorithm: Algorithm

    def __init__(
        self, name: str = "lam", *, preset: str | None = None, detector: str | Detector | None = None, **settings: Any
    ) -> None:
        base = preset if preset is not None else "default"
        if not isinstance(base, str) or base not in PRESETS:
            raise SettingError(f"No preset is called {preset!r}; known: {', '.join(PRESETS)}.")
        entry = METHODS.entry(name)
        given = {key: value for key, value in settings.items() if value is not None}
        if unknown := [key for key in given if key not in entry.accepts]:
            raise SettingError(_no_setting(name, unknown[0], entry.accepts))
        if other := [key for key, value in entry.fixed.items() if given.get(key, value) != value]:
            raise SettingError(f"{other[0]} of the method {name!r} is {entry.fixed[other[0]]!r}; take the method lam.")
        usual = {key: value for key, value in PRESETS[base].items() if key in entry.accepts} | dict(entry.fixed)
        algorithm, plain = entry.make(**{**usual, **given}), _record(entry.make(**usual))
        chosen = find_detector(detector if detector is not None else "gradient")
        departs = {_GROUPS.get(key, key) for key, value in _record(algorithm).items() if value != plain.get(key)}
        if chosen.name != "gradient":
            departs.add("detector")
        set_field = partial(object.__setattr__, self)
        set_field("name", name)
        set_field("detector", chosen)
        set_field("preset", base)
        set_field("departures", tuple(sorted(departs - {"tolerance", "max_steps"}, key=_place)))
        set_field("algorithm", algorithm)

    @property
    def shifted_index(self) -> bool:
        """Whether the diffusion index is taken with the authors' shift of 1e-7 per pixel."""
        return self.preset == "paper"

    @property
    def preset_text(self) -> str:
        """The preset, and for another than the default what departs from it: ``"paper, but steps"``."""
        if not self.departures or self.preset == "default":
            return self.preset
        return f"{self.preset}, but {' and '.join(self.departures)}"

    def but(self, **settings: Any) -> Self:
        """The same method with other settings (None: the method's default); another σ alone takes its own kernel."""
        record = self.to_record()
        for key in settings:
            for dependent in _DEPENDENT.get(key, ()):
                record.pop(dependent, None)
        return self.from_record({**record, **settings}, detector=settings.get("detector", self.detector))

    def to_record(self) -> dict[str, Any]:
        """Every setting as plain values, flat."""
        return {"method": self.name, "preset": self.preset, "detector": self.detector.name, **_record(self.algorithm)}

    @classmethod
    def from_record(cls, record: Mapping[str, Any], *, detector: str | Detector | None = None) -> Self:
        """An equal method from :meth:`to_record`.

        Args:
            record: the settings.
            detector: one of your own, if it has no name in :data:`srlens.DETECTORS`.

        Raises:
            SettingError: as from the class.
        """
        settings = dict(record)
        name, known = settings.pop("method"), settings.pop("detector", None)
        return cls(name, detector=detector if detector is not None else known, **settings)

    def described(self, evaluations: int) -> str:
        """Every setting in words, with the number of evaluations that were made."""
        own = getattr(self.algorithm, "described", None)
        if own is not None:
            text = own(evaluations)
        else:
            settings = (f"{key} {value}" for key, value in _record(self.algorithm).items() if value is not None)
            text = ", ".join([*settings, f"{evaluations} evaluation{'s' * (evaluations != 1)}"])
        return f"{self.name}, {self.detector.name} detector, {text}, {self.preset_text} preset"


def as_method(method: str | Method, settings: Mapping[str, Any]) -> Method:
    """A method by name with settings, or the one given, with those settings changed that are given beside it."""
    if isinstance(method, Method):
        return method.but(**settings) if settings else method
    return Method(method, **settings)


_GROUPS = {"sigma": "path", "kernel": "path"}
_ORDER = ("steps", "detector", "path", "rule", "parameterisation")
#: Settings that follow from another one, unless they are given beside it.
_DEPENDENT = {
    "method": ("path", "sigma", "kernel", "rule", "parameterisation", "steps", "tolerance", "max_steps"),
    "path": ("sigma", "kernel"),
    "sigma": ("kernel",),
    "rule": ("parameterisation", "steps"),
    "tolerance": ("steps",),
    "steps": ("tolerance",),
}


def _place(departure: str) -> tuple[int, str]:
    return (_ORDER.index(departure) if departure in _ORDER else len(_ORDER)), departure


def _record(algorithm: Any) -> dict[str, Any]:
    own = getattr(algorithm, "record", None)
    return dict(own()) if own is not None else {f.name: getattr(algorithm, f.name) for f in fields(algorithm)}


def _no_setting(name: str, setting: str, accepted: tuple[str, ...]) -> str:
    close = get_close_matches(setting, accepted, n=1)
    hint = f" Did you mean {close[0]}?" if close else ""
    return (
        f"{setting!r} is no setting of the method {name!r}.{hint} It takes preset, detector"
        f"{''.join(f', {one}' for one in accepted)}."
    )
