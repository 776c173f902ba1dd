"""Pictures and results must belong together before they are put side by side."""

from collections.abc import Sequence

from torch import Tensor

from srlens.comparison.row import Row
from srlens.errors import ImageError, SettingError


def check_rows(rows: Sequence[Row], lr: Tensor, hr: Tensor | None) -> None:
    """Raise unless all rows explain one window of this LR image and every picture has its size.

    Raises:
        SettingError: no rows, or rows of different windows or scales.
        ImageError: a picture of another size.
    """
    if not rows:
        raise SettingError("A figure needs at least one network's result.")
    first = rows[0].result
    for row in rows[1:]:
        if (row.result.window, row.result.scale) != (first.window, first.scale):
            raise SettingError(
                f"{first.network} explains {first.window} at ×{first.scale}, but {row.result.network} explains "
                f"{row.result.window} at ×{row.result.scale}. Put results of one window and scale side by side."
            )
    height, width = lr.shape[-2:]
    for row in rows:
        if row.result.lr_size != (height, width):
            raise ImageError(
                f"The map of {row.result.network} is of an LR image of {row.result.lr_size[0]}×{row.result.lr_size[1]} "
                f"pixels, but the LR image given has {height}×{width}."
            )
    expected = (height * first.scale, width * first.scale)
    pictures = [(f"The SR image of {row.result.network}", row.sr) for row in rows]
    for name, picture in pictures + ([("The HR image", hr)] if hr is not None else []):
        if picture.ndim != 3 or tuple(picture.shape[-2:]) != expected:
            raise ImageError(
                f"{name} must be C×{expected[0]}×{expected[1]} (LR {height}×{width} at ×{first.scale}), "
                f"got {tuple(picture.shape)}."
            )
