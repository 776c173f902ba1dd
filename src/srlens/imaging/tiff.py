"""TIFF pictures through tifffile: 8-bit, 16-bit and floating-point, grey or RGB, with or without alpha."""

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srlens.errors import ImageError, NotFiniteError
from srlens.imaging.check import check_pixels

_UNSPECIFIED, _ASSOCIATED_ALPHA = 0, 1
ORIENTATION_TAG = 274


def is_tiff(data: bytes) -> bool:
    """Whether the bytes start like a TIFF or BigTIFF file."""
    return data[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def decode_tiff(data: bytes, max_pixels: int, *, drop: bool = False) -> tuple[NDArray[np.float32], int]:
    """Decode a TIFF file that holds one picture.

    Args:
        data: the whole file.
        max_pixels: refuse, before decoding, a picture of more pixels.
        drop: leave out one band beside the colours of which the file does not say that it is alpha.

    Returns:
        H×W×C in [0, 1], C being 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGBA); and the orientation 1 … 8.

    Raises:
        ImageError: the file is truncated, holds several pictures, or values that have no place in [0, 1].
        NotFiniteError: it holds NaN or infinity.
    """
    from srlens.extras import tifffile

    try:
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            pages: list[Any] = [page for page in file.pages if not page.is_reduced]  # a smaller copy is no picture
            if len(pages) != 1:
                raise ImageError(
                    f"The TIFF file holds {len(pages) or 'reduced copies of'} pictures"
                    f"{'' if pages else ' alone (a camera raw file, as a rule)'}. Save the wanted one alone."
                )
            page = pages[0]
            check_pixels(page.imagewidth, page.imagelength, max_pixels)
            colours = {"MINISBLACK": 1, "RGB": 3}.get(page.photometric.name, 0)
            if page.axes not in ("YX", "YXS", "SYX") or not colours:
                raise ImageError(
                    f"The TIFF picture has axes {page.axes} and colours {page.photometric.name}; "
                    f"grey and RGB are read. Convert it to PNG."
                )
            extra = [int(kind) for kind in page.extrasamples]
            bits = page.bitspersample
            orientation = int(page.tags.valueof(ORIENTATION_TAG, 1))
            array = page.asarray()
    except ImageError:
        raise
    except Exception as error:  # tifffile raises what its many decoders raise
        raise ImageError(f"The TIFF file is truncated, damaged or of an unknown coding: {error}") from error
    if page.axes == "SYX":
        array = np.moveaxis(array, 0, -1)
    if array.size == 0:
        raise ImageError("The TIFF picture has no pixels: the file is damaged.")
    array = array.reshape(*array.shape[:2], -1)
    unsaid = array.shape[2] == colours + 1 and extra[:1] in ([], [_UNSPECIFIED])
    if array.shape[2] > colours + 1 or extra[:1] == [_ASSOCIATED_ALPHA] or (unsaid and not drop):
        raise ImageError(
            f"The TIFF picture has {array.shape[2]} channels with extra samples {extra}; at most one "
            "unassociated alpha (2) is read. Save it without them"
            + (', or leave the last one, which may be near infrared, out with alpha="drop".' if unsaid else ".")
        )
    return _to_unit(array, bits), orientation


def _to_unit(array: NDArray[Any], bits: int) -> NDArray[np.float32]:
    """Integers by their largest value; floating point as it is, once it is seen to lie in [0, 1]."""
    if array.dtype in (np.uint8, np.uint16) and bits == 8 * array.dtype.itemsize:
        return (array / np.float64(np.iinfo(array.dtype).max)).astype(np.float32)
    if array.dtype.kind != "f":
        raise ImageError(
            f"The TIFF picture holds {bits}-bit {array.dtype} values; unsigned 8 and 16 bits and floating "
            f"point are read. Convert it."
        )
    bad = ~np.isfinite(array)
    if bad.any():
        row, column, channel = np.argwhere(bad)[0]
        raise NotFiniteError(
            f"The TIFF picture holds {bad.sum()} values that are NaN or infinite, the first at row {row}, "
            f"column {column}, channel {channel}."
        )
    low, high = float(array.min()), float(array.max())
    if low < 0 or high > 1:
        raise ImageError(
            f"The floating-point TIFF picture holds values from {low:.6g} to {high:.6g}; [0, 1] is read. "
            f"Scale or clip it."
        )
    return array.astype(np.float32)
