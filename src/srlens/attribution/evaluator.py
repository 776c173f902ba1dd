"""The one place that calls the network and autograd."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from srlens.attribution.detector import Detector
from srlens.attribution.failures import DETACHED, failures_named, not_differentiable
from srlens.errors import NotFiniteError, SettingError, WindowError
from srlens.imaging.colour import match_channels
from srlens.imaging.resample import bicubic_upscale
from srlens.imaging.window import Window
from srlens.networks.network import Network
from srlens.windowed import Result, Source, Windowed, bounded

_HALF = (torch.float16, torch.bfloat16)


class Evaluator:
    """Gradients of the detector at LR images, for one network, window and image size.

    Args:
        network: what is explained; its weights must be frozen by the caller (see :func:`frozen`).
        detector: the scalar of the window.
        window: in SR pixels.
        height: of the LR image.
        width: of the LR image.
        windowed: what is known of the network from other windows; None: nothing.
        expected: how many gradients will be asked for; few do not repay the proof of windowed evaluation.
        clean: the ground truth, C×sh×sw, where it is known.

    Raises:
        WindowError: the window does not fit the SR image, or is too small for the detector there.
        SettingError: the detector reads the clean picture, and it is not known.
    """

    def __init__(
        self,
        network: Network,
        detector: Detector,
        window: Window,
        height: int,
        width: int,
        *,
        windowed: Windowed | None = None,
        expected: int = 1,
        clean: Tensor | None = None,
    ) -> None:
        sr_height, sr_width = height * network.scale, width * network.scale
        window.check_inside(sr_height, sr_width)
        self.read = window.grown(detector.margin, sr_height, sr_width)
        if min(self.read.height, self.read.width) < detector.smallest:
            raise WindowError(
                f"{window} leaves {self.read.height}×{self.read.width} SR pixels at the border of the SR image "
                f"({sr_height}×{sr_width}); the detector {detector.name!r} needs {detector.smallest} a side. "
                "Move the window inwards or enlarge it."
            )
        if "clean" in detector.reads and clean is None:
            raise SettingError(
                f"The detector {detector.name!r} reads the clean picture, which is not known. Give it: clean=…, or "
                "--hr on the command line."
            )
        self.network = network
        self.detector = detector
        self.window = window
        self.evaluations = 0
        self._clean = self.read.crop(clean) if clean is not None else None
        windowed = windowed if windowed is not None else Windowed(network)
        self._memory = windowed.memory
        self._regional = windowed.at(self.read, expected)

    @property
    def evaluation(self) -> str:
        """How gradients are evaluated now: ``"regional (…% of the multiply-adds)"`` or ``"full (reason)"``."""
        return self._regional.description

    def detect(self, images: Tensor) -> Tensor:
        """Detector values (N, float64, CPU) at N×C×h×w LR images."""
        with failures_named(self.network.name), torch.no_grad():
            singly = [self.as_given(one[None]) for one in images]
            return torch.cat([self.values(x, self._regional.source(x)(x.clone())) for x in singly])

    def gradients(self, images: Tensor) -> Tensor:
        """Gradients of the detector (N×C×h×w, float64, CPU) at N×C×h×w LR images.

        Raises:
            NotDifferentiableError: no gradient reaches the input.
            NotFiniteError: NaN or infinity in the network's output or in the gradient.
            OutOfMemoryError: not even one image fits.
        """
        with self.differentiating():
            return self._counted(self._regional.evaluate(self.as_given(images), self.differentiate).gradient)

    @contextmanager
    def differentiating(self) -> Iterator[None]:
        """Within the block, gradients are taken whatever mode the caller is in, and failures are named."""
        with failures_named(self.network.name), torch.inference_mode(False), torch.enable_grad():
            yield

    def as_given(self, images: Tensor) -> Tensor:
        """A copy of N×C×h×w images where and as the network takes them."""
        # Gradients of half-precision networks are collected in float32, so that they cannot underflow on the way out.
        dtype = torch.float32 if self.network.dtype in _HALF else self.network.dtype
        return images.to(self.network.device, dtype, copy=True, memory_format=torch.contiguous_format)

    def values(self, x: Tensor, patch: Tensor) -> Tensor:
        """Detector values (N, float64, CPU) of a patch that was computed elsewhere."""
        with torch.no_grad():
            return self._measure(x, patch).cpu().double()

    def backward(self, x: Tensor, patch: Tensor) -> Tensor:
        """Gradient (N×C×h×w, float64, CPU) of the detector at ``x`` for a patch computed from it.

        Args:
            x: the LR images as the network takes them; requires a gradient.
            patch: their SR pixels that the detector reads. Its graph is kept, for further windows.

        Raises:
            As :meth:`gradients`.
        """
        with self.differentiating():
            return self._counted(self._gradient(x, patch, keep_graph=True))

    def differentiate(self, images: Tensor, source: Source) -> Result:
        """Patch and gradient at images as the network takes them, the patch computed by ``source``."""
        x = images.detach().requires_grad_(True)
        with bounded(self._memory, self.network.module):
            patch = source(x.clone())  # a copy, since some networks write into their input, which a leaf forbids
        return Result(patch.detach(), self._gradient(x, patch))

    def _gradient(self, x: Tensor, patch: Tensor, *, keep_graph: bool = False) -> Tensor:
        if not patch.requires_grad:  # told here, since a residual detector would hide it
            raise not_differentiable(self.network.name, DETACHED)
        values = self._measure(x, patch)
        if not values.requires_grad:
            raise not_differentiable(f"The detector {self.detector.name!r}", DETACHED)
        (gradient,) = torch.autograd.grad(values.sum(), x, retain_graph=keep_graph)
        return gradient

    def _measure(self, x: Tensor, patch: Tensor) -> Tensor:
        """Detector values (N) of the SR pixels that the detector reads, made of the LR images x."""
        if not torch.isfinite(patch).all():
            raise NotFiniteError(self._why_not_finite())
        name = f"The detector {self.detector.name!r}"
        if patch.dtype in _HALF:
            patch = patch.float()  # a type in which the detector's sums are safe
        known = [self._known(what, x, patch) for what in self.detector.reads]
        with failures_named(name):
            values = self.detector.measure(patch, *known)
        if not isinstance(values, Tensor) or values.shape != patch.shape[:1]:
            got = tuple(values.shape) if isinstance(values, Tensor) else type(values).__name__
            raise SettingError(
                f"{name} returned {got} for a patch of {tuple(patch.shape)}; one value per image is needed, shape "
                f"({len(patch)},). Sum over channels, rows and columns only."
            )
        if not torch.isfinite(values).all():
            raise NotFiniteError(f"{name} is NaN or infinite, though the pixels that it reads are finite.")
        return values

    def _known(self, what: str, x: Tensor, patch: Tensor) -> Tensor:
        """The patch's pixels of what a detector may read."""
        if self._clean is not None and what == "clean":
            picture = match_channels(self._clean, patch.shape[1]).to(patch).expand(len(patch), -1, -1, -1)
        else:
            picture = self.read.crop(bicubic_upscale(x, self.network.scale) if self.network.scale > 1 else x).to(patch)
        if patch.shape[1] != picture.shape[1]:
            raise SettingError(
                f"The detector {self.detector.name!r} compares the output with the {what} picture, but "
                f"{self.network.name} makes {patch.shape[1]} channels and that has {picture.shape[1]}. Choose another "
                "detector."
            )
        return picture

    def _counted(self, gradient: Tensor) -> Tensor:
        """A gradient as it leaves, float64 on the CPU, once it is known to be finite."""
        self.evaluations += len(gradient)
        gradient = gradient.cpu().double()
        bad = ~torch.isfinite(gradient)
        if bad.any():
            _, channel, row, column = (int(i) for i in bad.nonzero()[0])
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
