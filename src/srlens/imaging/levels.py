"""Stored values as values in [0, 1]: one rule for every file that holds an array."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from srlens.errors import ImageError, NotFiniteError


def to_unit(array: NDArray[Any], bits: int, kind: str) -> NDArray[np.float32]:
    """Integers by their largest value; floating point as it is, once it is seen to lie in [0, 1].

    Args:
        array: H×W×C, or more axes before the last two.
        bits: that the file says a value has; others than 8 and 16 are refused in integers.
        kind: of the file, for messages.

    Raises:
        ImageError: values of another type, or outside [0, 1].
        NotFiniteError: NaN or infinity; says where.
    """
    if array.dtype.kind == "u" and array.dtype.itemsize in (1, 2) and bits == 8 * array.dtype.itemsize:
        return (array / np.float64(np.iinfo(array.dtype).max)).astype(np.float32)
    if array.dtype.kind != "f":
        raise ImageError(
            f"The {kind} picture holds {bits}-bit {array.dtype} values; unsigned 8 and 16 bits and floating "
            f"point are read. Convert it."
        )
    bad = ~np.isfinite(array)
    if bad.any():
        row, column, channel = np.argwhere(bad)[0][-3:]
        raise NotFiniteError(
            f"The {kind} picture holds {bad.sum()} values that are NaN or infinite, the first at row {row}, "
            f"column {column}, channel {channel}."
        )
    low, high = float(array.min()), float(array.max())
    if low < 0 or high > 1:
        raise ImageError(
            f"The floating-point {kind} picture holds values from {low:.6g} to {high:.6g}; [0, 1] is read. "
            f"Scale or clip it."
        )
    return array.astype(np.float32)
