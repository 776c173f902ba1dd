"""The settings of an attribution: everything that a number depends on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Real
from typing import Literal

from srlens.attribution.detector import Detector, find_detector
from srlens.attribution.path import PATHS, Path, ProgressiveBlur
from srlens.attribution.quadrature import MIDPOINT, PARAMETERISATIONS, RIGHT_RIEMANN, Parameterisation, Rule, find_rule
from srlens.errors import SettingError

Preset = Literal["default", "paper"]


@dataclass(frozen=True)
class Settings:
    """How a map is computed.

    Attributes:
        detector: the scalar of the window.
        path: from the baseline to the image.
        rule: where the gradient is taken.
        parameterisation: ``"Laplacian arc length"``, ``"arc length"`` or ``"uniform"`` in the path's own parameter.
        steps: number of nodes, or None: refine to ``tolerance``.
        tolerance: accepted estimated relative L2 error of the map; None with fixed steps.
        max_steps: limit of gradient evaluations when refining.
        preset: ``"default"`` or ``"paper"``; with the names of settings that depart from it.
        shifted_index: the diffusion index is taken with the authors' shift of 1e-7 per pixel.
    """

    detector: Detector
    path: Path
    rule: Rule
    parameterisation: Parameterisation
    steps: int | None
    tolerance: float | None
    max_steps: int
    preset: str
    shifted_index: bool


@dataclass(frozen=True)
class _Preset:
    rule: Rule
    steps: int | None
    shifted_index: bool
    detector: str = "gradient"
    path: Path = field(default_factory=ProgressiveBlur)


PRESETS: Mapping[str, _Preset] = {
    "default": _Preset(rule=MIDPOINT, steps=None, shifted_index=False),
    # Gu & Dong 2021: σ 1.2, kernel 9, 50 steps uniform in σ, right Riemann rule, Gini on the shifted map.
    "paper": _Preset(rule=RIGHT_RIEMANN, steps=50, shifted_index=True),
}


def resolve_settings(
    *,
    preset: str | None = None,
    tolerance: float = 0.05,
    steps: int | None = None,
    detector: str | Detector | None = None,
    path: str | Path | None = None,
    rule: str | Rule | None = None,
    parameterisation: Parameterisation | None = None,
    max_steps: int = 729,
) -> Settings:
    """Fill in what was not given from the preset, and check every value.

    The tolerance counts only for the midpoint rule by arc length without ``steps``; other rules cannot be refined and
    take their own number of steps.

    Raises:
        SettingError: an unknown name, steps < 1, a tolerance outside (0, 1), max_steps < 9.
    """
    name = preset if preset is not None else "default"
    if not isinstance(name, str) or name not in PRESETS:
        raise SettingError(f"No preset is called {name!r}; known: {', '.join(PRESETS)}.")
    base = PRESETS[name]
    if steps is not None and (isinstance(steps, bool) or not isinstance(steps, int) or steps < 1):
        raise SettingError(f"steps must be a whole number of at least 1, got {steps!r}; the paper uses 50.")
    if isinstance(max_steps, bool) or not isinstance(max_steps, int) or max_steps < 9:
        raise SettingError(f"max_steps must be a whole number of at least 9, got {max_steps!r}.")
    if isinstance(tolerance, bool) or not isinstance(tolerance, Real) or not 0 < tolerance < 1:
        raise SettingError(
            f"tolerance must lie between 0 and 1, got {tolerance!r}: it bounds the map's relative L2 error. "
            "0.05 is the default; below 0.005 float32 rounding dominates."
        )
    if parameterisation is not None and parameterisation not in PARAMETERISATIONS:
        known = ", ".join(repr(one) for one in PARAMETERISATIONS)
        raise SettingError(f"parameterisation must be one of {known}, got {parameterisation!r}.")
    chosen_rule = find_rule(rule) if rule is not None else base.rule
    chosen_steps = steps if steps is not None else base.steps
    if chosen_steps is None and (chosen_rule.name != MIDPOINT.name or parameterisation == "uniform"):
        chosen_steps = chosen_rule.default_steps
    chosen_path = find_path(path) if path is not None else base.path
    chosen_detector = find_detector(detector if detector is not None else base.detector)
    departures = [
        label
        for label, departs in (
            ("steps", steps is not None and steps != base.steps),
            ("detector", chosen_detector.name != base.detector),
            ("path", chosen_path != base.path),
            ("rule", chosen_rule.name != base.rule.name),
            ("parameterisation", parameterisation not in (None, base.rule.parameterisation)),
        )
        if departs
    ]
    return Settings(
        detector=chosen_detector,
        path=chosen_path,
        rule=chosen_rule,
        parameterisation=parameterisation if parameterisation is not None else chosen_rule.parameterisation,
        steps=chosen_steps,
        tolerance=None if chosen_steps is not None else tolerance,
        max_steps=max_steps,
        preset=name + (f", but {' and '.join(departures)}" if departures and name != "default" else ""),
        shifted_index=base.shifted_index,
    )


def find_path(path: str | Path) -> Path:
    """A path by name with the paper's settings, or the one given.

    Raises:
        SettingError: no path has that name.
    """
    if isinstance(path, str) and path in PATHS:
        return PATHS[path]()
    if isinstance(path, str | type) or not all(hasattr(path, part) for part in ("name", "check", "at", "derivative")):
        raise SettingError(
            f"No path is called {path!r}; known: {', '.join(PATHS)}. Or pass a path object, e.g. "
            "srlens.ProgressiveBlur(sigma=1.2, kernel=9)."
        )
    return path
