"""The one place that calls the network and autograd."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from srlens.attribution.detector import Detector
from srlens.attribution.failures import DETACHED, failures_named, not_differentiable
from srlens.errors import NotFiniteError, SettingError, WindowError
from srlens.imaging.colour import match_channels
from srlens.imaging.resample import bicubic_upscale
from srlens.imaging.window import Window
from srlens.networks.device import Device
from srlens.networks.frozen import frozen
from srlens.networks.network import Network
from srlens.networks.receptive_field import ReceptiveField, Stage
from srlens.windowed import Forward, Regional, Result, Windowed, bounded

HALF = (torch.float16, torch.bfloat16)
_BICUBIC = ReceptiveField((Stage(1, 2),), paper=None)  # of the reference: four taps to an axis
#: Top, left, bottom, right in LR pixels, the last two exclusive.
Edges = tuple[int, int, int, int]
_Measured = tuple[Tensor, Tensor]  # a window's pixels, and the detector's value there


class Evaluator:
    """Values and gradients of windows' detectors at LR images, for one network and image size.

    Args:
        network: what is explained; its weights must be frozen by the caller (see :func:`frozen`).
        detector: the scalar of a window.
        windows: in SR pixels; forward passes are shared by them.
        height: of the LR image.
        width: of the LR image.
        windowed: what is known of the network from other windows; None: nothing.
        expected: how many gradients will be asked for, of all windows; few do not repay the proof of windowed
            evaluation.
        clean: the ground truth, C×sh×sw, where it is known.

    Attributes:
        windows: as given.

    Raises:
        WindowError: a window does not fit the SR image, or is too small for the detector there.
        SettingError: the detector reads the clean picture, and it is not known.
    """

    def __init__(
        self,
        network: Network,
        detector: Detector,
        windows: Sequence[Window],
        height: int,
        width: int,
        *,
        windowed: Windowed | None = None,
        expected: int = 1,
        clean: Tensor | None = None,
    ) -> None:
        self.network = network
        self.windows = tuple(windows)
        # Gradients of half-precision networks are collected in float32, so that they cannot underflow on the way out.
        self._dtype = torch.float32 if network.dtype in HALF else network.dtype
        self._detector = detector
        self._size = height, width
        self._read = [_read(window, detector, height * network.scale, width * network.scale) for window in windows]
        if "clean" in detector.reads and clean is None:
            raise SettingError(
                f"The detector {detector.name!r} reads the clean picture, which is not known. Give it: clean=…, or "
                "--hr on the command line."
            )
        shown = clean if "clean" in detector.reads else None
        self._clean = shown.to(self._dtype).to(network.device) if shown is not None else None  # MPS has no float64
        windowed = windowed if windowed is not None else Windowed(network)
        self._memory = windowed.memory if len(self.windows) == 1 else None
        self._regional = Regional(windowed, self._read, expected)
        self._overwriting: set[Forward] = set()

    @property
    def evaluation(self) -> str:
        """How gradients are evaluated now: ``"regional (…% of the multiply-adds)"`` or ``"full (reason)"``."""
        return self._regional.description

    @property
    def detector(self) -> Detector:
        """The scalar of a window."""
        return self._detector

    @property
    def reach(self) -> tuple[Edges, ...]:
        """LR pixels that each window's detector can depend on, by what is known of the network now.

        By its receptive field and, once windows are evaluated by themselves, by what they are computed from.
        """
        return tuple(map(self._reach, self._read, self._regional.given))

    def _reach(self, read: Window, given: Edges | None) -> Edges:
        scale = self.network.scale
        top, left, bottom, right = self.network.receptive_field.bounds(read, scale, *self._size)
        if given is not None:
            top, left = max(top, given[0]), max(left, given[1])
            bottom, right = min(bottom, given[2]), min(right, given[3])
        if "reference" in self._detector.reads:
            near = _BICUBIC.bounds(read, scale, *self._size)
            top, left = min(top, near[0]), min(left, near[1])
            bottom, right = max(bottom, near[2]), max(right, near[3])
        return top, left, bottom, right

    # On a GPU operators only queue up. What needs their numbers, a check or a copy, comes after the last of them.

    def values(self, images: Tensor, at_once: int = 1) -> Tensor:
        """Detector values (N×K, float64, CPU) at N×C×h×w LR images, ``at_once`` of them in one forward pass."""
        rows = self._measured(images, at_once)
        return torch.cat([torch.stack([values for _, values in row], dim=1) for row in rows]).cpu().double()

    def prepare_values(self, images: Tensor) -> None:
        """Find out how values at images like these (N×C×h×w) are best computed, where no gradient will be asked for."""
        with failures_named(self.network.name), torch.inference_mode(False):
            self._regional.prepare_values(self._as_given(images))

    def outputs(self, images: Tensor, at_once: int = 1) -> list[tuple[Tensor, Tensor]]:
        """Each window's own SR pixels and its detector's values at N×C×h×w LR images.

        Returns:
            For each window its pixels, N×C'×height×width in [0, 1] terms, unclamped, and N values; float64, CPU.
        """
        rows = self._measured(images, at_once)
        found = []
        for k, (window, read) in enumerate(zip(self.windows, self._read, strict=True)):
            own = replace(window, top=window.top - read.top, left=window.left - read.left)
            patches = torch.cat([own.crop(row[k][0]) for row in rows])
            found.append((patches.cpu().double(), torch.cat([row[k][1] for row in rows]).cpu().double()))
        return found

    def _measured(self, images: Tensor, at_once: int) -> list[list[_Measured]]:
        """Pixels and values of each window, for each forward pass."""
        rows: list[list[_Measured]] = []
        with failures_named(self.network.name), torch.inference_mode(False), torch.no_grad():
            for x in torch.split(self._as_given(images, "cpu"), at_once):
                patches = self._regional.patches(x)
                rows.append([(patch, self._measure(x, patch, k)) for k, patch in enumerate(patches)])
        self._check_finite([one for row in rows for one in row])
        return rows

    def gradients(self, images: Tensor, tick: Callable[[], None] = lambda: None, *, measuring: bool = False) -> Tensor:
        """Gradients of each detector (N×K×C×h×w, float64, CPU) at N×C×h×w LR images.

        Args:
            images: LR images.
            tick: called between two windows.
            measuring: the whole network is to be evaluated, whatever is known of its windows.

        Raises:
            NotDifferentiableError: no gradient reaches the input.
            NotFiniteError: NaN or infinity in the network's output or in the gradient.
            OutOfMemoryError: not even one image fits.
        """
        # Whatever mode the caller is in.
        with failures_named(self.network.name), torch.inference_mode(False), torch.enable_grad():
            x, differentiate = self._as_given(images), partial(self._differentiate, tick)
            results = self._regional.evaluate(x, differentiate, measuring=measuring)
        self._check_finite([(result.patch, result.values) for result in results])
        return self._finite(torch.stack([result.gradient for result in results], dim=1).cpu().double())

    def rounding(self, images: Tensor) -> Tensor:
        """Relative L2 error that rounding makes in each window's gradient at one LR image (1×C×h×w); shape (K,).

        In half precision against a copy in float32; otherwise from the image times 1 + ε/2.
        """
        given = self.gradients(images)[0]
        if self.network.dtype in HALF:
            copy = self.network.to(dtype=torch.float32)
            with frozen(copy.module):
                wide = Evaluator(copy, self._detector, self.windows, *images.shape[-2:], clean=self._clean)
                other = wide.gradients(images)[0]
        else:
            other = self.gradients(images * (1 + torch.finfo(self.network.dtype).eps / 2))[0]
        norm = other.flatten(1).norm(dim=1)
        return torch.where(norm > 0, (given - other).flatten(1).norm(dim=1) / norm, 0.0)

    def _as_given(self, images: Tensor, device: Device = None) -> Tensor:
        """A copy of N×C×h×w images as the network takes them, where it computes or on a device given."""
        return images.to(device or self.network.device, self._dtype, copy=True, memory_format=torch.contiguous_format)

    def _differentiate(self, tick: Callable[[], None], images: Tensor, forward: Forward) -> list[Result]:
        """Patch and gradient of each window at images as the network takes them, the patches made by ``forward``."""
        if forward not in self._overwriting:
            try:
                return self._passes(tick, images, forward, bounded(self._memory, self.network.module))
            except RuntimeError as error:
                if "inplace operation" not in str(error):
                    raise
                self._overwriting.add(forward)
        # It writes over what its gradient needs; copies are kept, which no bound counts.
        with torch.autograd.graph.allow_mutation_on_saved_tensors():
            return self._passes(tick, images, forward, nullcontext())

    def _passes(
        self, tick: Callable[[], None], images: Tensor, forward: Forward, within: AbstractContextManager[None]
    ) -> list[Result]:
        x = images.detach().requires_grad_(True)
        patches = forward(x.clone())  # a copy, since some networks write into their input, which a leaf forbids
        results: list[Result] = []
        while True:
            with within:  # what a backward pass computes again does not count
                patch = next(patches, None)
            if patch is None:
                return results
            if k := len(results):
                tick()
            results.append(self._result(x, patch, k, keep_graph=k + 1 < len(self.windows)))

    def _result(self, x: Tensor, patch: Tensor, k: int, *, keep_graph: bool) -> Result:
        if not patch.requires_grad:  # told here, since a residual detector would hide it
            raise not_differentiable(self.network.name, DETACHED)
        values = self._measure(x, patch, k)
        if not values.requires_grad:
            raise not_differentiable(f"The detector {self._detector.name!r}", DETACHED)
        x.grad = None
        # Not autograd.grad, which reentrant checkpoints refuse.
        torch.autograd.backward(values.sum(), retain_graph=keep_graph)
        if x.grad is None:
            raise not_differentiable(self.network.name, DETACHED)
        return Result(patch.detach(), values.detach(), x.grad)

    def _measure(self, x: Tensor, patch: Tensor, k: int) -> Tensor:
        """Detector values (N) of the SR pixels that window ``k`` reads, made of the LR images x."""
        name = f"The detector {self._detector.name!r}"
        if patch.dtype in HALF:
            patch = patch.float()  # a type in which the detector's sums are safe
        known = [self._known(what, x, patch, self._read[k]) for what in self._detector.reads]
        with failures_named(name):
            values = self._detector.measure(patch, *known)
        if not isinstance(values, Tensor) or values.shape != patch.shape[:1]:
            got = tuple(values.shape) if isinstance(values, Tensor) else type(values).__name__
            raise SettingError(
                f"{name} returned {got} for a patch of {tuple(patch.shape)}; one value per image is needed, shape "
                f"({len(patch)},). Sum over channels, rows and columns only."
            )
        return values

    def _check_finite(self, measured: Sequence[_Measured]) -> None:
        finite = torch.stack([torch.isfinite(one).all() for both in measured for one in both])
        if finite.all():
            return
        if finite[::2].all():  # all patches
            detector = f"The detector {self._detector.name!r}"
            raise NotFiniteError(f"{detector} is NaN or infinite, though the pixels that it reads are finite.")
        raise NotFiniteError(self._why_not_finite())

    def _known(self, what: str, x: Tensor, patch: Tensor, read: Window) -> Tensor:
        """The patch's pixels of what a detector may read."""
        if self._clean is not None and what == "clean":
            picture = match_channels(read.crop(self._clean), patch.shape[1]).to(patch).expand(len(patch), -1, -1, -1)
        else:
            picture = read.crop(bicubic_upscale(x, self.network.scale) if self.network.scale > 1 else x).to(patch)
        if patch.shape[1] != picture.shape[1]:
            raise SettingError(
                f"The detector {self._detector.name!r} compares the output with the {what} picture, but "
                f"{self.network.name} makes {patch.shape[1]} channels and that has {picture.shape[1]}. Choose another "
                "detector."
            )
        return picture

    def _finite(self, gradient: Tensor) -> Tensor:
        """The gradient, once it is known to be finite."""
        bad = ~torch.isfinite(gradient)
        if bad.any():
            *_, channel, row, column = (int(i) for i in bad.nonzero()[0])
            raise NotFiniteError(
                f"The gradient of {self.network.name} is not finite in {int(bad.sum())} of {bad.numel()} values; "
                f"first at channel {channel}, LR pixel (row {row}, column {column}). "
                "Try float32 or float64 weights: network.to(dtype=torch.float32)."
            )
        return gradient

    def _why_not_finite(self) -> str:
        module = self.network.module
        for name, weights in (*module.named_parameters(), *module.named_buffers()):
            bad = int((~torch.isfinite(weights)).sum())
            if bad:
                return (
                    f"The weights of {self.network.name} are not finite: {bad} of {weights.numel()} values of "
                    f"{name!r} are NaN or infinite. The checkpoint is damaged; use another."
                )
        return (
            f"The output of {self.network.name} is NaN or infinite inside the window, though its weights are finite "
            f"({self.network.dtype}). Check value_range, or try network.to(dtype=torch.float32)."
        )


def _read(window: Window, detector: Detector, height: int, width: int) -> Window:
    """The part of an SR image of that size that a window's detector reads."""
    window.check_inside(height, width)
    read = window.grown(detector.margin, height, width)
    if min(read.height, read.width) < detector.smallest:
        raise WindowError(
            f"{window} leaves {read.height}×{read.width} SR pixels at the border of the SR image ({height}×{width}); "
            f"the detector {detector.name!r} needs {detector.smallest} a side. Move the window inwards or enlarge it."
        )
    return read
