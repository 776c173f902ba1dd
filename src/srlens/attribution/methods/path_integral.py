"""Path-integrated gradients: the paper's map, and integrated gradients along other paths."""

from dataclasses import dataclass, replace
from numbers import Real
from typing import Any, Self

import numpy as np
from torch import Tensor

from srlens.attribution.baseline import check_baseline, given_clean, in_words
from srlens.attribution.image_path import ImagePath
from srlens.attribution.integrate import integrate_fixed, integrate_to_tolerance
from srlens.attribution.path import Path, find_path, path_name, path_settings
from srlens.attribution.quadrature import MIDPOINT, PARAMETERISATIONS, Parameterisation, Rule, find_rule
from srlens.attribution.scene import Algorithm, Explanation, Scene
from srlens.errors import SettingError
from srlens.imaging.check import whole


@dataclass(frozen=True)
class PathIntegral(Algorithm):
    """``map_i = ∫₀¹ ∂D(F(γ(α)))/∂γ(α)_i · ∂γ(α)_i/∂α dα`` (Gu & Dong 2021, eq. 7): a path integral of gradients.

    The detector's change from the baseline to the image is shared out among the LR pixels.

    Attributes:
        path: from the baseline to the image.
        rule: where the gradient is taken.
        parameterisation: ``"Laplacian arc length"``, ``"arc length"`` or ``"uniform"`` in the path's own parameter. It
            moves the nodes; the integral is the same.
        steps: number of nodes, or None: refine to ``tolerance``.
        tolerance: accepted estimated relative L2 error of the map; None with fixed steps.
        max_steps: limit of gradient evaluations when refining.
    """

    path: Path
    rule: Rule
    parameterisation: Parameterisation
    steps: int | None
    tolerance: float | None
    max_steps: int

    @property
    def together(self) -> bool:
        """Windows share their nodes where these are fixed."""
        return self.steps is not None

    @property
    def expected(self) -> int:
        """Refinement makes 9 evaluations at least, and more as a rule."""
        return self.steps if self.steps is not None else 21

    def check(self, height: int, width: int) -> None:
        """Raise ImageTooSmallError if the path needs a larger LR image."""
        check_baseline(self.path.baseline, height, width)

    def reading(self, clean: Tensor | None, image: Tensor) -> Self:
        """The path from the clean picture, where it starts there."""
        baseline: Any = given_clean(self.path.baseline, clean, image)
        path: Any = self.path
        return self if baseline is path.baseline else replace(self, path=replace(path, baseline=baseline))

    def question(self, what: str) -> str:
        """What the map answers."""
        return f"to which input pixels does the window owe {what}, compared with {in_words(self.path.baseline)}?"

    def explain(self, scene: Scene) -> Explanation:
        """Integrate along the path through the scene's image."""
        path = scene.kept("path", lambda: ImagePath(self.path, scene.image, self.parameterisation))
        if self.steps is not None:
            found = integrate_fixed(path, scene, self.rule, self.steps)
        else:
            assert self.tolerance is not None
            found = integrate_to_tolerance(path, scene, self.tolerance, self.max_steps)
        return replace(found, baseline=path.points(np.zeros(1))[0])

    def record(self) -> dict[str, Any]:
        """The settings as plain values, from which :func:`path_integral` makes an equal one."""
        return {
            "path": path_name(self.path),
            **path_settings(self.path),
            "rule": self.rule.name,
            "parameterisation": self.parameterisation,
            "steps": self.steps,
            "tolerance": self.tolerance,
            "max_steps": self.max_steps,
        }

    def described(self, evaluations: int) -> str:
        """The settings in words, with the number of evaluations that were made."""
        path = [path_name(self.path), *(f"{_SIGNS.get(k, k)} {v}" for k, v in path_settings(self.path).items())]
        nodes = f"{self.rule.name} ({self.parameterisation}), {evaluations} steps"
        tolerance = f" (tolerance {self.tolerance:g})" if self.tolerance is not None else ""
        return f"{', '.join(path)}, {nodes}{tolerance}"


_SIGNS = {"sigma": "σ"}


def path_integral(
    *,
    path: str | Path,
    rule: str | Rule = MIDPOINT,
    parameterisation: Parameterisation | None = None,
    steps: int | None = None,
    tolerance: float | None = None,
    max_steps: int = 729,
    **baseline: Any,
) -> PathIntegral:
    """Fill in what was not given, and check every value.

    The tolerance (0.05 by default) counts only for the midpoint rule by arc length without ``steps``; other rules
    cannot be refined and take their own number of steps.

    Args:
        path: ``"progressive-blur"``, ``"linear-blur"``, ``"linear-black"``, …, or a path object.
        rule: ``"midpoint"``, ``"right-riemann"``, ``"gauss-legendre"``.
        parameterisation: None: the rule's own.
        steps: a fixed number of nodes.
        tolerance: in (0, 1).
        max_steps: at least 9.
        **baseline: settings of the path's baseline and curve, such as ``sigma`` and ``kernel`` in LR pixels.

    Raises:
        SettingError: an unknown name, or a value out of range.
    """
    steps = None if steps is None else whole("steps", steps, hint="; the paper uses 50")
    accuracy = 0.05 if tolerance is None else tolerance
    if isinstance(accuracy, bool) or not isinstance(accuracy, Real) or not 0 < accuracy < 1:
        raise SettingError(
            f"tolerance must lie between 0 and 1, got {accuracy!r}: it bounds the map's relative L2 error. "
            "0.05 is the default."
        )
    if parameterisation is not None and parameterisation not in PARAMETERISATIONS:
        known = ", ".join(repr(one) for one in PARAMETERISATIONS)
        raise SettingError(f"parameterisation must be one of {known}, got {parameterisation!r}.")
    chosen = find_rule(rule)
    if steps is None and (chosen.name != MIDPOINT.name or parameterisation == "uniform"):
        steps = chosen.default_steps
    return PathIntegral(
        path=find_path(path, baseline),
        rule=chosen,
        parameterisation=parameterisation if parameterisation is not None else chosen.parameterisation,
        steps=steps,
        tolerance=None if steps is not None else float(accuracy),
        max_steps=whole("max_steps", max_steps, 9),
    )
