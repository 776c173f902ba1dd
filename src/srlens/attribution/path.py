"""From a baseline to the image: the paths along which gradients are integrated.

A path is a curve and a baseline, and its name is both: ``progressive-blur``, ``linear-black``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, is_dataclass
from typing import Any, ClassVar, Protocol

from torch import Tensor

from srlens.attribution.baseline import BASELINES, Baseline, Black, Blurred, find_baseline, setting_names
from srlens.errors import SettingError


class Path(Protocol):
    """A curve γ(α) of LR images, γ(0) = baseline and γ(1) = image; a frozen dataclass that holds its baseline.

    Images are C×h×w, float64, on the CPU; α are values in [0, 1], shape (N,); results N×C×h×w. A path may also have
    ``derivative(image, alpha)``, dγ/dα; where it has none, ``derivative`` takes differences.
    """

    @property
    def baseline(self) -> Baseline:
        """Where it starts."""
        ...

    @property
    def curve(self) -> str:
        """Its key in :data:`CURVES`."""
        ...

    def at(self, image: Tensor, alpha: Tensor) -> Tensor:
        """γ(α)."""
        ...


@dataclass(frozen=True)
class Progressive:
    """The baseline's blur fades to none (the paper's eq. 6): ``γ(α) = ω(σ − ασ) ⊗ I``.

    Raises:
        SettingError: the baseline is none that can fade (one with ``fading`` and ``fading_derivative``).
    """

    baseline: Blurred
    curve: ClassVar[str] = "progressive"

    def __post_init__(self) -> None:
        if not hasattr(self.baseline, "fading"):
            raise SettingError(
                f"A progressive path needs a baseline that can fade, such as blur, got {self.baseline.name!r}. Take "
                f"the straight line: linear-{self.baseline.name}."
            )

    def at(self, image: Tensor, alpha: Tensor) -> Tensor:
        """γ(α): N×C×h×w for C×h×w and (N,)."""
        return self.baseline.fading(image, alpha)

    def derivative(self, image: Tensor, alpha: Tensor) -> Tensor:
        """dγ/dα."""
        return self.baseline.fading_derivative(image, alpha)


@dataclass(frozen=True)
class Line:
    """A straight line from the baseline I': ``γ(α) = (1 − α) I' + α I``."""

    baseline: Baseline
    curve: ClassVar[str] = "linear"

    def at(self, image: Tensor, alpha: Tensor) -> Tensor:
        """γ(α): N×C×h×w for C×h×w and (N,)."""
        a = alpha.to(image.dtype)[:, None, None, None]
        return (1 - a) * self.baseline.of(image) + a * image

    def derivative(self, image: Tensor, alpha: Tensor) -> Tensor:
        """dγ/dα, the same everywhere."""
        return (image - self.baseline.of(image)).expand(len(alpha), *image.shape)


#: Curves by name; each takes a baseline. Add your own class here, and its paths (``NAME-blur``) have a name at once.
CURVES: dict[str, type[Any]] = {"progressive": Progressive, "linear": Line}


def ProgressiveBlur(sigma: float = 1.2, kernel: int | None = None) -> Path:  # noqa: N802 - a public name
    """The paper's path: a Gaussian blur of σ (LR pixels) that fades to none; see ``Blurred``."""
    return Progressive(Blurred(sigma, kernel))


def LinearFromBlur(sigma: float = 1.2, kernel: int | None = None) -> Path:  # noqa: N802 - a public name
    """A straight line from the image blurred by σ (LR pixels); see ``Blurred``."""
    return Line(Blurred(sigma, kernel))


def LinearFromBlack() -> Path:  # noqa: N802 - a public name
    """A straight line from black, the classic path of integrated gradients."""
    return Line(Black())


def path_names() -> tuple[str, ...]:
    """Every name that :func:`find_path` takes."""
    fading = {name for name, baseline in BASELINES.items() if hasattr(baseline, "fading")}
    return tuple(f"{c}-{b}" for c in CURVES for b in BASELINES if c != "progressive" or b in fading)


def path_name(path: Path) -> str:
    """The name of a path, ``CURVE-BASELINE``."""
    return f"{path.curve}-{path.baseline.name}"


def path_settings(path: Path) -> dict[str, Any]:
    """The settings of a path besides its name, as plain values: those of its baseline and its curve."""
    return {name: getattr(part, name) for part in (path.baseline, path) for name in setting_names(part)}


def all_path_settings() -> tuple[str, ...]:
    """The settings of any path."""
    return tuple(dict.fromkeys(name for one in (*BASELINES.values(), *CURVES.values()) for name in setting_names(one)))


def find_path(path: str | Path, settings: Mapping[str, Any] | None = None) -> Path:
    """A path by name, or the one given.

    Args:
        path: ``CURVE-BASELINE``, or a path of your own.
        settings: of its baseline and curve, such as σ and kernel in LR pixels; None or left out: their defaults.

    Raises:
        SettingError: no path has that name, or it has no such setting.
    """
    given = {name: value for name, value in (settings or {}).items() if value is not None}
    if not isinstance(path, str):
        parts = (path, getattr(path, "baseline", None))
        if not all(is_dataclass(part) and not isinstance(part, type) for part in parts) or not hasattr(path, "at"):
            raise _unknown(path)
        # Another σ alone takes the kernel that it needs.
        regrown = {"kernel": None} | given if "sigma" in given else given
        return path if not given else find_path(path_name(path), path_settings(path) | regrown)
    curve, _, baseline = path.partition("-")
    if curve not in CURVES or baseline not in BASELINES:
        raise _unknown(path)
    own = [name for name in setting_names(CURVES[curve]) if name in given]
    start = find_baseline(baseline, {name: value for name, value in given.items() if name not in own})
    found: Path = CURVES[curve](start, **{name: given[name] for name in own})
    return found


def _unknown(path: object) -> SettingError:
    return SettingError(
        f"No path is called {path!r}; known: {', '.join(path_names())}. Or pass a path object (a frozen dataclass that "
        "holds its baseline), e.g. srlens.ProgressiveBlur(sigma=1.2, kernel=9)."
    )


_STEP = 1e-5  # of α, in float64


def derivative(path: Path, image: Tensor, alpha: Tensor) -> Tensor:
    """dγ/dα: the path's own, or where it has none a difference quotient (its error is about 1e-10 of γ'')."""
    own = getattr(path, "derivative", None)
    if own is not None:
        result: Tensor = own(image, alpha)
        return result
    before, after = (alpha - _STEP).clamp(min=0), (alpha + _STEP).clamp(max=1)
    width = (after - before)[:, None, None, None]
    return (path.at(image, after) - path.at(image, before)) / width
