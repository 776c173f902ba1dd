"""PNG with 16 bits a channel, which Pillow cuts to 8 silently: decoded by libpng through imagecodecs."""

import numpy as np
from numpy.typing import NDArray

_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def is_png16(data: bytes) -> bool:
    """Whether the bytes start like a PNG file of 16 bits a channel."""
    return data.startswith(_SIGNATURE) and data[12:16] == b"IHDR" and data[24:25] == b"\x10"


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
