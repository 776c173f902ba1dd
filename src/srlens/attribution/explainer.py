"""One network on one image, with one method: what its windows have in common is computed and proven once."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property, partial
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from srlens.attribution.evaluator import Evaluator
from srlens.attribution.field import Field, grid_windows
from srlens.attribution.judgement import check_complete, check_not_zero, flag_unsteady, with_rounding
from srlens.attribution.making import making_of
from srlens.attribution.method import Method, as_method
from srlens.attribution.result import Attribution
from srlens.attribution.scene import Explanation, Progress, Scene
from srlens.attribution.windows import Windows
from srlens.errors import SettingError, WindowError
from srlens.imaging.check import check_image, crop_clean, whole
from srlens.imaging.eye import centre_frame
from srlens.imaging.terms import worded
from srlens.imaging.window import Window
from srlens.networks.device import tf32_wanted
from srlens.networks.frozen import frozen
from srlens.networks.network import Network, check_networks
from srlens.networks.noise_map import told_level
from srlens.networks.sampled import sampling_facts
from srlens.windowed import Windowed

_HELD_PER_WINDOW = 7  # maps of float64 that a window holds: sum, bends, last gradient, last difference, three at work
_MEMORY = 2**30
_BYTES = "; it counts bytes: 2 GiB is memory=2*2**30"


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
        degradation: how the image was made of the clean one (:func:`srlens.degrade`), where that is known: at scale 1
            the method ``causal-effect`` replaces clean content and degrades it anew.
        degradation_seed: of its random numbers.
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
        degradation: str | None = None,
        degradation_seed: int = 0,
        memory: int | None = None,
        regional: bool = True,
        seed: int | None = None,
        **settings: Any,
    ) -> None:
        self.method = as_method(method, settings)
        check_networks([network])
        self.network = network if seed is None else network.seeded(whole("seed", seed, 0))
        self._facts: dict[str, Any] = {} if seed is None else {"seed": seed}
        self._facts |= sampling_facts(self.network)
        if network.noise_map:
            self._facts["noise_level"] = told_level(network.noise_level)
        if self.network.device.type == "cuda" and self.network.dtype == torch.float32:
            self._facts["tf32"] = tf32_wanted()
        clip = network.frames is not None
        self.image = network.prepare(check_image(image, clip=clip).double())
        truth = centre_frame(check_image(clean, clip=clip).double()) if clean is not None else None
        given = crop_clean(truth, self.image, network.scale) if truth is not None else None
        self._clean = network.converted(given) if given is not None else None
        self._making = making_of(network, self.image, given, degradation, degradation_seed)
        self._algorithm = self.method.algorithm.reading(self._clean, self.image)
        self._algorithm.check(*self.image.shape[-2:])
        self._memory = whole("memory", memory, hint=_BYTES) if memory is not None else None
        known = self._algorithm.known(self.image)
        self._windowed = Windowed(self.network, memory=memory, wanted=regional, known=known)
        self._kept: dict[str, Any] = {}
        self._shape = (network.frames, -1, *self.image.shape[-2:]) if network.frames is not None else self.image.shape
        self._shown = np.array(self.image.numpy()).reshape(self._shape)

    def __repr__(self) -> str:
        height, width = self.image.shape[-2:]
        size = worded(f"LR {height}×{width}", self.network.scale)
        return f"Explainer: {self.network.name:.60}, {size}, {self.method!r}"[:198]

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
            scene = self._scene([window], self._algorithm.expected, progress)
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
        algorithm = self._algorithm
        at_once = max(1, memory // (self.image.numel() * 8 * _HELD_PER_WINDOW)) if algorithm.together else 1
        done = 0
        for start in range(0, len(windows), at_once):
            group = windows[start : start + at_once]
            told = partial(_of_all, progress, done, (len(windows) - start) / len(group)) if progress else None
            with frozen(self.network.module):
                scene = self._scene(group, algorithm.expected * len(windows), told)
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

    def _scene(self, windows: Sequence[Window], expected: int, progress: Progress | None) -> Windows:
        scene = Windows(self._evaluator(windows, expected), self._memory, self.image, self._kept, progress)
        scene.making = self._making
        return scene

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
        found = self._algorithm.explain(scene)
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
            found = flag_unsteady(found, self.network, values[0], scene.detect(self.image[None])[0])
        if found.errors is not None:
            found = with_rounding(found, self.network, scene, self._algorithm)
        if not zero_allowed:
            check_not_zero(found, self.network.name, self.image, values[:, 0], self.method)
        results = [self._result(k, window, found, values[:, k], scene) for k, window in enumerate(scene.windows)]
        # What has not converged has been told; the gradient of the last steps alone was asked for.
        if not zero_allowed and found.converged and self._facts.get("last_steps") is None:
            check_complete(results[0])
        return results

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
            interval=np.array(found.intervals[k].numpy()) if found.intervals is not None else None,
        )

    @cached_property
    def _digest(self) -> str:
        """Taken once: hashing the weights of a large network costs as much as a node."""
        return self.network.digest


def _of_all(progress: Progress, done: int, share: float, count: int, of: int) -> None:
    """Progress of all windows: ``count`` ``of`` so many in this group, which is a ``share``-th of what is left."""
    progress(done + count, done + round(of * share))
