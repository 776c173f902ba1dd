"""The one place that calls the network and autograd."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from srlens.attribution.detector import Detector
from srlens.attribution.failures import DETACHED, not_differentiable, not_differentiable_named, out_of_memory_named
from srlens.errors import NotDifferentiableError, NotFiniteError, SettingError, WindowError
from srlens.imaging.colour import match_channels
from srlens.imaging.resample import bicubic_upscale
from srlens.imaging.window import Window
from srlens.networks.network import Network
from srlens.windowed import Result, Source, Windowed, bounded


class Evaluator:
    """Gradients of the detector at LR images, for one network, window and image size.

    Args:
        network: what is explained; its weights must be frozen by the caller (see :func:`frozen`).
        detector: the scalar of the window.
        window: in SR pixels.
        height: of the LR image.
        width: of the LR image.
        windowed: what is known of the network from other windows; None: nothing, and its own is made with the next two.
        regional: evaluate the network only where the window needs it, once that is verified to give the same.
        memory: bytes that autograd may keep of one evaluation, see :class:`Windowed`.
        expected: how many gradients will be asked for; few do not repay the verification.
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
        regional: bool = True,
        memory: int | None = None,
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
        self._clean = clean
        windowed = windowed if windowed is not None else Windowed(network, memory=memory, wanted=regional)
        self.evaluations = 0
        self._detector_tried = False
        self._regional = windowed.at(self.read, expected)
        self._memory = windowed.memory

    @property
    def evaluation(self) -> str:
        """How gradients are evaluated now: ``"regional (…% of the multiply-adds)"`` or ``"full (reason)"``."""
        return self._regional.description

    def detect(self, images: Tensor) -> Tensor:
        """Detector values (N, float64, CPU) at N×C×h×w LR images."""
        with out_of_memory_named(), torch.no_grad():
            singly = [self.as_given(one[None]) for one in images]
            return torch.cat([self._detector_of(x, self._regional.source(x)) for x in singly]).cpu().double()

    def gradients(self, images: Tensor) -> Tensor:
        """Gradients of the detector (N×C×h×w, float64, CPU) at N×C×h×w LR images.

        Raises:
            NotDifferentiableError: no gradient reaches the input.
            NotFiniteError: NaN or infinity in the network's output or in the gradient.
            OutOfMemoryError: not even one image fits.
        """
        with self.differentiating():
            gradient = self._regional.evaluate(self.as_given(images), self.differentiate).gradient
        self.evaluations += len(images)
        result = gradient.cpu().double()
        self._check_finite(result)
        return result

    @contextmanager
    def differentiating(self) -> Iterator[None]:
        """Within the block, gradients are taken whatever mode the caller is in, and failures are named."""
        with (
            out_of_memory_named(),
            not_differentiable_named(self.network.name),
            torch.inference_mode(False),
            torch.enable_grad(),
        ):
            yield

    def as_given(self, images: Tensor) -> Tensor:
        """A copy of N×C×h×w images where and as the network takes them."""
        device, dtype = self.network.device, _leaf_dtype(self.network.dtype)
        return images.to(device=device, dtype=dtype, copy=True, memory_format=torch.contiguous_format)

    def values(self, x: Tensor, patch: Tensor) -> Tensor:
        """Detector values (N, float64, CPU) of a patch that was computed elsewhere."""
        with torch.no_grad():
            return self._measure(x, patch).cpu().double()

    def backward(self, x: Tensor, patch: Tensor, *, keep_graph: bool) -> Tensor:
        """Gradient (N×C×h×w, float64, CPU) of the detector at ``x`` for a patch computed from it.

        Args:
            x: the LR images as the network takes them; requires a gradient.
            patch: their SR pixels that the detector reads.
            keep_graph: the graph serves further windows.

        Raises:
            As :meth:`gradients`.
        """
        with self.differentiating():
            if not patch.requires_grad:
                raise NotDifferentiableError(not_differentiable(self.network.name, DETACHED))
            (gradient,) = torch.autograd.grad(self._measure(x, patch).sum(), x, retain_graph=keep_graph)
        self.evaluations += len(x)
        result = gradient.cpu().double()
        self._check_finite(result)
        return result

    def differentiate(self, images: Tensor, source: Source) -> Result:
        """Patch and gradient at images as the network takes them, the patch computed by ``source``."""
        x = images.detach().requires_grad_(True)
        with bounded(self._memory, self.network.module):
            patch = source(x.clone())  # a copy, since some networks write into their input, which a leaf forbids
        if not patch.requires_grad:  # told here, since a residual detector would hide it
            raise NotDifferentiableError(not_differentiable(self.network.name, DETACHED))
        if not self._detector_tried:  # a detector that returns no tensor is told so before autograd complains
            self.values(x.detach(), patch.detach())
            self._detector_tried = True
        (gradient,) = torch.autograd.grad(self._measure(x, patch).sum(), x)
        return Result(patch.detach(), gradient)

    def _detector_of(self, x: Tensor, source: Source) -> Tensor:
        return self._measure(x, source(x.clone()))

    def _measure(self, x: Tensor, patch: Tensor) -> Tensor:
        """Detector values (N) of the SR pixels that the detector reads, made of the LR images x."""
        if not torch.isfinite(patch).all():
            raise NotFiniteError(self._why_not_finite())
        if patch.dtype in (torch.float16, torch.bfloat16):
            patch = patch.float()  # a type in which the detector's sums are safe
        values = self.detector.measure(patch, *(self._known(what, x, patch) for what in self.detector.reads))
        if not isinstance(values, Tensor) or values.shape != patch.shape[:1]:
            got = tuple(values.shape) if isinstance(values, Tensor) else type(values).__name__
            raise SettingError(
                f"The detector {self.detector.name!r} returned {got} for a patch of {tuple(patch.shape)}; one value "
                f"per image is needed, shape ({len(patch)},). Sum over channels, rows and columns only."
            )
        return values

    def _known(self, what: str, x: Tensor, patch: Tensor) -> Tensor:
        """The patch's pixels of what a detector may read."""
        if what == "clean":
            assert self._clean is not None
            picture = match_channels(self._clean, patch.shape[1])[None].to(patch.device).expand(len(patch), -1, -1, -1)
        else:
            picture = bicubic_upscale(x, self.network.scale) if self.network.scale > 1 else x
        if patch.shape[1] != picture.shape[1]:
            raise SettingError(
                f"The detector {self.detector.name!r} compares the output with the {what} picture, but "
                f"{self.network.name} makes {patch.shape[1]} channels and that has {picture.shape[1]}. Choose another "
                "detector."
            )
        return self.read.crop(picture).to(patch.dtype)

    def _check_finite(self, gradient: Tensor) -> None:
        bad = ~torch.isfinite(gradient)
        if bad.any():
            _, channel, row, column = (int(i) for i in bad.nonzero()[0])
            raise NotFiniteError(
                f"The gradient of {self.network.name} is not finite in {int(bad.sum())} of {bad.numel()} values; "
                f"first at channel {channel}, LR pixel (row {row}, column {column}). "
                "Try float32 or float64 weights: network.to(dtype=torch.float32)."
            )

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


def _leaf_dtype(dtype: torch.dtype) -> torch.dtype:
    """Gradients of half-precision networks are collected in float32, so that they cannot underflow on the way out."""
    return torch.float32 if dtype in (torch.float16, torch.bfloat16) else dtype
