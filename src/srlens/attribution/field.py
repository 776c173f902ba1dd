"""The diffusion index over the whole image: a grid of windows."""

from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from srlens.attribution.method import Method
from srlens.attribution.result import Attribution
from srlens.errors import SettingError, WindowError
from srlens.imaging.check import whole
from srlens.imaging.terms import worded
from srlens.imaging.window import Window
from srlens.shown import Shown


@dataclass(frozen=True)
class FieldPoint:
    """One window of a field.

    Attributes:
        window: in SR pixels.
        diffusion_index: None where the map is zero everywhere (a flat window); depends on the LR size.
        effective_pixels: None likewise.
        detector_at_image: D(F(I)): how much edge and texture the window holds.
        completeness_gap: relative; None where the method has no baseline.
        map_error: estimated relative L2 error; None with one step or a zero map.
    """

    window: Window
    diffusion_index: float | None
    effective_pixels: float | None
    detector_at_image: float
    completeness_gap: float | None
    map_error: float | None

    @classmethod
    def of(cls, result: Attribution) -> "FieldPoint":
        """The numbers of one attribution, without its map."""
        # A flat window has no map: said as None, never as a number.
        index, pixels = (None, None) if result.is_zero else (result.diffusion_index, result.effective_pixels)
        return cls(result.window, index, pixels, result.detector_at_image, result.completeness_gap, result.map_error)


@dataclass(frozen=True, eq=False, repr=False)
class Field(Shown):
    """Diffusion index, effective pixels and detector over an image.

    Attributes:
        points: by rows, top to bottom, left to right.
        lr_size: height and width of the LR image, in LR pixels.
        scale: SR pixels per LR pixel.
        network: its name.
        network_digest: SHA-256 of its weights.
        method: how every map was computed.
        evaluations: made for each window.
        evaluation: how the network was evaluated.
        image: the LR image as the network took it, C×h×w in [0, 1]; None where it was not kept.
    """

    points: tuple[FieldPoint, ...]
    lr_size: tuple[int, int]
    scale: int
    network: str
    network_digest: str
    method: Method
    evaluations: int
    evaluation: str
    image: NDArray[np.float64] | None = None

    @property
    def summary(self) -> str:
        """What it is, in one line."""
        height, width = self.lr_size
        known = [point.diffusion_index for point in self.points if point.diffusion_index is not None]
        found = f"median DI {np.median(known):.2f}" if known else "all flat"
        size = worded(f"LR {height}×{width}", self.scale)
        return f"{len(self.points)} windows, {self.method.name} of {self.network}, {size}, {found}"

    @property
    def stride(self) -> int:
        """From one window to the next, in SR pixels; the window's side where there is one alone."""
        starts = (sorted({getattr(point.window, side) for point in self.points}) for side in ("left", "top"))
        return next((int(others[0] - first) for first, *others in starts if others), self.points[0].window.width)

    @classmethod
    def of(cls, results: Iterable[Attribution]) -> "Field":
        """The numbers of attributions of one network on one image, whose maps are let go as they come.

        Raises:
            SettingError: there is none.
        """
        points, last = [], None
        for last in results:
            points.append(FieldPoint.of(last))
        if last is None:
            raise SettingError("A field needs at least one window.")
        same = {one.name for one in fields(cls)} - {"points"}
        return cls(tuple(points), **{name: getattr(last, name) for name in same})

    def grid(self, number: str = "diffusion_index") -> NDArray[np.float64]:
        """A number of :class:`FieldPoint` as rows×columns; NaN where a window is flat."""
        tops = sorted({point.window.top for point in self.points})
        lefts = sorted({point.window.left for point in self.points})
        values = np.full((len(tops), len(lefts)), np.nan)
        for point in self.points:
            value = getattr(point, number)
            if value is not None:
                values[tops.index(point.window.top), lefts.index(point.window.left)] = value
        return values


def grid_windows(height: int, width: int, size: int, stride: int) -> tuple[Window, ...]:
    """Windows on a grid that is centred in an SR image of this size, by rows.

    Raises:
        SettingError: size or stride below 1.
        WindowError: the image is smaller than a window.
    """
    size, stride = (whole(name, side, hint=" SR pixels") for name, side in (("size", size), ("stride", stride)))
    if min(height, width) < size:
        raise WindowError(f"The SR image is {height}×{width} pixels, smaller than a window of {size}×{size}.")
    tops, lefts = (range((side - size) % stride // 2, side - size + 1, stride) for side in (height, width))
    return tuple(Window.square(top, left, size) for top in tops for left in lefts)
