"""Pictures and results must belong together before they are put side by side."""

from collections.abc import Sequence

from torch import Tensor

from srlens.attribution.result import Attribution
from srlens.errors import ImageError, SettingError


def check_pictures(
    results: Sequence[Attribution], lr: Tensor | None = None, hr: Tensor | None = None, srs: Sequence[Tensor] = ()
) -> None:
    """Raise unless all results explain one window of this LR image and every picture has its size.

    Args:
        results: one a network.
        lr: the LR image, C×h×w, where it is at hand.
        hr: the HR image, C×sh×sw, likewise.
        srs: the networks' SR images in the order of the results, or none.

    Raises:
        SettingError: no results, or of different windows or scales.
        ImageError: a picture of another size.
    """
    if not results:
        raise SettingError("A figure needs at least one network's result.")
    first = results[0]
    for result in results[1:]:
        if (result.window, result.scale) != (first.window, first.scale):
            raise SettingError(
                f"{first.network} explains {first.window} at ×{first.scale}, but {result.network} explains "
                f"{result.window} at ×{result.scale}. Put results of one window and scale side by side."
            )
    height, width = first.lr_size if lr is None else lr.shape[-2:]
    for result in results:
        if result.lr_size != (height, width):
            raise ImageError(
                f"The map of {result.network} is of an LR image of {result.lr_size[0]}×{result.lr_size[1]} "
                f"pixels, but the LR image given has {height}×{width}."
            )
    expected = (height * first.scale, width * first.scale)
    pictures = [(f"The SR image of {result.network}", sr) for result, sr in zip(results, srs, strict=False)]
    for name, picture in pictures + ([("The HR image", hr)] if hr is not None else []):
        if picture.ndim != 3 or tuple(picture.shape[-2:]) != expected:
            raise ImageError(
                f"{name} must be C×{expected[0]}×{expected[1]} (LR {height}×{width} at ×{first.scale}), "
                f"got {tuple(picture.shape)}."
            )
