"""TIFF pictures through tifffile: 8-bit, 16-bit and floating-point; grey, RGB, with or without alpha, or many bands."""

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srlens.errors import ImageError, MissingExtraError, NotFiniteError
from srlens.imaging.check import check_pixels
from srlens.imaging.levels import to_unit

_UNSPECIFIED, _ASSOCIATED_ALPHA = 0, 1
ORIENTATION_TAG = 274


@dataclass(frozen=True, eq=False)
class Decoded:
    """What a file holds, before transparency and orientation are seen to.

    Attributes:
        pixels: H×W×C in [0, 1].
        orientation: of EXIF, 1 … 8.
        banded: whether the channels are bands; else C is 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGBA).
    """

    pixels: NDArray[np.float32]
    orientation: int = 1
    banded: bool = False


def is_tiff(data: bytes) -> bool:
    """Whether the bytes start like a TIFF or BigTIFF file."""
    return data[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def decode_tiff(data: bytes, max_pixels: int, *, drop: bool = False, bands: bool = False) -> Decoded:
    """Decode a TIFF file that holds one picture.

    More channels than colours and one more are bands. One more, of which the file does not say that it is alpha, may be
    either, so that the caller must say.

    Args:
        data: the whole file.
        max_pixels: refuse, before decoding, a picture of more pixels.
        drop: leave out one band beside the colours of which the file does not say that it is alpha.
        bands: every channel is a band, and so is every page of a file that holds several of one channel each.

    Raises:
        ImageError: the file is truncated, holds several pictures, or values that have no place in [0, 1].
        NotFiniteError: it holds NaN or infinity.
    """
    pages = _read_pages(data, max_pixels, drop=drop, bands=bands, several=bands)
    if len(pages) == 1:
        return pages[0]
    if any(page.pixels.shape != (*pages[0].pixels.shape[:2], 1) for page in pages):
        raise ImageError(
            f"The TIFF file holds {len(pages)} pictures, which are no bands: those are of one size and one channel."
        )
    return Decoded(np.concatenate([page.pixels for page in pages], axis=2), pages[0].orientation, banded=True)


def decode_tiff_frames(data: bytes, max_pixels: int) -> list[Decoded]:
    """Decode every page of a TIFF file; see :func:`decode_tiff`. ``max_pixels`` holds for all of them together."""
    return _read_pages(data, max_pixels, drop=False, bands=False, several=True)


def _read_pages(data: bytes, max_pixels: int, *, drop: bool, bands: bool, several: bool) -> list[Decoded]:
    from srlens.extras import tifffile

    try:
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            pages: list[Any] = [page for page in file.pages if not page.is_reduced]  # a smaller copy is no picture
            if not pages or (len(pages) > 1 and not several):
                raise ImageError(
                    f"The TIFF file holds {len(pages) or 'reduced copies of'} pictures"
                    f"{'' if pages else ' alone (a camera raw file, as a rule)'}. Save the wanted one alone"
                    f"{', or say that they are the bands of one (bands=True) or frames (read_clip)' if pages else ''}."
                )
            check_pixels(pages[0].imagewidth, pages[0].imagelength * len(pages), max_pixels)
            return [_decode_page(page, max_pixels, drop=drop, bands=bands) for page in pages]
    except (ImageError, NotFiniteError, MissingExtraError):
        raise
    except Exception as error:  # tifffile raises what its many decoders raise
        raise ImageError(f"The TIFF file is truncated, damaged or of an unknown coding: {error}") from error


def _decode_page(page: Any, max_pixels: int, *, drop: bool, bands: bool) -> Decoded:
    check_pixels(page.imagewidth, page.imagelength, max_pixels)
    colours = {"MINISBLACK": 1, "RGB": 3}.get(page.photometric.name, 0)
    if page.axes not in ("YX", "YXS", "SYX") or not colours:
        raise ImageError(
            f"The TIFF picture has axes {page.axes} and colours {page.photometric.name}; "
            f"grey and RGB are read. Convert it to PNG."
        )
    extra = [int(kind) for kind in page.extrasamples]
    array = page.asarray()
    if page.axes == "SYX":
        array = np.moveaxis(array, 0, -1)
    if array.size == 0:
        raise ImageError("The TIFF picture has no pixels: the file is damaged.")
    array = array.reshape(*array.shape[:2], -1)
    unsaid = array.shape[2] == colours + 1 and extra[:1] in ([], [_UNSPECIFIED])
    banded = array.shape[2] > colours + 1 or (bands and array.shape[2] != colours)
    if not banded and (extra[:1] == [_ASSOCIATED_ALPHA] or (unsaid and not drop)):
        raise ImageError(
            f"The TIFF picture has {array.shape[2]} channels with extra samples {extra}; at most one "
            "unassociated alpha (2) is read. Save it without them"
            + (
                ', or say what the last one is: alpha="drop" leaves it out, bands=True takes all as bands.'
                if unsaid
                else "."
            )
        )
    pixels = to_unit(array, page.bitspersample, "TIFF")
    return Decoded(pixels, int(page.tags.valueof(ORIENTATION_TAG, 1)), banded)
