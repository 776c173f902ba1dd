"""The diffusion index over the whole image: a grid of windows, their forward passes shared."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from srlens.attribution.attribute import check_image
from srlens.attribution.detector import Detector
from srlens.attribution.gradient import SuperResolver
from srlens.attribution.integrate import Progress
from srlens.attribution.many import Ensemble, attribute_windows
from srlens.attribution.path import Path
from srlens.attribution.quadrature import Parameterisation, Rule
from srlens.attribution.result import Attribution
from srlens.attribution.settings import Settings, resolve_settings
from srlens.errors import SettingError, WindowError, ZeroMapError
from srlens.imaging.window import Window
from srlens.networks.frozen import frozen

DEFAULT_MEMORY = 2**30


@dataclass(frozen=True)
class FieldPoint:
    """One window of a field.

    Attributes:
        window: in SR pixels.
        diffusion_index: None where the map is zero everywhere (a flat window); depends on the LR size.
        effective_pixels: None likewise.
        detector_at_image: D(F(I)): how much edge and texture the window holds.
        completeness_gap: relative.
        map_error: estimated relative L2 error; None with one step or a zero map.
    """

    window: Window
    diffusion_index: float | None
    effective_pixels: float | None
    detector_at_image: float
    completeness_gap: float
    map_error: float | None

    @classmethod
    def of(cls, result: Attribution) -> "FieldPoint":
        """The numbers of one attribution, without its map."""
        index: float | None
        pixels: float | None
        try:
            index, pixels = result.diffusion_index, result.effective_pixels
        except ZeroMapError:  # a flat window has no map: said as None, never as a number
            index = pixels = None
        return cls(result.window, index, pixels, result.detector_at_image, result.completeness_gap, result.map_error)


@dataclass(frozen=True, eq=False)
class Field:
    """Diffusion index, effective pixels and detector over an image.

    Attributes:
        points: by rows, top to bottom, left to right.
        lr_size: height and width of the LR image, in LR pixels.
        scale: SR pixels per LR pixel.
        network: its name.
        network_digest: SHA-256 of its weights.
        settings: how every map was computed.
        evaluation: how the network was evaluated.
    """

    points: tuple[FieldPoint, ...]
    lr_size: tuple[int, int]
    scale: int
    network: str
    network_digest: str
    settings: Settings
    evaluation: str

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
    if size < 1 or stride < 1:
        raise SettingError(f"size (={size}) and stride (={stride}) must be at least 1 SR pixel.")
    if min(height, width) < size:
        raise WindowError(f"The SR image is {height}×{width} pixels, smaller than a window of {size}×{size}.")
    tops, lefts = (range((side - size) % stride // 2, side - size + 1, stride) for side in (height, width))
    return tuple(Window.square(top, left, size) for top in tops for left in lefts)


def field_points(
    network: SuperResolver,
    image: Tensor | ArrayLike,
    windows: tuple[Window, ...],
    settings: Settings,
    *,
    memory: int = DEFAULT_MEMORY,
    regional: bool = True,
    progress: Progress | None = None,
) -> Iterator[Attribution]:
    """Yield the attribution of each window as soon as it is known; see :func:`field`."""
    if isinstance(network, nn.Module):
        raise SettingError(
            "A field takes a srlens.Network; wrap the module first: srlens.Network.wrap(module, scale=…)."
        )
    prepared = network.prepare(check_image(image).double())
    settings.path.check(*prepared.shape[-2:])
    with frozen(network.module):
        ensemble = Ensemble(network, prepared, settings)
        yield from attribute_windows(ensemble, windows, memory=memory, regional=regional, progress=progress)


def field_settings(
    steps: int = 12,
    *,
    preset: str | None = None,
    detector: str | Detector | None = None,
    path: str | Path | None = None,
    rule: str | Rule | None = None,
    parameterisation: Parameterisation | None = None,
) -> Settings:
    """Settings of a field: as of :func:`srlens.attribute`, with a fixed number of steps that all windows share."""
    return resolve_settings(
        preset=preset, steps=steps, detector=detector, path=path, rule=rule, parameterisation=parameterisation
    )


def field(
    network: SuperResolver,
    image: Tensor | ArrayLike,
    *,
    size: int = 16,
    stride: int | None = None,
    steps: int = 12,
    preset: str | None = None,
    detector: str | Detector | None = None,
    path: str | Path | None = None,
    rule: str | Rule | None = None,
    parameterisation: Parameterisation | None = None,
    memory: int = DEFAULT_MEMORY,
    regional: bool = True,
    progress: Progress | None = None,
) -> Field:
    """The diffusion index of a grid of windows over the whole SR image.

    The path is blurred once. Every forward pass is shared by all windows as far as the network is global; what is
    local is evaluated window by window, only where it is needed.

    Args:
        network: as for :func:`srlens.attribute`.
        image: the LR image, C×h×w in [0, 1].
        size: side of the windows, in SR pixels.
        stride: of the grid, in SR pixels; ``size`` by default, so that the windows tile the image.
        steps: nodes of every map.
        preset: ``"paper"`` for the published settings; give ``steps=50`` with it.
        detector: see :func:`srlens.attribute`.
        path: see :func:`srlens.attribute`.
        rule: see :func:`srlens.attribute`.
        parameterisation: see :func:`srlens.attribute`.
        memory: bytes that the maps in hand may take; fewer windows at once mean more forward passes.
        regional: evaluate only what a window needs, once that is verified to give the same.
        progress: called with (window gradients done, all of them).

    Raises:
        As :func:`srlens.attribute`, but for ZeroMapError: a flat window has None for its numbers.
    """
    settings = field_settings(
        steps, preset=preset, detector=detector, path=path, rule=rule, parameterisation=parameterisation
    )
    given = check_image(image)
    height, width = given.shape[-2] * network.scale, given.shape[-1] * network.scale
    windows = grid_windows(height, width, size, stride if stride is not None else size)
    points, evaluation = [], ""
    for result in field_points(network, given, windows, settings, memory=memory, regional=regional, progress=progress):
        points.append(FieldPoint.of(result))
        evaluation = result.evaluation
    return Field(
        points=tuple(points),
        lr_size=(given.shape[-2], given.shape[-1]),
        scale=network.scale,
        network=network.name,
        network_digest=network.digest,
        settings=settings,
        evaluation=evaluation,
    )
