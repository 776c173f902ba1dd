"""The 16-bit PNG decoder against torchvision's, over every filter, colour type and interlacing."""

import struct
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from srlens.errors import ImageError
from srlens.imaging.files import read_image
from srlens.imaging.png import decode_png16, encode_png, is_png16

KINDS = {1: 0, 2: 4, 3: 2, 4: 6}
PASSES = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]


def _paeth(a: int, b: int, c: int) -> int:
    p = a + b - c
    return min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]


def _filtered(image: np.ndarray, rng: np.random.Generator) -> bytes:
    """Filter rows by random filters, byte by byte, as the specification words it."""
    height, width, channels = image.shape
    size = 2 * channels
    rows = image.astype(">u2").tobytes()
    stride = width * size
    out = bytearray()
    for y in range(height):
        kind = int(rng.integers(5))
        out.append(kind)
        for i in range(stride):
            x = rows[y * stride + i]
            a = rows[y * stride + i - size] if i >= size else 0
            b = rows[(y - 1) * stride + i] if y else 0
            c = rows[(y - 1) * stride + i - size] if y and i >= size else 0
            out.append((x - [0, a, b, (a + b) // 2, _paeth(a, b, c)][kind]) % 256)
    return bytes(out)


def _chunk(name: bytes, part: bytes) -> bytes:
    return struct.pack(">I", len(part)) + name + part + struct.pack(">I", zlib.crc32(name + part))


def _png(image: np.ndarray, rng: np.random.Generator, *, interlaced: bool, extra: bytes = b"") -> bytes:
    height, width, channels = image.shape
    passes = PASSES if interlaced else [(0, 0, 1, 1)]
    parts = [image[top::down, left::right] for top, left, down, right in passes]
    body = zlib.compress(b"".join(_filtered(part, rng) for part in parts if part.size))
    header = struct.pack(">IIBBBBB", width, height, 16, KINDS[channels], 0, 0, int(interlaced))
    middle = len(body) // 2
    data = _chunk(b"IDAT", body[:middle]) + _chunk(b"IDAT", body[middle:])
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + extra + data + _chunk(b"IEND", b"")


def _torchvision(data: bytes) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # torchvision 0.29 gives its decoders up
        from torchvision.io import ImageReadMode, decode_image

        buffer = torch.frombuffer(bytearray(data), dtype=torch.uint8)
        return decode_image(buffer, ImageReadMode.UNCHANGED).permute(1, 2, 0).numpy()


@given(
    height=st.integers(1, 12),
    width=st.integers(1, 12),
    channels=st.integers(1, 4),
    interlaced=st.booleans(),
    seed=st.integers(0, 1000),
)
@settings(deadline=None, max_examples=50)
def test_decodes_every_filter_kind_and_interlacing(
    height: int, width: int, channels: int, interlaced: bool, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 65536, (height, width, channels)).astype(np.uint16)
    data = _png(image, rng, interlaced=interlaced)
    assert is_png16(data)
    np.testing.assert_array_equal(decode_png16(data), image)
    np.testing.assert_array_equal(_torchvision(data), image)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_what_is_encoded_others_decode(dtype: type, channels: int) -> None:
    image = np.random.default_rng(0).integers(0, 2**16, (13, 9, channels)).astype(dtype)
    np.testing.assert_array_equal(_torchvision(encode_png(image)), image)


def test_a_transparent_colour_becomes_alpha() -> None:
    image = np.array([[[1, 2, 3], [4, 5, 6]]], dtype=np.uint16)
    key = _chunk(b"tRNS", struct.pack(">3H", 4, 5, 6))
    decoded = decode_png16(_png(image, np.random.default_rng(0), interlaced=False, extra=key))
    assert decoded.tolist() == [[[1, 2, 3, 65535], [4, 5, 6, 0]]]


def test_damage_is_named(tmp_path: Path) -> None:
    """Through read_image, since that is where the decoder's error becomes a named one."""
    rng = np.random.default_rng(0)
    data = _png(rng.integers(0, 65536, (8, 8, 3)).astype(np.uint16), rng, interlaced=False)
    spoiled = bytearray(data)
    spoiled[60] ^= 1
    damaged = [data[:length] for length in range(33, len(data) - 20, 7)]
    damaged.append(bytes(spoiled))
    damaged.append(data[:33] + _chunk(b"IDAT", zlib.compress(b"\0" * 10)) + _chunk(b"IEND", b""))
    damaged.append(data[:33] + _chunk(b"IDAT", zlib.compress(b"\5" * 392)) + _chunk(b"IEND", b""))
    damaged.append(data[:33] + _chunk(b"IEND", b""))
    for content in damaged:
        (tmp_path / "a.png").write_bytes(content)
        with pytest.raises(ImageError, match=r"a\.png"):
            read_image(tmp_path / "a.png")
