"""Causal reach: how far from the window pixels must lie before their replacement no longer matters.

Everything farther than r LR pixels from the window is replaced. What a map has far off may cancel; this asks the
network.
"""

from collections.abc import Callable, Sequence
from math import inf
from numbers import Real

import torch
from numpy.typing import ArrayLike
from torch import Tensor

from srlens.attribution.detector import Detector
from srlens.attribution.scene import Progress
from srlens.errors import NoEffectError, SettingError
from srlens.imaging.window import Window
from srlens.networks.network import Network
from srlens.trust.fills import Fill, find_fill
from srlens.trust.intervention import Effects, Interventions
from srlens.trust.reach_result import Reach, ReachCurve, ReachPoint

#: The fills of the causal reach, which differ in kind: without detail, without structure, with structure of others.
REACH_FILLS = ("blur", "mean", "patches")
#: The change of the window that counts, in dB of PSNR against the unchanged one: 1 % of the value range (RMSE 0.01).
THRESHOLD_DB = 40.0


def reach(
    network: Network,
    image: Tensor | ArrayLike,
    window: Window,
    clean: Tensor | ArrayLike | None = None,
    *,
    fills: Sequence[str | Fill] = REACH_FILLS,
    threshold_db: float = THRESHOLD_DB,
    nearer: bool = True,
    detector: str | Detector = "gradient",
    memory: int | None = None,
    regional: bool = True,
    progress: Progress | None = None,
) -> Reach:
    """Measure how much context a window needs, by replacing everything farther than r LR pixels from it.

    The distance of a pixel is its Chebyshev distance from the LR pixels that the window covers. r is 0, 1, 2, 4, 8, …;
    between the largest of them whose replacement changes the window and the next one the radius is found to one pixel
    by bisection. What no path reaches by the architecture is not computed.

    Args:
        network: as for :func:`srlens.attribute`, but it need not be differentiable.
        image: the LR image, C×h×w in [0, 1].
        window: in SR pixels.
        clean: the ground truth, C×sh×sw in [0, 1]; changes of PSNR are then known.
        fills: names of :data:`srlens.FILLS`, or fills of your own. The reach holds under every one of them.
        threshold_db: the change that counts, > 0 dB: more, and smaller changes count.
        nearer: also replace everything nearer than r instead: what far pixels alone can do.
        detector: of which the share is told beside the change of the window.
        memory: see :class:`srlens.Explainer`.
        regional: evaluate the network only where the window needs it.
        progress: called with (images done, images expected).

    Raises:
        SettingError, ImageError, ImageTooSmallError, ChannelError, WindowError: something given cannot be used.
        NoEffectError: not even replacing the whole picture changes the window.
        NotFiniteError, OutOfMemoryError, ModuleError: the evaluation failed.
    """
    made = Interventions(
        network, image, window, clean=clean, detector=detector, memory=memory, regional=regional, progress=progress
    )
    return measure_reach(made, fills=fills, threshold_db=threshold_db, nearer=nearer)


def measure_reach(
    made: Interventions,
    *,
    fills: Sequence[str | Fill] = REACH_FILLS,
    threshold_db: float = THRESHOLD_DB,
    nearer: bool = True,
) -> Reach:
    """:func:`reach` of interventions that are at hand; the result tells how many further passes it took."""
    chosen = [find_fill(fill) for fill in fills]
    names = [fill.name for fill in chosen]
    if not chosen or len(set(names)) < len(names):
        raise SettingError(f"fills must be one or more, each once; got {', '.join(names) or 'none'}.")
    if isinstance(threshold_db, bool) or not isinstance(threshold_db, Real) or not 0 < threshold_db < inf:
        raise SettingError(f"threshold_db must be above 0 and finite, such as 40 (1 %); got {threshold_db!r}.")
    before, limit = made.passes, _farthest(made)
    made.expect(len(chosen) * expected_passes(limit, nearer=nearer))
    curves = tuple(_curve(made, fill, limit, 10 ** (-threshold_db / 20), nearer=nearer) for fill in chosen)
    if not any(curve.whole for curve in curves):
        raise NoEffectError(
            f"Replacing the whole picture (by {', '.join(names)}) does not change the {made.window} of "
            f"{made.network.name}: the network ignores its input, or the picture equals what it is replaced by. Choose "
            "a picture with structure, or a network that reads it."
        )
    return Reach(
        network=made.network.name,
        network_digest=made.network.digest,
        scale=made.network.scale,
        lr_size=(made.image.shape[-2], made.image.shape[-1]),
        window=made.window,
        detector=made.detector.name,
        threshold_db=float(threshold_db),
        curves=curves,
        field_radius=limit,
        image_radius=int(made.distance.max()),
        detector_at_image=made.detector_at_image,
        psnr=made.psnr,
        passes=made.passes - before,
        evaluation=made.evaluation,
    )


def expected_passes(limit: int, *, nearer: bool = False) -> int:
    """At most so many passes a fill takes, where pixels up to ``limit`` LR pixels away can matter."""
    coarse = len(_coarse(limit))
    return 1 + coarse * (2 if nearer else 1) + max(coarse - 2, 0)


_GRADIENT = 3  # forward passes that a gradient costs, about


def costs_less(gradients: int, height: int, width: int) -> bool:
    """Whether a reach of :data:`REACH_FILLS` takes fewer passes, at the most, than so many gradients cost.

    Args:
        gradients: evaluations of a map.
        height: of the LR image, in pixels.
        width: likewise.
    """
    return 1 + len(REACH_FILLS) * expected_passes(max(height, width)) < _GRADIENT * gradients


def _coarse(limit: int) -> list[int]:
    """0, 1, 2, 4, 8, … below ``limit``."""
    return [radius for radius in (0, *(2**k for k in range(limit.bit_length() + 1))) if radius < limit]


def _farthest(made: Interventions) -> int:
    """Distance of the farthest pixel that the window can depend on, in LR pixels."""
    top, left, bottom, right = made.bounds
    return int(made.distance[top:bottom, left:right].max())


def _curve(made: Interventions, fill: Fill, limit: int, least: float, *, nearer: bool) -> ReachCurve:
    """One fill's curve; ``least`` is the root mean square change from which on it counts."""
    distance = torch.from_numpy(made.distance.copy())

    def effects(radii: Sequence[int], chosen: Callable[[int], Tensor]) -> Effects:
        return made.effects(fill.replaced(made.image, chosen(radius)) for radius in radii)

    whole = effects([limit], lambda radius: distance <= radius)
    change = float(whole.detector[0])

    def points(radii: Sequence[int], chosen: Callable[[int], Tensor]) -> list[ReachPoint]:
        found = effects(radii, chosen) if radii else None
        return [
            ReachPoint(
                radius,
                rmse=float(found.rmse[k]),
                detector_share=float(found.detector[k]) / change if change else None,
                psnr_change=float(found.psnr_change[k]) if found.psnr_change is not None else None,
            )
            for k, radius in enumerate(radii)
            if found is not None
        ]

    coarse = _coarse(limit)
    farther = points(coarse, lambda radius: distance > radius)
    # Beyond the farthest pixel that can matter the answer is known.
    nothing = ReachPoint(limit, 0.0, 0.0 if change else None, 0.0 if whole.psnr_change is not None else None)
    low = max((point.radius for point in farther if point.rmse >= least), default=-1)
    high = min(radius for radius in (*coarse, limit) if radius > low)
    while low >= 0 and high - low > 1:
        (middle,) = points([(low + high) // 2], lambda radius: distance > radius)
        farther.append(middle)
        low, high = (middle.radius, high) if middle.rmse >= least else (low, middle.radius)
    return ReachCurve(
        fill=fill.name,
        radius=high,
        farther=tuple(sorted([*farther, nothing], key=lambda point: point.radius)),
        nearer=tuple(points(coarse, lambda radius: distance <= radius)) if nearer else (),
        whole=float(whole.rmse[0]),
        monotone=all(point.rmse >= least for point in farther if point.radius < high),
    )
