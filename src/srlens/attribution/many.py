"""Many windows of one image: the path is blurred once, forward passes are shared."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from srlens.attribution.arc import Clock
from srlens.attribution.gradient import Evaluator, SuperResolver
from srlens.attribution.integrate import Curve, FixedSum, Progress, nodes_of
from srlens.attribution.result import Attribution
from srlens.attribution.settings import Settings
from srlens.errors import SettingError
from srlens.imaging.window import Window
from srlens.windowed import SharedForward, WholeForward, Windowed

_HELD_PER_WINDOW = 6  # maps of float64 that a window holds: sum, bends, last gradient, last difference, two at work


@dataclass(frozen=True)
class Ensemble:
    """What all windows share.

    Attributes:
        network: what is explained, its weights frozen by the caller.
        image: the LR image as the network takes it, C×h×w, float64, CPU.
        settings: with a fixed number of steps.
    """

    network: SuperResolver
    image: Tensor
    settings: Settings


def attribute_windows(
    ensemble: Ensemble,
    windows: Sequence[Window],
    *,
    memory: int,
    regional: bool = True,
    progress: Progress | None = None,
) -> Iterator[Attribution]:
    """Yield the attribution of each window, in order; equal to separate ones with the same nodes.

    A window whose map is zero everywhere (a flat window) is yielded like any other.

    Args:
        ensemble: network, image, settings.
        windows: in SR pixels.
        memory: bytes that the maps of windows in hand may take; fewer windows at once mean more shared forward passes.
        regional: evaluate only what a window needs, once that is verified to give the same.
        progress: called with (window gradients done, all of them).

    Raises:
        WindowError: a window does not fit.
        SettingError: the settings name a tolerance instead of steps.
        NotDifferentiableError, NotFiniteError, OutOfMemoryError: the evaluation failed.
    """
    settings, image, network = ensemble.settings, ensemble.image, ensemble.network
    if settings.steps is None:
        raise SettingError("Many windows share their nodes: give steps, not a tolerance.")
    height, width = image.shape[-2:]
    total = len(windows) * settings.steps
    windowed = Windowed(network, wanted=regional)
    evaluators = [
        Evaluator(network, settings.detector, window, height, width, expected=total, windowed=windowed)
        for window in windows
    ]
    per_window = image.numel() * 8 * _HELD_PER_WINDOW
    at_once = max(1, int(memory // per_window))
    curve = Curve(settings.path, image, Clock(settings.path, image, settings.parameterisation))
    digest = network.digest
    done = 0
    for start in range(0, len(windows), at_once):
        chosen = evaluators[start : start + at_once]
        forward, how = _forward(windowed, curve, chosen, total)
        ends = _detect(forward, settings.path.at(image, torch.tensor([0.0, 1.0], dtype=torch.float64)), chosen)
        sums = [FixedSum(image.shape, settings.rule) for _ in chosen]
        before: Tensor | None = None
        for points, increments in nodes_of(curve, settings.rule, settings.steps, lambda: 1):
            with torch.inference_mode(False), torch.enable_grad():
                x = chosen[0].leaf(points)
                common = forward.common(x.clone())
                for k, evaluator in enumerate(chosen):
                    patch = forward.patch(k, common)
                    gradient = evaluator.backward(x, patch, keep_graph=True)
                    sums[k].add(gradient, increments, before)
                    done += 1
                    if progress is not None:
                        progress(done, total)
            before = increments[-1]
        for k, evaluator in enumerate(chosen):
            integral = sums[k].result()
            yield Attribution(
                map=np.array(integral.map.numpy()),
                window=windows[start + k],
                detector_at_baseline=float(ends[k][0]),
                detector_at_image=float(ends[k][1]),
                map_error=integral.error,
                evaluations=evaluator.evaluations,
                converged=True,
                settings=settings,
                network=network.name,
                network_digest=digest,
                scale=network.scale,
                evaluation=how,
            )


def _detect(
    forward: SharedForward | WholeForward, images: Tensor, evaluators: Sequence[Evaluator]
) -> list[list[float]]:
    """Detector values of every window at each of the images."""
    values: list[list[float]] = [[] for _ in evaluators]
    with torch.no_grad():
        for image in images:
            x = evaluators[0].leaf(image[None])
            common = forward.common(x.clone())
            for k, evaluator in enumerate(evaluators):
                values[k].append(float(evaluator.values(x, forward.patch(k, common))[0]))
    return values


def _forward(
    windowed: Windowed, curve: Curve, evaluators: Sequence[Evaluator], expected: int
) -> tuple[SharedForward | WholeForward, str]:
    """How to compute the windows together, and in words."""
    first = evaluators[0]
    x = first.leaf(curve.points(np.array([0.5])))
    with first.named_errors(), torch.inference_mode(False), torch.enable_grad():
        return windowed.shared(x, [evaluator.read for evaluator in evaluators], first.differentiate, expected)
