"""What a method is given, and what it returns."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, Self, TypeVar

from torch import Tensor

from srlens.attribution.detector import Detector
from srlens.attribution.making import Making
from srlens.imaging.window import Window

#: Called with (evaluations done, evaluations expected); the second is a guess that may change until both are equal.
Progress = Callable[[int, int], None]

_T = TypeVar("_T")


class Scene(ABC):
    """One network on one image, and the K windows of its output that are explained together.

    Everything that a method needs of the network it asks here: :meth:`gradients`, :meth:`values`.

    Attributes:
        image: the LR image as the network takes it, C×h×w, float64, CPU.
        windows: in SR pixels.
        evaluations: gradients (of each window) and values asked for so far.
        limit: images that are worth asking for at once; it may change after the first.
        making: how the image was made, where it has the size of the clean picture and both are known; else None.
    """

    limit = 1
    making: Making | None = None

    def __init__(
        self, image: Tensor, windows: tuple[Window, ...], kept: dict[str, Any], progress: Progress | None
    ) -> None:
        self.image = image
        self.windows = windows
        self.evaluations = 0
        self._kept = kept
        self._progress = progress
        self._expected, self._done = 1, 0

    @property
    @abstractmethod
    def scale(self) -> int:
        """SR pixels per LR pixel."""

    @property
    @abstractmethod
    def detector(self) -> Detector:
        """What is asked about each window."""

    @property
    @abstractmethod
    def reach(self) -> tuple[tuple[int, int, int, int], ...]:
        """LR pixels that each window can depend on: (top, left, bottom, right), the last two exclusive.

        As far as it is known: it may become less with the first gradient, which may show that windows can be
        evaluated by themselves.
        """

    @property
    @abstractmethod
    def evaluation(self) -> str:
        """How the network was evaluated, in words."""

    @abstractmethod
    def detect(self, images: Tensor) -> Tensor:
        """As :meth:`values`, but not counted."""

    @abstractmethod
    def _gradients(self, images: Tensor) -> Tensor:
        """As :meth:`gradients`; :meth:`_tick` is told of every few that are done."""

    def expect(self, evaluations: int) -> None:
        """Say how many images gradients or values will be asked for, for the progress bar; may be said again."""
        self._expected = evaluations

    def gradients(self, images: Tensor) -> Tensor:
        """Gradients of each window's detector: N×C×h×w LR images to N×K×C×h×w, float64, CPU.

        Raises:
            NotDifferentiableError, NotFiniteError, OutOfMemoryError: the evaluation failed.
        """
        self.evaluations += len(images)
        return self._gradients(images)

    def values(self, images: Tensor) -> Tensor:
        """Values of each window's detector: N×C×h×w LR images to N×K, float64, CPU."""
        self.evaluations += len(images)
        result = self.detect(images)
        self._tick(len(images) * len(self.windows))
        return result

    def kept(self, key: str, make: Callable[[], _T]) -> _T:
        """What depends on the image and the method's settings alone: made once, kept for further windows."""
        if key not in self._kept:
            self._kept[key] = make()
        found: _T = self._kept[key]
        return found

    def _tick(self, done: int) -> None:
        self._done += done
        if self._progress is not None:
            self._progress(self._done, max(self._expected * len(self.windows), self._done))


@dataclass(frozen=True, eq=False)
class Explanation:
    """What a method returns.

    Attributes:
        maps: one for each window, K×C×h×w, float64, signed, in units of the detector.
        baseline: C×h×w, if the maps share out the detector's change from there to the image (completeness); or None.
        errors: the estimated relative L2 error of each map, or None where it is not known.
        values: of each window's detector at the image and, where there is one, at the baseline, N×K, if they were asked
            for on the way.
        converged: False where a tolerance was asked for and not reached.
        facts: what else the method found, as plain values that JSON can hold.
        intervals: of a method that draws at random, K×h×w: half the width of the 95 % interval of each map, summed
            over channels.
    """

    maps: Tensor
    baseline: Tensor | None = None
    errors: tuple[float | None, ...] | None = None
    values: Tensor | None = None
    converged: bool = True
    facts: Mapping[str, Any] = field(default_factory=dict)
    intervals: Tensor | None = None


class Algorithm(Protocol):
    """How maps are made: a frozen dataclass whose fields are its settings, under the names that they are given by.

    Subclass it, define :meth:`explain`, and add it to :data:`srlens.METHODS`. Settings are plain values; one that holds
    others has ``record()`` too, which gives plain values that make an equal one.
    """

    def explain(self, scene: Scene) -> Explanation:
        """The maps of the scene's windows."""
        ...

    @property
    def together(self) -> bool:
        """Whether several windows may share one scene, which shares forward passes; else each has its own."""
        return False

    @property
    def expected(self) -> int:
        """About how many gradients a window will take: few do not repay the proof of windowed evaluation."""
        return 1

    @property
    def by_values(self) -> bool:
        """Whether it asks for values of the detector, a forward pass each, rather than for gradients."""
        return False

    def known(self, image: Tensor) -> Tensor:
        """Images (K×C×h×w) where each window that is computed by itself is compared with the whole network's.

        ``image`` (C×h×w) is one; the first that a gradient is asked for is another, in any case.
        """
        return image[None]

    def reading(self, clean: Tensor | None, image: Tensor) -> Self:  # noqa: ARG002 - for those that read it
        """The same with the clean picture in hand (C×sh×sw as the network takes it), where it reads that.

        Raises:
            SettingError: it does, and there is none, or one of another size than the image.
        """
        return self

    def question(self, what: str) -> str:
        """What a map answers, in words; ``what`` is what the detector measures. Empty where nothing is said."""
        return f"how does the window change, in {what}, with each input pixel?"

    def check(self, height: int, width: int) -> None:
        """Raise a named error if the settings do not fit an LR image of this size."""
