"""The one place that calls the network and autograd."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import torch
from torch import Tensor, nn

from srlens.attribution.detector import Detector
from srlens.errors import NotDifferentiableError, NotFiniteError, OutOfMemoryError, SettingError, WindowError
from srlens.imaging.resample import bicubic_upscale
from srlens.imaging.window import Window
from srlens.windowed import Result, Source, TooLargeError, Windowed, bounded


class SuperResolver(Protocol):
    """What attribution needs of a network; :class:`srlens.Network` is one."""

    @property
    def module(self) -> nn.Module:
        """The bare module, for freezing and for finding a NaN among its weights."""
        ...

    @property
    def scale(self) -> int:
        """SR pixels per LR pixel."""
        ...

    @property
    def name(self) -> str:
        """For messages and records."""
        ...

    @property
    def digest(self) -> str:
        """SHA-256 of the weights."""
        ...

    @property
    def device(self) -> torch.device:
        """Where the weights live."""
        ...

    @property
    def dtype(self) -> torch.dtype:
        """The floating-point type of the weights."""
        ...

    def __call__(self, x: Tensor) -> Tensor:
        """N×C×h×w in [0, 1] to N×C'×sh×sw in [0, 1] terms, differentiable."""
        ...

    def prepare(self, image: Tensor) -> Tensor:
        """C×h×w as the network takes it."""
        ...


class Evaluator:
    """Gradients of the detector at LR images, for one network, window and image size.

    Args:
        network: what is explained; its weights must be frozen by the caller (see :func:`frozen`).
        detector: the scalar of the window.
        window: in SR pixels.
        height: of the LR image.
        width: of the LR image.
        regional: evaluate the network only where the window needs it, once that is verified to give the same.
        expected: how many gradients will be asked for; few do not repay the verification.
        memory: bytes that autograd may keep of one evaluation; where the network takes more, parts of it are computed
            again in the backward pass. None: no bound.
        windowed: what is known of the network from earlier windows; ``regional`` and ``memory`` are then its own.

    Raises:
        WindowError: the window does not fit the SR image, or is too small for the detector there.
    """

    def __init__(
        self,
        network: SuperResolver,
        detector: Detector,
        window: Window,
        height: int,
        width: int,
        *,
        regional: bool = True,
        expected: int = 1,
        memory: int | None = None,
        windowed: Windowed | None = None,
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
        self.network = network
        self.detector = detector
        self.evaluations = 0
        self._detector_tried = False
        windowed = windowed if windowed is not None else Windowed(network, memory=memory, wanted=regional)
        self._regional = windowed.at(self.read, expected)
        self._memory = windowed.memory

    @property
    def evaluation(self) -> str:
        """How gradients are evaluated now: ``"regional (…% of the multiply-adds)"`` or ``"full (reason)"``."""
        return self._regional.description

    def detect(self, images: Tensor) -> Tensor:
        """Detector values (N, float64, CPU) at N×C×h×w LR images."""
        with _out_of_memory_named(), torch.no_grad():
            singly = [self._leaf(one[None]) for one in images]
            return torch.cat([self._detector_of(x, self._regional.source(x)) for x in singly]).cpu().double()

    def gradients(self, images: Tensor) -> Tensor:
        """Gradients of the detector (N×C×h×w, float64, CPU) at N×C×h×w LR images.

        Raises:
            NotDifferentiableError: no gradient reaches the input.
            NotFiniteError: NaN or infinity in the network's output or in the gradient.
            OutOfMemoryError: not even one image fits.
        """
        # Whatever mode the caller is in (no_grad, inference mode), gradients are wanted here.
        with self.named_errors(), torch.inference_mode(False), torch.enable_grad():
            gradient = self._regional.evaluate(self._leaf(images), self.differentiate).gradient
        self.evaluations += len(images)
        result = gradient.cpu().double()
        self._check_finite(result)
        return result

    @contextmanager
    def named_errors(self) -> Iterator[None]:
        """Within the block, PyTorch's errors of memory and of differentiation are srlens's."""
        with _out_of_memory_named(), _not_differentiable_named(self.network.name):
            yield

    def leaf(self, images: Tensor) -> Tensor:
        """A copy of N×C×h×w images as the network takes them, ready for :meth:`backward`."""
        return self._leaf(images).requires_grad_(True)

    def values(self, x: Tensor, patch: Tensor) -> Tensor:
        """Detector values (N, float64, CPU) of a patch that was computed elsewhere."""
        with torch.no_grad():
            return self._measure(x, patch).cpu().double()

    def backward(self, x: Tensor, patch: Tensor, *, keep_graph: bool) -> Tensor:
        """Gradient (N×C×h×w, float64, CPU) of the detector at ``x``, a :meth:`leaf`, for a patch computed from it.

        Args:
            x: the LR images.
            patch: their SR pixels that the detector reads.
            keep_graph: the graph serves further windows.

        Raises:
            As :meth:`gradients`.
        """
        with self.named_errors():
            if not patch.requires_grad:
                raise NotDifferentiableError(_not_differentiable(self.network.name, _DETACHED))
            (gradient,) = torch.autograd.grad(self._measure(x, patch).sum(), x, retain_graph=keep_graph)
        self.evaluations += len(x)
        result = gradient.cpu().double()
        self._check_finite(result)
        return result

    def _leaf(self, images: Tensor) -> Tensor:
        """A copy of ``images`` where and as the network takes them."""
        device, dtype = self.network.device, _leaf_dtype(self.network.dtype)
        return images.to(device=device, dtype=dtype, copy=True, memory_format=torch.contiguous_format)

    def differentiate(self, images: Tensor, source: Source) -> Result:
        """Patch and gradient at images as :meth:`leaf` makes them, the patch computed by ``source``."""
        x = images.detach().requires_grad_(True)
        with bounded(self._memory, self.network.module):
            patch = source(x.clone())  # a copy, since some networks write into their input, which a leaf forbids
        if not patch.requires_grad:  # told here, since a residual detector would hide it
            raise NotDifferentiableError(_not_differentiable(self.network.name, _DETACHED))
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
        if self.detector.residual:
            patch = patch - self._enlarged(x, patch)
        values = self.detector.measure(patch)
        if not isinstance(values, Tensor) or values.shape != patch.shape[:1]:
            got = tuple(values.shape) if isinstance(values, Tensor) else type(values).__name__
            raise SettingError(
                f"The detector {self.detector.name!r} returned {got} for a patch of {tuple(patch.shape)}; one value "
                f"per image is needed, shape ({len(patch)},). Sum over channels, rows and columns only."
            )
        return values

    def _enlarged(self, x: Tensor, patch: Tensor) -> Tensor:
        """The same SR pixels by bicubic."""
        if patch.shape[1] != x.shape[1]:
            raise SettingError(
                f"The detector {self.detector.name!r} compares the output with the enlarged input, but "
                f"{self.network.name} makes {patch.shape[1]} channels of {x.shape[1]}. Choose another detector."
            )
        return self.read.crop(bicubic_upscale(x, self.network.scale)).to(patch.dtype)

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


@contextmanager
def _out_of_memory_named() -> Iterator[None]:
    try:
        yield
    except TooLargeError as error:
        raise OutOfMemoryError(f"{error} Raise memory (--memory), or crop the LR image around the window.") from error
    except torch.OutOfMemoryError as error:
        raise OutOfMemoryError(_MEMORY_REMEDY) from error
    except RuntimeError as error:
        if "can't allocate memory" in str(error) or "not enough memory" in str(error):
            raise OutOfMemoryError(_MEMORY_REMEDY) from error
        raise


_MEMORY_REMEDY = (
    "One gradient evaluation does not fit into the memory of the device. Crop the LR image around the window, "
    "use a device with more memory, or lower `memory=` (--memory) so that fewer nodes run at once."
)


_DETACHED = "its output does not depend on its input in autograd's eyes (detach, no_grad, NumPy or rounding)"


def _not_differentiable(name: str, reason: str) -> str:
    return (
        f"{name} is not differentiable with respect to its input: {reason}. Rewrite that part of the module; "
        "srlens needs plain autograd operations from input to output."
    )


@contextmanager
def _not_differentiable_named(name: str) -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        text = str(error)
        if "inplace operation" in text or "in-place" in text:
            reason = "it overwrites a tensor that its gradient needs (an in-place operation)"
        elif any(t in text for t in ("does not require grad", "that requires grad", "not have been used in the graph")):
            reason = _DETACHED
        elif "nference tensor" in text:
            reason = "it runs in inference mode"
        else:
            raise
        raise NotDifferentiableError(_not_differentiable(name, reason)) from error
