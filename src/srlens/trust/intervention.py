"""Interventions: what a network makes of one window when pixels of its input are replaced."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from srlens.attribution.baseline import Mean
from srlens.attribution.detector import Detector, find_detector
from srlens.attribution.evaluator import Evaluator
from srlens.attribution.scene import Progress
from srlens.errors import ImageError, NetworkOutputError, OutOfMemoryError, SettingError
from srlens.imaging.check import check_image, crop_clean
from srlens.imaging.colour import match_channels
from srlens.imaging.window import Window
from srlens.measures.cancellation import chebyshev_distance
from srlens.measures.quality import window_psnr
from srlens.networks.frozen import frozen
from srlens.networks.network import Network
from srlens.windowed import Windowed

# Images in one forward pass on a GPU, halved where they do not fit; on the CPU a batch would only leave the caches.
_AT_ONCE = 16
# Relative L2 difference of a window made alone and in a batch that rounding makes; far less than any effect asked for.
_ALIKE = 1e-2


@dataclass(frozen=True, eq=False)
class Effects:
    """What N replaced images do to the window; arrays of N, float64, read-only.

    Attributes:
        rmse: root mean square change of the window's SR pixels, all channels, on [0, 1] and not clamped.
        detector: D(F(I)) − D(F(I_S)): what the detector loses, in its own unit.
        psnr_change: PSNR of the window after minus before, in dB; infinite where one of the two is; None where the
            clean picture is not known, or PSNR is not defined (neither 1 nor 3 channels).
    """

    rmse: NDArray[np.float64]
    detector: NDArray[np.float64]
    psnr_change: NDArray[np.float64] | None

    def __post_init__(self) -> None:
        for values in (self.rmse, self.detector, self.psnr_change):
            if values is not None:
                values.setflags(write=False)

    @property
    def change_db(self) -> NDArray[np.float64]:
        """PSNR of the changed window against the unchanged one, −20 log₁₀ rmse, in dB; infinite where they are equal.

        Larger: less changes. Files hold an infinite one as the word "inf", as they do the PSNR of equal pictures.
        """
        return np.array([decibel(one) for one in self.rmse])


def decibel(rmse: float) -> float:
    """−20 log₁₀ of a root mean square change on [0, 1], in dB; infinite for 0."""
    return -20 * math.log10(rmse) if rmse > 0 else math.inf


class Interventions:
    """Evaluates one window of a network's output for images whose pixels are replaced.

    The network is computed only where the window needs it, where that was shown to give the same window; no gradient is
    taken, so that it need not be differentiable. An image that differs from the given one outside the theoretical
    receptive field alone is not computed at all: its effect is 0.

    Args:
        network: what is intervened on.
        image: the LR image, C×h×w in [0, 1].
        window: in SR pixels.
        clean: the ground truth, C×sh×sw in [0, 1]; without it no change of PSNR is known.
        detector: see :func:`srlens.attribute`.
        memory: see :class:`srlens.Explainer`.
        regional: evaluate the network only where the window needs it.
        expected: about how many images effects will be asked for; see :meth:`expect`.
        progress: called with (images done, images expected).

    Attributes:
        network: as given.
        image: the LR image as the network takes it, C×h×w, float64, CPU.
        window: as given.
        detector: as found.
        passes: images that the network was shown so far, or its window's part of them.

    Raises:
        SettingError, ImageError, ImageTooSmallError, ChannelError, WindowError: something given cannot be used.
        NotFiniteError, OutOfMemoryError, ModuleError: the evaluation failed.
    """

    def __init__(
        self,
        network: Network,
        image: Tensor | ArrayLike,
        window: Window,
        *,
        clean: Tensor | ArrayLike | None = None,
        detector: str | Detector = "gradient",
        memory: int | None = None,
        regional: bool = True,
        expected: int = 64,
        progress: Progress | None = None,
    ) -> None:
        if not isinstance(network, Network):
            raise SettingError(
                f"srlens takes a srlens.Network, got the bare module {type(network).__name__}. "
                "Wrap it first: srlens.Network.wrap(module, scale=…)."
            )
        self.network = network
        self.image = network.prepare(check_image(image).double())
        self.window = window
        self.detector = find_detector(detector)
        self.passes = 0
        self._progress, self._expected, self._done = progress, expected, 0
        shown = network.converted(check_image(clean).double()) if clean is not None else None
        self._clean = crop_clean(shown, self.image, network.scale) if shown is not None else None
        # Where plans are compared: structure, and a picture without any.
        self._plain = Mean().of(self.image)
        known = torch.stack([self.image, self._plain])
        self._evaluator = Evaluator(
            network,
            self.detector,
            [window],
            *self.image.shape[-2:],
            windowed=Windowed(network, memory=memory, wanted=regional, known=known),
            expected=expected,
            clean=self._clean,
        )
        self._at_once = 1 if network.device.type == "cpu" else _AT_ONCE
        self._prepared: set[int] = set()  # sizes of a batch

    def expect(self, images: int) -> None:
        """Say how many images effects will be asked for, all told, for the progress bar; may be said again."""
        self._expected = images

    @property
    def evaluation(self) -> str:
        """How the network is evaluated: ``"regional (…% of the multiply-adds)"`` or ``"full (reason)"``."""
        return self._evaluator.evaluation

    @cached_property
    def footprint(self) -> tuple[int, int, int, int]:
        """LR pixels that the window covers, in part or whole: (top, left, bottom, right), the last two exclusive."""
        top, left, bottom, right = self.window.on_lr(self.network.scale)
        return math.floor(top), math.floor(left), math.ceil(bottom), math.ceil(right)

    @cached_property
    def bounds(self) -> tuple[int, int, int, int]:
        """LR pixels that window and detector can depend on by the architecture, likewise; all where it is unknown."""
        height, width = self.image.shape[-2:]
        scale, field = self.network.scale, self.network.receptive_field
        read = self.window.grown(self.detector.margin, height * scale, width * scale)
        top, bottom = field.footprint(read.top, read.bottom, scale, height)
        left, right = field.footprint(read.left, read.right, scale, width)
        return top, left, bottom, right

    @cached_property
    def distance(self) -> NDArray[np.int64]:
        """h×w, read-only: Chebyshev distance of each LR pixel from the footprint, in LR pixels; 0 within it."""
        distance = chebyshev_distance(self.image.shape[-2:], self.footprint)
        distance.setflags(write=False)
        return distance

    @cached_property
    def _unchanged(self) -> tuple[Tensor, float]:
        """The window's pixels C×h×w and the detector's value, of the image as it is."""
        (pixels,), (value,) = self._outputs(self.image[None])
        return pixels, float(value)

    @property
    def pixels(self) -> Tensor:
        """The window's SR pixels of the image as it is, C×height×width in [0, 1] terms, float64, unclamped."""
        return self._unchanged[0]

    @property
    def detector_at_image(self) -> float:
        """D(F(I)), in the detector's unit."""
        return self._unchanged[1]

    @cached_property
    def psnr(self) -> float | None:
        """PSNR of the window in dB (luma, 8 bits; a network of one channel by that channel); None without clean."""
        return self._psnr(self.pixels)

    def effects(self, images: Iterable[Tensor]) -> Effects:
        """What happens to the window when the network is shown other images than the given one.

        Args:
            images: N of C×h×w, float64, as ``image`` is; a tensor N×C×h×w, or one after another.

        Raises:
            ImageError: an image is of another shape than the network's.
            NotFiniteError, OutOfMemoryError, ModuleError: the evaluation failed.
        """
        before, at_image = self._unchanged
        rows: list[tuple[float, float, float | None]] = []
        rest = iter(images)
        while chunk := list(islice(rest, _AT_ONCE)):
            reached = [one for one in chunk if self._reaches(one)]
            made = iter(zip(*self._outputs(torch.stack(reached)), strict=True) if reached else ())
            for one in chunk:
                pixels, value = next(made) if self._reaches(one) else (before, at_image)
                psnr = self._psnr(pixels)
                rows.append(
                    (
                        float((pixels - before).square().mean().sqrt()),
                        at_image - float(value),
                        _difference(psnr, self.psnr) if psnr is not None and self.psnr is not None else None,
                    )
                )
            self._tick(len(chunk))
        rmse, detector, change = (np.array([row[k] for row in rows]) for k in range(3))
        return Effects(rmse, detector, change if self.psnr is not None else None)

    def _reaches(self, image: Tensor) -> bool:
        """Whether an image differs from the given one where the window may depend on it."""
        if image.shape != self.image.shape:
            raise ImageError(
                f"{self.network.name} is to be shown images of {tuple(self.image.shape)}, got {tuple(image.shape)}."
            )
        top, left, bottom, right = self.bounds
        here = (..., slice(top, bottom), slice(left, right))
        return not torch.equal(image[here], self.image[here])

    def _outputs(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """The window's pixels N×C×height×width and the detector's values N, in as many passes as it takes."""
        pieces: list[tuple[Tensor, Tensor]] = []
        start = 0
        while start < len(images):
            batch = images[start : start + self._at_once]
            try:
                pieces.append(self._batch(batch))
                start += len(batch)
                continue
            except (OutOfMemoryError, NetworkOutputError) as error:  # the latter: it takes one image at a time
                if self._at_once == 1:
                    raise
                self._at_once = self._at_once // 2 if isinstance(error, OutOfMemoryError) else 1
            torch.cuda.empty_cache()  # not before: the error in hand holds what has filled the memory
        self.passes += len(images)
        pixels, values = zip(*pieces, strict=True)
        return torch.cat(pixels), torch.cat(values)

    def _batch(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """One forward pass; always of the same shape, which is recorded once.

        What fills it up is another picture, so that a network that mixes the images of a batch shows it at the first.
        """
        count, missing = len(images), self._at_once - len(images)
        filled = torch.cat([images, self._plain.expand(missing, -1, -1, -1)])
        with frozen(self.network.module):
            if self._at_once not in self._prepared:
                self._evaluator.prepare_values(filled)
            ((pixels, values),) = self._evaluator.outputs(filled, self._at_once)
            if self._at_once > 1 and self._at_once not in self._prepared:
                ((alone, _),) = self._evaluator.outputs(filled[:1])
                if float((pixels[0] - alone[0]).norm()) > _ALIKE * float(alone.norm()):
                    raise NetworkOutputError("The images of a batch are mixed.")
        self._prepared.add(self._at_once)
        return pixels[:count], values[:count]

    def _psnr(self, pixels: Tensor) -> float | None:
        if self._clean is None:
            return None
        clean = match_channels(self.window.crop(self._clean), pixels.shape[0])
        if clean.shape != pixels.shape or pixels.shape[0] not in (1, 3):
            return None  # PSNR is defined for luma, grey and RGB alone
        return window_psnr(pixels, clean, (0, 0, *pixels.shape[-2:]))

    def _tick(self, done: int) -> None:
        self._done += done
        if self._progress is not None:
            self._progress(self._done, max(self._expected, self._done))


def _difference(after: float, before: float) -> float:
    """After minus before, where equal infinities do not differ."""
    return 0.0 if after == before else after - before
