"""PNG with 16 bits a channel, which Pillow cuts to 8 silently: a decoder, and an encoder for both depths.

Source: Portable Network Graphics Specification (W3C, third edition). The decoder reads 16-bit files only, of
all four kinds (grey, grey with alpha, RGB, RGBA), plain or interlaced; other PNG files are left to Pillow.
"""

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

from srlens.errors import ImageError

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}  # PNG colour type to samples a pixel
_ADAM7 = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))


def is_png16(data: bytes) -> bool:
    """Whether the bytes start like a PNG file of 16 bits a channel."""
    return data.startswith(_SIGNATURE) and data[12:16] == b"IHDR" and data[24:25] == b"\x10"


def decode_png16(data: bytes) -> NDArray[np.uint16]:
    """Decode a PNG file of 16 bits a channel.

    The caller bounds the size beforehand; compressed data beyond what the header promises are never expanded.

    Args:
        data: the whole file.

    Returns:
        H×W×C, C being 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGBA). A transparent colour becomes an alpha.

    Raises:
        ImageError: the file is truncated or damaged, or uses a feature outside the specification.
    """
    chunks = _read_chunks(data)
    width, height, depth, kind, compression, filtering, interlace = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    if (
        depth != 16
        or kind not in _CHANNELS
        or compression
        or filtering
        or interlace > 1
        or not width * height
    ):
        raise ImageError("The PNG header is damaged: it asks for what the PNG specification does not have.")
    channels = _CHANNELS[kind]
    passes = _ADAM7 if interlace else ((0, 0, 1, 1),)
    shapes = [(-(-(height - top) // down), -(-(width - left) // right)) for top, left, down, right in passes]
    stream = _inflate(chunks[b"IDAT"], sum(h * (1 + w * 2 * channels) for h, w in shapes if h > 0 and w > 0))
    image = np.zeros((height, width, channels), dtype=np.uint16)
    offset = 0
    for (top, left, down, right), (h, w) in zip(passes, shapes, strict=True):
        if h <= 0 or w <= 0:
            continue
        rows = stream[offset : offset + h * (1 + w * 2 * channels)].reshape(h, -1)
        offset += rows.size
        plain = _unfilter(rows[:, 0], rows[:, 1:].reshape(h, w, 2 * channels))
        image[top::down, left::right] = plain.view(">u2")
    if b"tRNS" in chunks and kind in (0, 2):
        key = np.frombuffer(chunks[b"tRNS"][: 2 * channels], ">u2")
        opaque = (image != key).any(axis=-1, keepdims=True).astype(np.uint16) * np.uint16(65535)
        image = np.concatenate([image, opaque], axis=-1)
    return image


def encode_png(image: NDArray[np.uint8] | NDArray[np.uint16]) -> bytes:
    """Encode H×W×C (C of 1 to 4 as in :func:`decode_png16`), uint8 or uint16, as a PNG file."""
    height, width, channels = image.shape
    kind = {count: kind for kind, count in _CHANNELS.items()}[channels]
    depth = 8 * image.dtype.itemsize
    rows = np.ascontiguousarray(image, dtype=image.dtype.newbyteorder(">")).view(np.uint8).reshape(height, -1)
    up = np.diff(rows, axis=0, prepend=np.zeros((1, rows.shape[1]), np.uint8))  # filter 2, modulo 256
    stream = np.concatenate([np.full((height, 1), 2, np.uint8), up], axis=1).tobytes()
    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    body = ((b"IHDR", header), (b"IDAT", zlib.compress(stream)), (b"IEND", b""))
    return _SIGNATURE + b"".join(
        struct.pack(">I", len(part)) + name + part + struct.pack(">I", zlib.crc32(name + part))
        for name, part in body
    )


def _read_chunks(data: bytes) -> dict[bytes, bytes]:
    """Collect IHDR, tRNS and the joined IDAT; check every checksum on the way."""
    found: dict[bytes, bytes] = {}
    idat = []
    offset = len(_SIGNATURE)
    while True:
        head = data[offset : offset + 8]
        if len(head) < 8:
            raise ImageError("The PNG file is truncated: it ends before its end mark.")
        length, name = struct.unpack(">I4s", head)
        part = data[offset + 8 : offset + 8 + length]
        check = data[offset + 8 + length : offset + 12 + length]
        if len(part) < length or len(check) < 4:
            raise ImageError(f"The PNG file is truncated inside its {name.decode('latin-1')} chunk.")
        if zlib.crc32(name + part) != int.from_bytes(check, "big"):
            raise ImageError(
                f"The PNG file is damaged: wrong checksum of its {name.decode('latin-1')} chunk."
            )
        if name == b"IEND":
            break
        if name == b"IDAT":
            idat.append(part)
        elif name in (b"IHDR", b"tRNS"):
            found[name] = part
        offset += 12 + length
    if len(found.get(b"IHDR", b"")) != 13 or not idat:
        raise ImageError("The PNG file is damaged: it holds no header or no pixels.")
    found[b"IDAT"] = b"".join(idat)
    return found


def _inflate(data: bytes, size: int) -> NDArray[np.uint8]:
    """Expand to exactly ``size`` bytes and not one more."""
    try:
        stream = zlib.decompressobj().decompress(data, size)
    except zlib.error as error:
        raise ImageError(f"The PNG file is damaged: {error}.") from error
    if len(stream) < size:
        raise ImageError(f"The PNG file is truncated: {len(stream)} of {size} bytes of pixels.")
    return np.frombuffer(stream, np.uint8)


def _unfilter(kinds: NDArray[np.uint8], rows: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Undo the row filters of one pass.

    Args:
        kinds: the filter of each row, 0 … 4.
        rows: H×W×(bytes a pixel), filtered.

    Returns:
        The plain bytes, same shape.
    """
    if kinds.max() > 4:
        raise ImageError(f"The PNG file is damaged: row filter {kinds.max()}, where 0 to 4 exist.")
    height, width, size = rows.shape
    # A pixel needs its left, upper and upper-left neighbours: all pixels of one antidiagonal can go at once.
    plain = np.zeros((height + 1, width + 1, size), dtype=np.int16)
    filters = kinds[:, None]
    for diagonal in range(height + width - 1):
        y = np.arange(max(0, diagonal - width + 1), min(height, diagonal + 1))
        x = diagonal - y
        left, above, corner = plain[y + 1, x], plain[y, x + 1], plain[y, x]
        to_left, to_above = np.abs(above - corner), np.abs(left - corner)
        to_corner = np.abs(left + above - 2 * corner)
        paeth = np.where(to_above <= to_corner, above, corner)
        paeth = np.where((to_left <= to_above) & (to_left <= to_corner), left, paeth)
        kind = filters[y]
        choices = [left, above, (left + above) >> 1, paeth]
        predicted = np.select([kind == 1, kind == 2, kind == 3, kind == 4], choices, 0)
        plain[y + 1, x + 1] = (rows[y, x] + predicted) & 255
    return plain[1:, 1:].astype(np.uint8)
