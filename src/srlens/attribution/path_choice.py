"""A path by its name, with the blur's σ and kernel where they were given."""

from dataclasses import replace

from srlens.attribution.path import LinearFromBlur, Path, ProgressiveBlur
from srlens.attribution.settings import find_path
from srlens.errors import SettingError


def choose_path(path: str | None, sigma: float | None, kernel: int | None) -> str | Path | None:
    """What :func:`srlens.attribute` takes as ``path``; the name itself where neither σ nor kernel was given.

    Args:
        path: a name, or None for the preset's own.
        sigma: σ of the baseline's blur in LR pixels.
        kernel: side of its kernel in LR pixels; by default the path's own, or what σ needs.

    Raises:
        SettingError: σ or a kernel for a path without blur, or an unknown name.
    """
    if sigma is None and kernel is None:
        return path
    chosen = find_path(path or "progressive-blur")
    if not isinstance(chosen, ProgressiveBlur | LinearFromBlur):
        raise SettingError(f"σ and kernel belong to a blurred path, but the path is {path!r}.")
    width = sigma if sigma is not None else chosen.sigma
    return replace(
        chosen, sigma=width, kernel=kernel if kernel is not None else max(chosen.kernel, smallest_kernel(width))
    )


def smallest_kernel(sigma: float) -> int:
    """The smallest odd kernel that holds 3 σ to each side."""
    return 2 * int(-(-3 * sigma // 1)) + 1 if 0 < sigma < float("inf") else 9
