"""Arrays in NumPy's ``.npy`` files: C×H×W as everywhere in srlens, H×W for one band; nothing in them is executed."""

import io
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srlens.errors import ImageError
from srlens.imaging.check import check_pixels
from srlens.imaging.levels import to_unit

_MAGIC = b"\x93NUMPY"


def is_npy(data: bytes) -> bool:
    """Whether the bytes start like a ``.npy`` file."""
    return data.startswith(_MAGIC)


def decode_npy(data: bytes, max_pixels: int, axes: int = 3) -> NDArray[np.float32]:
    """Decode a ``.npy`` file.

    Args:
        data: the whole file.
        max_pixels: refuse, before decoding, an array of more pixels.
        axes: 3 for a picture, 4 for a clip T×C×H×W.

    Returns:
        C×H×W, or T×C×H×W, float32 in [0, 1]: unsigned 8 and 16 bits divided by their largest value, floating point as
        it is.

    Raises:
        ImageError: damaged, Python objects, another number of axes, or values that have no place in [0, 1].
        NotFiniteError: it holds NaN or infinity.
    """
    shape, dtype = _header(data)
    if len(shape) != axes and (axes, len(shape)) != (3, 2):
        raise ImageError(
            f"The .npy array has shape {shape}; read are {'C×H×W and H×W' if axes == 3 else 'T×C×H×W for a clip'}."
        )
    if 0 in shape:
        raise ImageError(f"The .npy array has shape {shape}: it has no pixels.")
    check_pixels(shape[-1], shape[-2] * math.prod(shape[:-3]), max_pixels)
    try:
        array = np.load(io.BytesIO(data), allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise ImageError(f"The .npy file is truncated or damaged: {error}") from error
    last = np.moveaxis(array.reshape((1,) * (3 - array.ndim) + array.shape), -3, -1)  # messages speak of row, column
    return np.moveaxis(to_unit(last, 8 * dtype.itemsize, ".npy"), -1, -3)


def _header(data: bytes) -> tuple[tuple[int, ...], np.dtype[Any]]:
    file = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(file)
    except Exception as error:  # a header is Python's notation, whose damage raises of many kinds
        raise ImageError(f"The header of the .npy file is damaged: {error}") from error
    if dtype.hasobject or dtype.kind not in "uf":
        raise ImageError(
            f"The .npy array holds {dtype} values; unsigned 8 and 16 bits and floating point are read. Convert it."
        )
    if math.prod(shape) * dtype.itemsize > len(data):
        raise ImageError(f"The .npy file is truncated: {len(data)} bytes for an array of shape {shape}.")
    return shape, dtype
