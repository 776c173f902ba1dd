"""A method as one value: which one, with every setting; to be written down and read back."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from difflib import get_close_matches
from functools import partial
from inspect import Parameter, signature
from typing import Any, Self, cast

import numpy as np

from srlens.attribution.detector import Detector, find_detector
from srlens.attribution.methods.causal_effect import CausalEffect
from srlens.attribution.methods.gradient import Gradient, GradientInput
from srlens.attribution.methods.occlusion import Occlusion
from srlens.attribution.methods.path_integral import path_integral
from srlens.attribution.path import all_path_settings
from srlens.attribution.scene import Algorithm
from srlens.errors import SettingError
from srlens.naming import look_up


@dataclass(frozen=True)
class _Entry:
    line: str
    make: Callable[..., Algorithm]
    fixed: Mapping[str, Any]

    @property
    def accepts(self) -> tuple[str, ...]:
        """The settings that it takes: its parameters, and those of paths where it takes what these take."""
        parameters = signature(self.make).parameters.values()
        names = [p.name for p in parameters if p.kind is not Parameter.VAR_KEYWORD]
        return (*names, *all_path_settings()) if len(names) < len(parameters) else tuple(names)


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

    def entry(self, name: str) -> _Entry:
        """What makes the algorithm from its settings.

        Raises:
            SettingError: no method has that name.
        """
        return look_up("method", name, self._made)

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
METHODS.add("linear-blur", "gradients integrated straight from the blurred image", path_integral, path="linear-blur")
METHODS.add(
    "ig-black", "integrated gradients from black (Sundararajan et al. 2017)", path_integral, path="linear-black"
)
METHODS.add("gradient", "the gradient at the image (Simonyan et al. 2014)", Gradient)
METHODS.add("gradient-input", "the gradient at the image times the image (Shrikumar et al. 2017)", GradientInput)
METHODS.add("occlusion", "the detector's loss when blocks are replaced (Zeiler & Fergus 2014)", Occlusion)
METHODS.add("causal-effect", "the mean loss when blocks are replaced by natural patches (Hu et al. 2025)", CausalEffect)

#: Settings that stand in for those not given, as far as a method takes them.
PRESETS: Mapping[str, Mapping[str, Any]] = {
    "default": {},
    # Gu & Dong 2021: σ 1.2, kernel 9, 50 steps uniform in σ, right Riemann rule, Gini on the shifted map.
    "paper": {"rule": "right-riemann", "steps": 50},
}


@dataclass(frozen=True, init=False, repr=False)
class Method:
    """How maps are made: everything that a number depends on besides network, image and window.

    ::

        srlens.Method("lam", preset="paper", sigma=2.0)
        srlens.Method("occlusion", block=8, fill="mean")

    Attributes:
        name: a key of :data:`METHODS`.
        detector: the scalar of the window.
        preset: ``"default"`` or ``"paper"``.
        algorithm: the method itself, with its settings.

    Raises:
        SettingError: an unknown name, a setting that the method does not have, a value out of range.
    """

    name: str
    detector: Detector
    preset: str
    algorithm: Algorithm

    def __init__(
        self, name: str = "lam", *, preset: str | None = None, detector: str | Detector | None = None, **settings: Any
    ) -> None:
        preset = "default" if preset is None else preset
        look_up("preset", preset, PRESETS)
        entry = METHODS.entry(name)
        given = {key: value for key, value in settings.items() if value is not None}
        if unknown := [key for key in given if key not in entry.accepts]:
            raise SettingError(_no_setting(name, unknown[0], entry.accepts))
        algorithm = _made(name, preset, given)
        if not is_dataclass(algorithm):
            raise SettingError(f"The method {name!r} is made of {algorithm!r}, which is no dataclass of its settings.")
        record = _record(algorithm)
        if other := [key for key, value in entry.fixed.items() if record.get(key, value) != value]:
            raise SettingError(f"{other[0]} of the method {name!r} is {entry.fixed[other[0]]!r}; take the method lam.")
        set_field = partial(object.__setattr__, self)
        set_field("name", name)
        set_field("detector", find_detector(detector if detector is not None else "gradient"))
        set_field("preset", preset)
        set_field("algorithm", algorithm)

    @property
    def shifted_index(self) -> bool:
        """Whether the diffusion index is taken with the authors' shift of 1e-7 per pixel."""
        return self.preset == "paper"

    @property
    def departures(self) -> dict[str, Any]:
        """The settings, as plain values, that differ from those of the preset."""
        plain = _record(_made(self.name, self.preset, {}))
        own = {key: value for key, value in _record(self.algorithm).items() if value != plain.get(key)}
        return own if self.detector.name == "gradient" else {**own, "detector": self.detector.name}

    @property
    def preset_text(self) -> str:
        """The preset, and for another than the default what departs from it: ``"paper, but steps"``."""
        departs = {_GROUPS.get(key, key) for key in self.departures} - {"tolerance", "max_steps"}
        if not departs or self.preset == "default":
            return self.preset
        return f"{self.preset}, but {' and '.join(sorted(departs, key=_place))}"

    def but(self, **settings: Any) -> Self:
        """The same method with other settings; None: the method's default.

        Settings that follow from another one go with it unless they are given beside it: another σ alone takes its own
        kernel, another rule its own steps. Another preset changes what was not chosen otherwise; another ``method`` has
        its own settings, of which only ``preset`` and ``detector`` are taken over.
        """
        algorithm, plain = self.algorithm, _made(self.name, self.preset, {})
        name = settings.pop("method", self.name)
        dropped = {one for key in settings for one in _DEPENDENT.get(key, ())}
        own = [] if name != self.name else [f.name for f in fields(cast(Any, algorithm)) if f.name not in dropped]
        kept = {key: getattr(algorithm, key) for key in own if getattr(algorithm, key) != getattr(plain, key, None)}
        return type(self)(name, **{"preset": self.preset, "detector": self.detector, **kept, **settings})

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
        settings = {**record, **({"detector": detector} if detector is not None else {})}
        return cls(settings.pop("method", None), **settings)

    def described(self, evaluations: int) -> str:
        """Every setting in words, with the number of evaluations that were made."""
        own = getattr(self.algorithm, "described", None)
        if own is not None:
            text = own(evaluations)
        else:
            settings = (f"{key} {value}" for key, value in _record(self.algorithm).items() if value is not None)
            text = ", ".join([*settings, f"{evaluations} evaluation{'s' * (evaluations != 1)}"])
        return f"{self.name}, {self.detector.name} detector, {text}, {self.preset_text} preset"

    @property
    def question(self) -> str:
        """Which question a map answers, in words."""
        return self.algorithm.question(self.detector.asks or f"the detector {self.detector.name!r}")

    def __repr__(self) -> str:
        settings = {"preset": self.preset, **self.departures} if self.preset != "default" else self.departures
        text = ", ".join([repr(self.name), *(f"{key}={value!r}" for key, value in settings.items())])
        return f"Method({text})" if len(text) < 190 else f"Method({text[:189]}…)"


def as_method(method: str | Method, settings: Mapping[str, Any]) -> Method:
    """A method by name with settings, or the one given, with those settings changed that are given beside it."""
    if isinstance(method, Method):
        return method.but(**settings) if settings else method
    return Method(method, **settings)


_GROUPS = {"sigma": "path", "kernel": "path"}
_ORDER = ("steps", "detector", "path", "rule", "parameterisation")
#: Settings that follow from another one, unless they are given beside it.
_DEPENDENT = {"path": ("sigma", "kernel"), "sigma": ("kernel",), "rule": ("parameterisation", "steps")}
_DEPENDENT |= {"tolerance": ("steps",), "steps": ("tolerance",)}


def _place(departure: str) -> tuple[int, str]:
    return (_ORDER.index(departure) if departure in _ORDER else len(_ORDER)), departure


def _made(name: str, preset: str, given: Mapping[str, Any]) -> Algorithm:
    """The algorithm with what is given, and else what preset and method have."""
    entry = METHODS.entry(name)
    usual = {key: value for key, value in PRESETS[preset].items() if key in entry.accepts} | dict(entry.fixed)
    return entry.make(**{**usual, **given})


def _record(algorithm: Any) -> dict[str, Any]:
    own = getattr(algorithm, "record", None)
    record = own() if own is not None else {f.name: getattr(algorithm, f.name) for f in fields(algorithm)}
    return {key: value.item() if isinstance(value, np.generic) else value for key, value in record.items()}


def _no_setting(name: str, setting: str, accepted: tuple[str, ...]) -> str:
    close = get_close_matches(setting, accepted, n=1)
    hint = f" Did you mean {close[0]}?" if close else ""
    return (
        f"{setting!r} is no setting of the method {name!r}.{hint} It takes preset, detector"
        f"{''.join(f', {one}' for one in accepted)}."
    )
