"""Sensitivity: the diffusion index and the order of networks against one setting, for claims that must be stable."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite
from numbers import Real
from typing import TYPE_CHECKING, Any, Literal

from numpy.typing import ArrayLike
from torch import Tensor

from srlens.attribution.attribute import attribute
from srlens.attribution.baseline import Blurred, smallest_kernel
from srlens.attribution.method import Method, as_method
from srlens.attribution.result import Attribution
from srlens.comparison.comparable import common_scale
from srlens.comparison.explained import Measurable
from srlens.comparison.measures import measured
from srlens.comparison.subject import Subject
from srlens.comparison.table import known_columns
from srlens.errors import SettingError
from srlens.imaging.window import Window
from srlens.networks.network import Network
from srlens.shown import Shown

if TYPE_CHECKING:
    import polars

Setting = Literal["sigma", "steps", "window", "kernel"]

#: Values tried unless others are given: σ and kernel in LR pixels, window sides in SR pixels.
DEFAULT_VALUES: dict[str, tuple[float, ...]] = {
    "sigma": (0.6, 0.9, 1.2, 1.8, 2.4, 3.6),
    "steps": (5, 10, 20, 40, 80),
    "window": (8, 12, 16, 24, 32),
    "kernel": (9, 11, 15, 21),
}


@dataclass(frozen=True, eq=False)
class SweepPoint:
    """One network at one value of the setting.

    Attributes:
        value: of the setting.
        result: the attribution.
        rank: of the network's diffusion index among the networks at this value; 1 is the largest.
    """

    value: float
    result: Attribution
    rank: int


@dataclass(frozen=True, eq=False, repr=False)
class Sweep(Shown):
    """The diffusion index of networks against one setting.

    Attributes:
        setting: what was varied.
        window: the window; with ``setting`` "window" its centre is kept.
        points: for each network's name, its points by ascending value.
    """

    setting: Setting
    window: Window
    points: dict[str, tuple[SweepPoint, ...]]

    @property
    def values(self) -> tuple[float, ...]:
        """Of the setting, ascending."""
        return tuple(point.value for point in next(iter(self.points.values())))

    @property
    def moved(self) -> dict[str, tuple[int, int]]:
        """Best and worst rank of the networks whose rank is not the same throughout."""
        ranks = {name: [point.rank for point in points] for name, points in self.points.items()}
        return {name: (min(row), max(row)) for name, row in ranks.items() if min(row) != max(row)}

    @property
    def summary(self) -> str:
        """Whether the claim is stable, in one sentence."""
        span = f"{self.setting} from {self.values[0]:g} to {self.values[-1]:g}"
        if len(self.points) == 1:
            (name, points), *_ = self.points.items()
            indices = [point.result.diffusion_index for point in points]
            return f"With {span}, the diffusion index of {name} lies between {min(indices):.2f} and {max(indices):.2f}."
        if not self.moved:
            return f"With {span}, the order of the {len(self.points)} networks by diffusion index does not change."
        moves = ", ".join(f"{name} (rank {best} to {worst})" for name, (best, worst) in self.moved.items())
        return f"With {span}, the order of the networks by diffusion index changes: {moves}."

    def to_frame(self) -> "polars.DataFrame":
        """One row a network and value, with every measure of the map and every condition."""
        rows = [
            {**measured(Measurable.of(at.result)), "setting": self.setting, "value": float(at.value), "rank": at.rank}
            for points in self.points.values()
            for at in points
        ]
        return known_columns(rows)


def sweep(
    networks: Sequence[Network],
    image: Subject | Tensor | ArrayLike,
    window: Window,
    setting: Setting,
    values: Sequence[float] | None = None,
    *,
    method: str | Method = "lam",
    clean: Tensor | ArrayLike | None = None,
    memory: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    **settings: Any,
) -> Sweep:
    """Attribute ``window`` for each network and each value of one setting.

    Args:
        networks: one or several.
        image: the LR image, C×h×w in [0, 1]; or a :class:`Subject`.
        window: in SR pixels.
        setting: ``"sigma"`` (the kernel grows with it), ``"kernel"`` (σ stays), ``"steps"`` (the rule stays),
            ``"window"`` (side, around the same centre).
        values: ascending; ``DEFAULT_VALUES`` if None.
        method: as for :func:`srlens.attribute`.
        clean: likewise; a Subject brings its own.
        memory: likewise.
        progress: called with (attributions done, attributions in all).
        **settings: of :func:`srlens.attribute`; the swept one takes its values instead.

    Raises:
        SettingError: an unknown setting, no value, one that is no number or out of range, σ or kernel of a path without
            blur, no network, networks of different scales, or two of one name.
    """
    if setting not in DEFAULT_VALUES:
        raise SettingError(f"Cannot sweep {setting!r}; known: {', '.join(DEFAULT_VALUES)}.")
    given = DEFAULT_VALUES[setting] if values is None else values
    if wrong := [v for v in given if isinstance(v, bool) or not (isinstance(v, Real) and isfinite(v))]:
        raise SettingError(f"Values of {setting} must be finite numbers, got {wrong[0]!r}. Leave it out.")
    chosen = sorted(set(given))
    if not chosen:
        raise SettingError("Give at least one value to sweep over.")
    scale = common_scale(networks, "a sweep")
    subject = Subject.of(image, scale, clean)
    networks = [subject.told(network) for network in networks]
    # All of them first, so that a value out of range is refused before anything is computed.
    base = as_method(method, settings)
    variants = [_with(setting, value, window, subject, scale, base) for value in chosen]
    points: dict[str, list[SweepPoint]] = {network.name: [] for network in networks}
    for k, (value, (here, varied)) in enumerate(zip(chosen, variants, strict=True)):
        found: list[Attribution] = []
        for network in networks:
            found.append(attribute(network, subject.lr, here, varied, memory=memory, **subject.made))
            if progress is not None:
                progress(k * len(networks) + len(found), len(chosen) * len(networks))
        order = sorted(found, key=lambda one: -one.diffusion_index)
        for one in found:
            points[one.network].append(SweepPoint(value, one, order.index(one) + 1))
    return Sweep(setting, window, {name: tuple(row) for name, row in points.items()})


def _with(
    setting: str, value: float, window: Window, subject: Subject, scale: int, method: Method
) -> tuple[Window, Method]:
    """The window and the method of one value."""
    if setting in ("steps", "kernel", "window") and value != int(value):
        raise SettingError(f"Values of {setting} must be whole numbers, got {value:g}.")
    if setting == "steps":
        return window, method.but(steps=int(value))
    if setting in ("sigma", "kernel"):
        path = getattr(method.algorithm, "path", None)
        blurred = path.baseline if path is not None else None
        if not isinstance(blurred, Blurred):
            raise SettingError(f"{setting} belongs to a blurred path and cannot be swept with {method.described(0)}.")
        if setting == "sigma":
            return window, method.but(sigma=value, kernel=max(blurred.kernel or 0, smallest_kernel(value)))
        return window, method.but(kernel=int(value))
    side = int(value)
    height, width = subject.lr.shape[-2] * scale, subject.lr.shape[-1] * scale
    top = min(max(0, window.top + (window.height - side) // 2), max(0, height - side))
    left = min(max(0, window.left + (window.width - side) // 2), max(0, width - side))
    return Window.square(top, left, side), method
