"""Tasks: how an observed picture is made of a clean one, and what "doing nothing" about it would be.

A task is one :class:`Degradation`. Those of super-resolution shrink the picture, in the three ways of the field, and
are measured against bicubic enlargement; those of restoration keep its size, and are measured against the observed
picture itself.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from srlens.errors import ImageTooSmallError, SettingError
from srlens.imaging.check import whole_scale
from srlens.imaging.resample import bicubic_downscale, bicubic_upscale, matlab_downscale_uint8, pil_downscale


def _as_observed(observed: Tensor, scale: int) -> Tensor:  # noqa: ARG001 - the signature of `Degradation.reference`
    return observed


@dataclass(frozen=True)
class Degradation:
    """How the observed picture is made of a clean one; :func:`add_degradation` makes it known.

    Attributes:
        name: as a user writes it, before the level: ``"noise"`` in ``"noise:25"``.
        description: one line.
        observe: makes the observed picture C×h×w of a clean one, C×H×W in [0, 1], as ``observe(clean, scale, level,
            seed)``; both sides of the clean one are multiples of the scale.
        level: what the number behind the colon is, with its unit; empty where there is none.
        scale: the only scale for which it is made: 1 where the picture keeps its size; None for any scale.
        reference: the picture of the clean one's size that "doing nothing" gives, as ``reference(observed, scale)``.
        reference_name: what captions and warnings call that picture.
        seeded: whether ``observe`` draws random numbers, so that the seed is one of the conditions.
    """

    name: str
    description: str
    observe: Callable[[Tensor, int, float, int], Tensor]
    level: str = ""
    scale: int | None = 1
    reference: Callable[[Tensor, int], Tensor] = _as_observed
    reference_name: str = "observed picture"
    seeded: bool = False


def _shrink(resize: Callable[[Tensor, int], Tensor]) -> Callable[[Tensor, int, float, int], Tensor]:
    return lambda clean, scale, level, seed: resize(clean, scale)  # noqa: ARG005


def _add_noise(clean: Tensor, scale: int, level: float, seed: int) -> Tensor:  # noqa: ARG001 - as `Degradation.observe`
    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float32)
    return clean + (level / 255 * noise).to(clean)


_super_resolution = partial(Degradation, scale=None, reference=bicubic_upscale, reference_name="bicubic")

#: The degradation of an observed picture that is not made here: how it came about is not known.
GIVEN = "given"

#: How the LR is made unless something else is asked for: as a file would hold it, like the LR that networks are
#: published with. On the overshoot of unrounded bicubic some of them diverge.
DEFAULT = "matlab-uint8"

#: Every degradation by its name.
DEGRADATIONS: dict[str, Degradation] = {
    entry.name: entry
    for entry in (
        _super_resolution(DEFAULT, "MATLAB's bicubic on 8-bit images, as public LR sets were made: the default",
                          _shrink(matlab_downscale_uint8)),
        _super_resolution("bicubic-float", "MATLAB's bicubic in floating point: differentiable, overshoots [0, 1]",
                          _shrink(bicubic_downscale)),
        _super_resolution("pil", "Pillow's bicubic, 8 bits: the LR of the paper's demo", _shrink(pil_downscale)),
        Degradation("noise", "white Gaussian noise, in float32, not clipped to [0, 1]", _add_noise,
                    level="σ in 8-bit grey levels", reference_name="noisy picture", seeded=True),
    )
}  # fmt: skip

_ALIASES = {"bicubic": DEFAULT, "matlab": "bicubic-float"}  # "matlab": the latter's name of old


def canonical(text: str) -> str:
    """A degradation by the one name that records hold: ``"bicubic"`` to ``"matlab-uint8"``, ``"noise:25"`` as it is."""
    return _ALIASES.get(text, text)


def add_degradation(*new: Degradation) -> None:
    """Make degradations known, for as long as the process lives; all of them or, where one cannot be added, none.

    Raises:
        SettingError: a name is taken, or holds a colon.
    """
    names = [*DEGRADATIONS, *_ALIASES, GIVEN, *(entry.name for entry in new)]
    for entry in new:
        if not entry.name or ":" in entry.name or names.count(entry.name) > 1:
            raise SettingError(f"A degradation cannot be called {entry.name!r}: the name is taken, or holds a colon.")
    DEGRADATIONS.update({entry.name: entry for entry in new})


def parse_degradation(text: str) -> tuple[Degradation, float]:
    """Understand ``"name"`` or ``"name:level"``, e.g. ``"pil"``, ``"noise:25"``.

    Returns:
        The entry, and its level; 0 where it has none.

    Raises:
        SettingError: no such degradation, or a level that is missing, too many, or no number of at least 0.
    """
    name, colon, number = text.partition(":")
    entry = DEGRADATIONS.get(canonical(name))
    if entry is None:
        known = ", ".join(repr(e.name + (":LEVEL" if e.level else "")) for e in DEGRADATIONS.values())
        raise SettingError(f"The degradation (={text!r}) must be one of {known}.")
    if not entry.level and colon:
        raise SettingError(f"The degradation {name!r} has no level; write {name!r} alone, not {text!r}.")
    try:
        level = float(number) if entry.level else 0.0
    except ValueError:
        level = math.nan
    if not 0 <= level < math.inf:
        raise SettingError(f"The degradation (={text!r}) needs a level: {entry.level}, at least 0, e.g. {name}:25.")
    return entry, level


def without_level() -> tuple[str, ...]:
    """Names that say all by themselves, for lists to choose from."""
    return tuple(name for name, entry in DEGRADATIONS.items() if not entry.level)


def default_degradation(preset: str | None, chosen: str | None = None) -> str:
    """How the LR is made from HR: as ``chosen``, else Pillow's bicubic for the paper's preset, MATLAB's for others."""
    return chosen or ("pil" if preset == "paper" else DEFAULT)


def degrade(clean: Tensor, degradation: str, *, scale: int | None = None, seed: int = 0) -> Tensor:
    """Make the observed picture of a clean one, which is cropped first (:func:`modcrop`).

    Args:
        clean: C×H×W in [0, 1].
        degradation: ``"name"`` or ``"name:level"``, of :data:`DEGRADATIONS`.
        scale: clean pixels per observed pixel; needed where the degradation does not say.
        seed: of the random numbers, where it draws any: one seed, one picture, on every device.

    Returns:
        C×(H // scale)×(W // scale).

    Raises:
        ImageTooSmallError: a side is shorter than the scale.
        SettingError: no such degradation, no such level, or a scale that it is not made for.
    """
    entry, level = parse_degradation(degradation)
    if scale is None and entry.scale is None:
        raise SettingError(f"The degradation {entry.name!r} shrinks the picture: give the scale, e.g. scale=4.")
    factor = scale if scale is not None else entry.scale or 1
    if entry.scale not in (None, factor):
        raise SettingError(
            f"The degradation {entry.name!r} is made for scale {entry.scale}, not {factor}: it needs a network of that "
            "scale."
        )
    return entry.observe(modcrop(clean, factor), factor, level, seed)


def make_lr(hr: Tensor, scale: int, method: str = DEFAULT) -> Tensor:
    """Make the LR image of an HR image: :func:`degrade` in the words of super-resolution.

    Args:
        hr: C×H×W in [0, 1].
        scale: HR pixels per LR pixel.
        method: ``"matlab-uint8"``, ``"pil"`` or ``"bicubic-float"``, which alone keeps more than 8 bits, is
            differentiable, and may overshoot [0, 1] a little.

    Returns:
        C×(H // scale)×(W // scale).

    Raises:
        ImageTooSmallError: a side is shorter than the scale.
        SettingError: no such method, or a scale below 1.
    """
    return degrade(hr, method, scale=scale)


def reference(observed: Tensor, scale: int, degradation: str = GIVEN) -> Tensor:
    """The picture that "doing nothing" gives: at the size of the clean one, not clamped.

    Args:
        observed: C×h×w in [0, 1].
        scale: clean pixels per observed pixel.
        degradation: how it was made; for :data:`GIVEN` bicubic enlargement, or at scale 1 the observed picture.
    """
    return _of_observed(degradation, scale).reference(observed, scale)


def reference_name(scale: int, degradation: str = GIVEN) -> str:
    """What captions and warnings call :func:`reference`: ``"bicubic"``, ``"noisy picture"``, …."""
    return _of_observed(degradation, scale).reference_name


def psnr_border(scale: int) -> int:
    """SR pixels at the edges that PSNR leaves out: ``scale`` in super-resolution, none in restoration."""
    return scale if scale > 1 else 0


_GIVEN_LARGER = _super_resolution(GIVEN, "not known", _shrink(_as_observed))
_GIVEN_ALIKE = Degradation(GIVEN, "not known", _shrink(_as_observed))


def _of_observed(degradation: str, scale: int) -> Degradation:
    if degradation == GIVEN:
        return _GIVEN_ALIKE if scale == 1 else _GIVEN_LARGER
    return parse_degradation(degradation)[0]


def modcrop(image: Tensor, scale: int) -> Tensor:
    """Crop the bottom and right of …×H×W so that both sides are multiples of the scale (a view, not a copy).

    Raises:
        ImageTooSmallError: a side is shorter than the scale.
        SettingError: the scale is below 1.
    """
    scale = whole_scale(scale)
    height, width = image.shape[-2:]
    if height < scale or width < scale:
        raise ImageTooSmallError(
            f"The HR image is {height}×{width} pixels and holds no LR pixel at scale {scale}. "
            f"Give at least {scale}×{scale}."
        )
    return image[..., : height - height % scale, : width - width % scale]
