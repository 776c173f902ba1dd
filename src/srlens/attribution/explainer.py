"""One network on one image, with one method: what its windows have in common is computed and proven once."""

import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property, partial
from math import hypot
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from srlens.attribution.evaluator import HALF, Evaluator
from srlens.attribution.field import Field, grid_windows
from srlens.attribution.method import Method, as_method
from srlens.attribution.result import Attribution
from srlens.attribution.scene import Explanation, Progress, Scene
from srlens.attribution.windows import Windows
from srlens.errors import (
    IncompleteWarning,
    NotDifferentiableError,
    SettingError,
    ToleranceWarning,
    UnsteadyNetworkWarning,
    WindowError,
    ZeroMapError,
)
from srlens.imaging.check import check_image, crop_clean, whole
from srlens.imaging.eye import centre_frame
from srlens.imaging.window import Window
from srlens.measures.concentration import absolute_map
from srlens.networks.device import tf32_wanted
from srlens.networks.frozen import frozen
from srlens.networks.network import Network
from srlens.networks.sampled import sampling_facts
from srlens.windowed import Windowed

_HELD_PER_WINDOW = 7  # maps of float64 that a window holds: sum, bends, last gradient, last difference, three at work
_MEMORY = 2**30
_BYTES = "; it counts bytes: 2 GiB is memory=2*2**30"

# A blurred flat image differs from itself by rounding, about 1e-16; one level of a 16-bit image is 1.5e-5.
_NO_DIFFERENCE = 1e-12
_STEADY = 1e-4, 1e-2  # relative difference of two calls at one picture that kernels may make; in half precision
_FAR_FROM_COMPLETE = 0.5  # a gap of so much means that the map explains something else
_CANCELS = 0.05  # of the sum of the absolute map: less is no gap to speak of where the change itself cancels
_ROUNDING_MAY_MATTER = 0.01  # in float32 it makes 2e-3 at most in a gradient (RLFN)


class Explainer:
    """Explains windows of one network's output for one image; :func:`srlens.attribute` for many of them.

    The network is recorded and its windowed evaluation proven once, and the path tabulated once, so that further
    windows cost less. Make a new one when the network changes (its weights are watched, what else it reads is not). Do
    not share one between threads; several of one network may work at a time, if it computes without state.

    ::

        explainer = srlens.Explainer(network, image, "lam", tolerance=0.02)
        results = [explainer.window(window) for window in windows]

    Args:
        network: from :func:`srlens.load_network` or :meth:`srlens.Network.wrap`.
        image: the LR image, C×h×w in [0, 1], tensor or array. RGB is converted for a luma network. Of a network of
            clips T×C×h×w, as is the map then.
        method: a name of :data:`srlens.METHODS`, or a :class:`srlens.Method`.
        clean: the ground truth, C×sh×sw in [0, 1], for detectors that read it.
        memory: bytes that one batch of evaluations may take. Where one evaluation of the whole network takes more,
            the network is computed in segments that are computed again in the backward pass. None: one image at a
            time on the CPU, half of the free memory on a GPU.
        regional: evaluate the network only where a window needs it, where that pays and where the first evaluation
            shows it to give the same; ``Attribution.evaluation`` tells what was done.
        seed: of a network that draws random numbers (PyTorch's), the same at each call; None: it draws as it likes.
        **settings: of the method, see :func:`srlens.attribute`.

    Attributes:
        network: what is explained.
        method: how.
        image: the LR image as the network takes it, C×h×w (frame after frame of a clip), float64, CPU.

    Raises:
        SettingError, ImageError, ImageTooSmallError, ChannelError: something given cannot be used.
    """

    def __init__(
        self,
        network: Network,
        image: Tensor | ArrayLike,
        method: str | Method = "lam",
        *,
        clean: Tensor | ArrayLike | None = None,
        memory: int | None = None,
        regional: bool = True,
        seed: int | None = None,
        **settings: Any,
    ) -> None:
        self.method = as_method(method, settings)
        if not isinstance(network, Network):
            raise SettingError(
                f"srlens takes a srlens.Network, got the bare module {type(network).__name__}. "
                "Wrap it first: srlens.Network.wrap(module, scale=…)."
            )
        self.network = network if seed is None else network.seeded(whole("seed", seed, 0))
        self._facts: dict[str, Any] = {} if seed is None else {"seed": seed}
        self._facts |= sampling_facts(self.network)
        if self.network.device.type == "cuda" and self.network.dtype == torch.float32:
            self._facts["tf32"] = tf32_wanted()
        clip = network.frames is not None
        self.image = network.prepare(check_image(image, clip=clip).double())
        self.method.algorithm.check(*self.image.shape[-2:])
        truth = centre_frame(check_image(clean, clip=clip).double()) if clean is not None else None
        shown = network.converted(truth) if truth is not None else None
        self._clean = crop_clean(shown, self.image, network.scale) if shown is not None else None
        self._memory = whole("memory", memory, hint=_BYTES) if memory is not None else None
        known = self.method.algorithm.known(self.image)
        self._windowed = Windowed(self.network, memory=memory, wanted=regional, known=known)
        self._kept: dict[str, Any] = {}
        self._shape = (network.frames, -1, *self.image.shape[-2:]) if network.frames is not None else self.image.shape
        self._shown = np.array(self.image.numpy()).reshape(self._shape)

    def __repr__(self) -> str:
        height, width = self.image.shape[-2:]
        return f"Explainer: {self.network.name:.60}, LR {height}×{width}, {self.method!r}"[:198]

    def window(self, window: Window, *, progress: Progress | None = None) -> Attribution:
        """Explain one window.

        Args:
            window: in SR pixels.
            progress: called with (evaluations done, evaluations expected).

        Raises:
            WindowError: it does not fit.
            NotDifferentiableError, NotFiniteError, OutOfMemoryError: the evaluation failed.
            ZeroMapError: the map is zero everywhere (flat window, flat image, input ignored).
        """
        with frozen(self.network.module):
            evaluator = self._evaluator([window], self.method.algorithm.expected)
            scene = Windows(evaluator, self._memory, self.image, self._kept, progress)
            (result,) = self._explain(scene, zero_allowed=False)
        return result

    def windows(
        self, windows: Iterable[Window], *, memory: int = _MEMORY, progress: Progress | None = None
    ) -> Iterator[Attribution]:
        """Yield the attribution of each window, in order, with shared forward passes; equal to separate ones.

        A window whose map is zero everywhere (a flat window) is yielded like any other. A method that refines each
        window to a tolerance shares no passes. Between two results the network is as it was before.

        Args:
            windows: in SR pixels. One that does not fit is told at once.
            memory: bytes that the maps of windows in hand may take; fewer at once mean more forward passes.
            progress: called with (window evaluations done, all of them).
        """
        chosen, memory = tuple(windows), whole("memory", memory, hint=_BYTES)
        self._evaluator(chosen, 1)
        return self._in_turn(chosen, memory, progress)

    def _in_turn(self, windows: tuple[Window, ...], memory: int, progress: Progress | None) -> Iterator[Attribution]:
        algorithm = self.method.algorithm
        at_once = max(1, memory // (self.image.numel() * 8 * _HELD_PER_WINDOW)) if algorithm.together else 1
        done = 0
        for start in range(0, len(windows), at_once):
            group = windows[start : start + at_once]
            told = partial(_of_all, progress, done, (len(windows) - start) / len(group)) if progress else None
            with frozen(self.network.module):
                evaluator = self._evaluator(group, algorithm.expected * len(windows))
                scene = Windows(evaluator, self._memory, self.image, self._kept, told)
                results = self._explain(scene, zero_allowed=True)
            done += scene.evaluations * len(group)
            yield from results

    def field(
        self, *, size: int = 16, stride: int | None = None, memory: int = _MEMORY, progress: Progress | None = None
    ) -> Field:
        """The diffusion index of a grid of windows over the whole SR image; see :func:`srlens.field`."""
        height, width = (side * self.network.scale for side in self.image.shape[-2:])
        windows = grid_windows(height, width, size, stride if stride is not None else size)
        return Field.of(self.windows(windows, memory=memory, progress=progress))

    def _evaluator(self, windows: Sequence[Window], expected: int) -> Evaluator:
        for window in windows:
            if not isinstance(window, Window):
                raise WindowError(
                    f"The window must be a srlens.Window (top, left, height, width in SR pixels), got {window!r}."
                )
        return Evaluator(
            self.network,
            self.method.detector,
            windows,
            *self.image.shape[-2:],
            windowed=self._windowed,
            expected=expected,
            clean=self._clean,
        )

    def _explain(self, scene: Windows, *, zero_allowed: bool) -> list[Attribution]:
        found = self.method.algorithm.explain(scene)
        if found.maps.shape != (needed := (len(scene.windows), *self.image.shape)):
            raise SettingError(
                f"The method {self.method.name!r} returned maps of shape {tuple(found.maps.shape)}; needed is one for "
                f"each window, {needed}."
            )
        values = found.values
        if values is None:  # last, when it is known whether a window can be computed by itself
            values = scene.detect(torch.stack([self.image] if found.baseline is None else [self.image, found.baseline]))
        if scene.evaluation.startswith("full") and not self._kept.get("steady"):
            self._kept["steady"] = True
            found = self._steady(found, values[0], scene.detect(self.image[None])[0])
        if found.errors is not None:
            found = self._with_rounding(found, scene)
        if not zero_allowed:
            self._check(found, values[:, 0])
        results = [self._result(k, window, found, values[:, k], scene) for k, window in enumerate(scene.windows)]
        if not zero_allowed and found.converged:  # whatever is not has been told
            _check_complete(results[0])
        return results

    def _steady(self, found: Explanation, values: Tensor, again: Tensor) -> Explanation:
        """The same, said to be no map of one function where the network gives other values at a second call."""
        differences = (values - again).abs() - _STEADY[self.network.dtype in HALF] * values.abs()
        if not (differences > 0).any():
            return found
        k = int(differences.argmax())
        warnings.warn(
            f"{self.network.name} gives other values each time at one picture (detector {float(values[k]):.6g}, then "
            f"{float(again[k]):.6g}): it draws random numbers, or keeps a state between calls. What is integrated is "
            "no one function. seed=0 draws the same numbers at each call; a state must be reset, forward=.",
            UnsteadyNetworkWarning,
            stacklevel=4,
        )
        return replace(found, converged=False)

    def _with_rounding(self, found: Explanation, scene: Windows) -> Explanation:
        """With the error that rounding makes in the maps, where it may matter: nodes round independently."""
        errors, half = found.errors or (), self.network.dtype in HALF
        least = min((error for error in errors if error is not None), default=1.0)
        if not half and (least > _ROUNDING_MAY_MATTER or self.network.dtype == torch.float64):
            return found
        middle = self.image if found.baseline is None else (self.image + found.baseline) / 2
        share = 1 if half else scene.evaluations**-0.5
        rounding = [share * float(one) for one in scene.evaluator.rounding(middle[None])]
        tolerance = getattr(self.method.algorithm, "tolerance", None)
        reached = tolerance is None or max(rounding) <= tolerance
        if not reached:
            warnings.warn(
                f"Rounding in {str(self.network.dtype).removeprefix('torch.')} alone makes an error of about "
                f"{max(rounding):.2g} in the map of {self.network.name}, above the tolerance of {tolerance:g}. Compute "
                "in a wider type: network.to(dtype=torch.float64).",
                ToleranceWarning,
                stacklevel=4,
            )
        told = tuple(None if one is None else hypot(one, more) for one, more in zip(errors, rounding, strict=True))
        return replace(found, errors=told, converged=found.converged and reached)

    def _check(self, found: Explanation, values: Tensor) -> None:
        """A zero map is an error here, not a black picture later."""
        name = self.network.name
        if found.baseline is not None and float((self.image - found.baseline).abs().max()) <= _NO_DIFFERENCE:
            raise ZeroMapError(
                f"The LR image equals the baseline of {self.method!r}, so its map is zero everywhere. The image is "
                "flat; choose one with structure, or another path."
            )
        if (
            len(values) == 2
            and not found.maps.any()
            and abs(float(values[0] - values[1])) > 1e-6 * float(values.abs().max())
        ):
            raise NotDifferentiableError(
                f"Every gradient of {name} is zero, though the detector changes from {float(values[1]):g} to "
                f"{float(values[0]):g} along the path: the module rounds or thresholds its values. Remove that step."
            )
        absolute_map(found.maps[0].numpy())

    def _result(self, k: int, window: Window, found: Explanation, values: Tensor, scene: Scene) -> Attribution:
        return Attribution(
            map=np.array(found.maps[k].numpy()).reshape(self._shape),
            window=window,
            detector_at_image=float(values[0]),
            detector_at_baseline=float(values[1]) if len(values) == 2 else None,
            map_error=found.errors[k] if found.errors is not None else None,
            evaluations=scene.evaluations,
            converged=found.converged,
            method=self.method,
            network=self.network.name,
            network_digest=self._digest,
            scale=self.network.scale,
            evaluation=scene.evaluation,
            facts={**found.facts, **self._facts},
            image=self._shown,
        )

    @cached_property
    def _digest(self) -> str:
        """Taken once: hashing the weights of a large network costs as much as a node."""
        return self.network.digest


def _check_complete(result: Attribution) -> None:
    """Too few nodes, or a gradient that is not that of the detector, may show themselves here alone."""
    change, total = result.detector_change, float(result.map.sum())
    if change is not None and abs(total - change) > max(
        _FAR_FROM_COMPLETE * abs(change), _CANCELS * float(np.abs(result.map).sum())
    ):
        warnings.warn(
            f"{result.network}: the map sums to {total:.3g}, the detector changes by {change:.3g}; a completeness gap "
            f"of {result.completeness_gap:.0%} (at most {_FAR_FROM_COMPLETE:.0%} is taken in silence) after "
            f"{result.evaluations} evaluations. Take more steps, or a tolerance in their place, which tells whether it "
            "can be closed; if not, do not use this map.",
            IncompleteWarning,
            stacklevel=5,
        )


def _of_all(progress: Progress, done: int, share: float, count: int, of: int) -> None:
    """Progress of all windows: ``count`` ``of`` so many in this group, which is a ``share``-th of what is left."""
    progress(done + count, done + round(of * share))
