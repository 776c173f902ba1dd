"""PNG with 16 bits a channel, which Pillow cuts to 8 silently: decoded by libpng through imagecodecs."""

import numpy as np
from numpy.typing import NDArray

_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def is_png(data: bytes) -> bool:
    """Whether the bytes start like a PNG file."""
    return data.startswith(_SIGNATURE) and data[12:16] == b"IHDR"


def is_png16(data: bytes) -> bool:
    """Whether the bytes start like a PNG file of 16 bits a channel."""
    return is_png(data) and data[24:25] == b"\x10"


def without_texts(data: bytes) -> bytes:
    """A PNG file without its texts and its colour profile; other bytes as they are.

    They change no pixel as it is read here, and Pillow refuses files in which one is longer than a megabyte. EXIF in a
    text, an old habit, stays.
    """
    if not is_png(data):
        return data
    kept, position = [_SIGNATURE], len(_SIGNATURE)
    while position < len(data):
        end = position + 12 + int.from_bytes(data[position : position + 4], "big")  # length, kind, content, checksum
        kind, content = data[position + 4 : position + 8], data[position + 8 : position + 32]
        if kind not in (b"iCCP", b"iTXt", b"tEXt", b"zTXt") or content.startswith(b"Raw profile type exif"):
            kept.append(data[position:end])
        position = end
    return b"".join(kept)


def decode_png16(data: bytes) -> NDArray[np.uint16]:
    """Decode a PNG file of 16 bits a channel: H×W×C, C of 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGBA).

    The caller bounds the size beforehand.

    Raises:
        imagecodecs.PngError: the file is damaged.
    """
    from srlens.extras import imagecodecs

    image: NDArray[np.uint16] = np.asarray(imagecodecs.png_decode(data))
    return image[..., None] if image.ndim == 2 else image


def encode_png(image: NDArray[np.uint8] | NDArray[np.uint16]) -> bytes:
    """Encode H×W×C (C of 1 to 4 as in :func:`decode_png16`), uint8 or uint16, as a PNG file."""
    from srlens.extras import imagecodecs

    return bytes(imagecodecs.png_encode(np.ascontiguousarray(image[..., 0] if image.shape[2] == 1 else image)))
