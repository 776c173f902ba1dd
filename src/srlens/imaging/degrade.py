"""Tasks: how an observed picture is made of a clean one, and what "doing nothing" about it would be.

A task is one :class:`Degradation`; :mod:`srlens.imaging.degradations` holds those that srlens has. Those of
super-resolution shrink the picture, in the three ways of the field, and are measured against bicubic enlargement; those
of restoration keep its size, and are measured against the observed picture itself.
"""

import torch
from numpy.typing import ArrayLike
from torch import Tensor

from srlens.errors import ImageTooSmallError, SettingError
from srlens.imaging.check import check_image, whole_scale
from srlens.imaging.degradation import Asked, Degradation
from srlens.imaging.degradations import blur, dark, haze, jpeg, noise, rain, shrink

#: How the LR is made unless something else is asked for.
DEFAULT = shrink.DEFAULT

#: The degradation of an observed picture that is not made here: how it came about is not known.
GIVEN = "given"

#: Every degradation by its name.
DEGRADATIONS: dict[str, Degradation] = {
    entry.name: entry
    for entry in (*shrink.ENTRIES, noise.ENTRY, jpeg.ENTRY, blur.ENTRY, rain.ENTRY, haze.ENTRY, dark.ENTRY)
}

_ALIASES = {"bicubic": DEFAULT, "matlab": "bicubic-float"}  # "matlab": the latter's name of old


def canonical(text: str) -> str:
    """A degradation as records hold it: ``"bicubic"`` is ``"matlab-uint8"``, ``"noise:25.0"`` is ``"noise:25"``.

    Raises:
        SettingError: see :func:`parse_degradation`.
    """
    return text if text == GIVEN else str(parse_degradation(text))


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


def parse_degradation(text: str) -> Asked:
    """Understand ``"name"``, ``"name:level"`` or ``"name:level,setting=value"``: ``"pil"``, ``"haze:1,airlight=0.9"``.

    Raises:
        SettingError: no such degradation or setting, or a level that is missing, too many or out of range.
    """
    name, colon, behind = text.partition(":")
    entry = DEGRADATIONS.get(_ALIASES.get(name, name))
    if entry is None:
        known = ", ".join(repr(e.name + (":LEVEL" if e.level else "")) for e in DEGRADATIONS.values())
        raise SettingError(f"The degradation (={text!r}) must be one of {known}.")
    if colon and not (entry.level or entry.settings):
        raise SettingError(f"The degradation {name!r} has no level; write {name!r} alone, not {text!r}.")
    return entry.asked(behind)


def for_scale(scale: int) -> tuple[Degradation, ...]:
    """Degradations that networks of a scale undo, for lists to choose from."""
    return tuple(entry for entry in DEGRADATIONS.values() if entry.fits(scale))


def tasks() -> dict[str, tuple[Degradation, ...]]:
    """The degradations by what undoing them is called: ``"super-resolution"``, ``"denoising"``, …, in their order."""
    found: dict[str, list[Degradation]] = {}
    for entry in DEGRADATIONS.values():
        found.setdefault(entry.task or entry.name, []).append(entry)
    return {task: tuple(entries) for task, entries in found.items()}


def default_degradation(preset: str | None, chosen: str | None = None) -> str:
    """How the LR is made from HR: as ``chosen``, else Pillow's bicubic for the paper's preset, MATLAB's for others."""
    return chosen or ("pil" if preset == "paper" else DEFAULT)


def degrade(clean: Tensor | ArrayLike, degradation: str, *, scale: int | None = None, seed: int = 0) -> Tensor:
    """Make the observed picture of a clean one, which is cropped first (``modcrop``).

    Args:
        clean: C×H×W in [0, 1]; of a clip T×C×H×W, which is degraded frame by frame.
        degradation: ``"name"``, ``"name:level"`` or ``"name:level,setting=value"``, of :data:`DEGRADATIONS`.
        scale: clean pixels per observed pixel; needed where the degradation does not say.
        seed: of the random numbers, where it draws any: one seed, one picture, on every device.

    Returns:
        C×(H // scale)×(W // scale).

    Raises:
        ImageError: wrong shape, integer type, or values outside [0, 1], as of a picture in 0–255.
        ImageTooSmallError: a side is shorter than the scale.
        NotFiniteError: NaN or infinity.
        SettingError: no such degradation, no such level, or a scale that it is not made for.
    """
    asked = parse_degradation(degradation)
    entry = asked.entry
    if scale is None and entry.scale is None:
        raise SettingError(f"The degradation {entry.name!r} shrinks the picture: give the scale, e.g. scale=4.")
    factor = whole_scale(scale) if scale is not None else entry.scale or 1
    if not entry.fits(factor):
        made = "shrinks the picture" if entry.scale is None else f"is made for scale {entry.scale}"
        others = ", ".join(one.written for one in for_scale(factor)) or "none that srlens has"
        raise SettingError(
            f"The degradation {entry.name!r} {made}, and this is for a network of scale {factor}. Say which one that "
            f"network undoes (--degradation): {others}."
        )
    checked = check_image(clean, clip=True)
    cropped = modcrop(clean if isinstance(clean, Tensor) else checked, factor)  # a tensor keeps device and gradient
    if cropped.ndim == 4:  # a clip: each frame has random numbers of its own
        return torch.stack([asked.observe(frame, factor, seed + k) for k, frame in enumerate(cropped)])
    return asked.observe(cropped, factor, seed)


def make_lr(hr: Tensor | ArrayLike, scale: int, method: str = DEFAULT) -> Tensor:
    """Make the LR image of an HR image: :func:`degrade` in the words of super-resolution.

    Args:
        hr: C×H×W in [0, 1].
        scale: HR pixels per LR pixel.
        method: ``"matlab-uint8"``, ``"pil"`` or ``"bicubic-float"``, which alone keeps more than 8 bits, is
            differentiable, and may overshoot [0, 1] a little.

    Returns:
        C×(H // scale)×(W // scale).

    Raises:
        ImageError, ImageTooSmallError, NotFiniteError: see :func:`degrade`.
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


def judge(observed: Tensor, scale: int, degradation: str = GIVEN) -> Tensor:
    """The picture by whose PSNR hard windows are mined: :func:`reference`, but where that errs alike everywhere.

    Args:
        observed: C×h×w in [0, 1].
        scale: clean pixels per observed pixel.
        degradation: how it was made.

    Returns:
        C×(scale·h)×(scale·w), not clamped.
    """
    entry = _of_observed(degradation, scale)
    return (entry.judge or entry.reference)(observed, scale)


def judge_name(scale: int, degradation: str = GIVEN) -> str:
    """What :func:`judge` is called."""
    entry = _of_observed(degradation, scale)
    return entry.judge_name if entry.judge is not None else entry.reference_name


def drawn_seed(degradation: str, seed: int) -> int | None:
    """The seed as a condition of a picture: None where the degradation draws no random numbers."""
    return seed if degradation != GIVEN and parse_degradation(degradation).entry.seeded else None


def psnr_border(scale: int) -> int:
    """SR pixels at the edges that PSNR leaves out: ``scale`` in super-resolution, none in restoration."""
    return scale if scale > 1 else 0


def _not_made(*_: object) -> Tensor:
    raise SettingError("How this picture was degraded is not known; none can be made so.")


def psnr_of_luma(scale: int) -> bool:
    """Whether PSNR and SSIM are those of the luma: in super-resolution; in restoration they are of all channels."""
    return scale > 1


def psnr_channels(scale: int, channels: int = 3) -> str:
    """What PSNR is taken of, in words: :func:`psnr_of_luma` of three channels, all of others."""
    if channels != 3:
        return "grey" if channels == 1 else "all bands"
    return "luma" if psnr_of_luma(scale) else "RGB"


_GIVEN_LARGER = shrink.super_resolution(GIVEN, "not known", _not_made)
_GIVEN_ALIKE = Degradation(GIVEN, "not known", _not_made)


def _of_observed(degradation: str, scale: int) -> Degradation:
    if degradation == GIVEN:
        return _GIVEN_ALIKE if scale == 1 else _GIVEN_LARGER
    return parse_degradation(degradation).entry


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
