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
    expected = (height * first.scale, width * first.scale)
    pictures = [(f"The SR image of {result.network}", sr.shape) for result, sr in zip(results, srs, strict=False)]
    pictures += [("The HR image", hr.shape)] if hr is not None else []
    sizes = [(f"The map of {result.network}", (1, *result.lr_size), (height, width)) for result in results]
    for name, shape, needed in sizes + [(name, shape, expected) for name, shape in pictures]:
        if len(shape) != 3 or tuple(shape[1:]) != needed:
            raise ImageError(
                f"{name} must be C×{needed[0]}×{needed[1]} (LR image {height}×{width} at ×{first.scale}), "
                f"got {tuple(shape)}."
            )
