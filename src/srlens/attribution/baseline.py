"""Baselines: images without what is to be explained, where a path starts and what occlusion fills in."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from numbers import Real
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor

from srlens.attribution.blur import blur, blur_derivative, check_blur
from srlens.errors import SettingError
from srlens.naming import look_up


class Baseline(Protocol):
    """A rule that makes the baseline of any LR image; a frozen dataclass whose fields are its settings.

    Images are C×h×w, float64, on the CPU.
    """

    @property
    def name(self) -> str:
        """Its key in :data:`BASELINES`."""
        ...

    def of(self, image: Tensor) -> Tensor:
        """The baseline of an image, of the same shape."""
        ...


#: What a baseline is in words, for the question that a caption says a map answers: its attribute ``words``.
def in_words(baseline: Baseline) -> str:
    """``"the blurred input"``; of a baseline without words its name."""
    words: str = getattr(baseline, "words", f"the baseline {baseline.name}")
    return words


@dataclass(frozen=True)
class Blurred:
    """The paper's baseline (eq. 5): the image under a sampled Gaussian, ``I' = ω(σ) ⊗ I``.

    Attributes:
        sigma: σ in LR pixels, > 0; the paper's is 1.2.
        kernel: side of the sampled Gaussian in LR pixels, odd, with a radius of at least 3 σ; the paper's is 9, and it
            is the default as far as it holds σ.

    Raises:
        SettingError: a value out of range.
    """

    sigma: float = 1.2
    kernel: int | None = None
    name: ClassVar[str] = "blur"
    words: ClassVar[str] = "the blurred input"

    def __post_init__(self) -> None:
        if isinstance(self.sigma, Real) and not isinstance(self.sigma, int):  # of another library, whole or not
            object.__setattr__(self, "sigma", float(self.sigma))
        if self.kernel is None:
            object.__setattr__(self, "kernel", max(9, smallest_kernel(self.sigma)))
        check_blur(self.sigma, self._side)

    @property
    def _side(self) -> int:
        assert self.kernel is not None
        return self.kernel

    def check(self, height: int, width: int) -> None:
        """Raise ImageTooSmallError if reflection at the border needs a larger image."""
        check_blur(self.sigma, self._side, height, width)

    def of(self, image: Tensor) -> Tensor:
        """The blurred image."""
        return self.fading(image, torch.zeros(1, dtype=torch.float64))[0]

    def fading(self, image: Tensor, alpha: Tensor) -> Tensor:
        """The image blurred by σ(1 − α) for each α: N×C×h×w."""
        return blur(image, self.sigma * (1 - alpha), self._side)

    def fading_derivative(self, image: Tensor, alpha: Tensor) -> Tensor:
        """The derivative of :meth:`fading` by α, from that of the normalised kernel."""
        return -self.sigma * blur_derivative(image, self.sigma * (1 - alpha), self._side)


def smallest_kernel(sigma: float) -> int:
    """The smallest odd kernel that holds 3 σ to each side; 9 for what is no σ, which is refused later."""
    number = isinstance(sigma, int | float) and not isinstance(sigma, bool)
    return 2 * int(-(-3 * sigma // 1)) + 1 if number and 0 < sigma < float("inf") else 9


@dataclass(frozen=True)
class Black:
    """Black, the classic baseline of integrated gradients (Sundararajan et al. 2017)."""

    name: ClassVar[str] = "black"
    words: ClassVar[str] = "a black input"

    def of(self, image: Tensor) -> Tensor:
        """Zeros."""
        return torch.zeros_like(image)


@dataclass(frozen=True)
class Mean:
    """Each channel's mean everywhere: brightness and colour stay, structure goes."""

    name: ClassVar[str] = "mean"
    words: ClassVar[str] = "an input of its mean colour"

    def of(self, image: Tensor) -> Tensor:
        """The means."""
        return image.mean(dim=(-2, -1), keepdim=True).expand_as(image)


@dataclass(frozen=True)
class Clean:
    """The clean picture, of a network that keeps the size; asked is what the degradation did to the window.

    The straight path from it is that of fengyanzi's dehazing attribution maps.
    """

    name: ClassVar[str] = "clean"
    words: ClassVar[str] = "the clean picture as input (what the degradation did)"
    reads_clean: ClassVar[bool] = True

    def of(self, image: Tensor) -> Tensor:  # noqa: ARG002 - as `Baseline.of`
        """Nothing is known of the clean picture here; see :func:`given_clean`."""
        raise SettingError("The baseline 'clean' needs the clean picture: clean=, on the command line --clean.")


@dataclass(frozen=True, eq=False)
class _GivenClean(Clean):
    picture: Tensor

    def of(self, image: Tensor) -> Tensor:  # noqa: ARG002 - as `Baseline.of`
        return self.picture


def given_clean(baseline: Baseline, clean: Tensor | None, image: Tensor) -> Baseline:
    """The baseline with the clean picture in hand, where it needs one.

    Args:
        baseline: any.
        clean: C×sh×sw as the network takes it, float64, or None.
        image: C×h×w.

    Raises:
        SettingError: it needs one, and there is none, or one of another size or other channels.
    """
    if not getattr(baseline, "reads_clean", False):
        return baseline
    if clean is None:
        return Clean().of(image)  # type: ignore[return-value]  # raises
    if clean.shape != image.shape:
        raise SettingError(
            f"The baseline 'clean' is for networks that keep the size: the clean picture is {tuple(clean.shape)}, the "
            f"input {tuple(image.shape)}. Take the blurred input, path progressive-blur."
        )
    return _GivenClean(clean)


#: Baselines by name. Add your own class here, and paths from it (``linear-NAME``) and fills have a name at once.
BASELINES: dict[str, type[Baseline]] = {"blur": Blurred, "black": Black, "mean": Mean, "clean": Clean}


def setting_names(part: Any) -> tuple[str, ...]:
    """The settings of a baseline or a curve (or of its class)."""
    return tuple(field.name for field in fields(part) if field.name != "baseline")


def find_baseline(name: str, settings: Mapping[str, Any], what: str = "baseline") -> Baseline:
    """A baseline by name.

    Args:
        name: a key of :data:`BASELINES`.
        settings: its own, such as σ and kernel in LR pixels; None: the default.
        what: it is, for messages.

    Raises:
        SettingError: no baseline has that name, or it has no such setting.
    """
    kind = look_up(what, name, BASELINES)
    given, known = {key: value for key, value in settings.items() if value is not None}, setting_names(kind)
    if unknown := [key for key in given if key not in known]:
        text = f"it takes {', '.join(known)}" if known else "it takes none: σ and kernel are those of a blurred path"
        raise SettingError(f"{' and '.join(unknown)}: no setting of the {what} {name!r}; {text}.")
    return kind(**given)


def check_baseline(baseline: Baseline, height: int, width: int) -> None:
    """Raise a named error if the baseline does not fit an LR image of this size."""
    check = getattr(baseline, "check", None)
    if check is not None:
        check(height, width)
