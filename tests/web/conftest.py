"""Fixtures of the page's tests, among them bad uploads, made afresh: files that lie, break, bloat or run code."""

import io
import pickle
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from srlens.web.callbacks import Page
from srlens.web.session import Session

RNG = np.random.default_rng(0)


def png(height: int, width: int, mode: str = "RGB") -> bytes:
    """A PNG of noise."""
    bands = {"L": (), "LA": (2,), "RGB": (3,), "RGBA": (4,)}[mode]
    return _saved(Image.fromarray(RNG.integers(0, 256, (height, width, *bands), dtype=np.uint8), mode), "PNG")


def bomb() -> bytes:
    """A PNG of 60000×60000 pixels in a few hundred kilobytes."""
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    packed = zlib.compressobj(9)
    row = packed.compress(b"\0" * 60_001 * 50) + packed.flush()
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", row) + _chunk(b"IEND", b"")


def png16() -> bytes:
    """A 16-bit RGB PNG."""
    from srlens.imaging.png import encode_png

    return encode_png(RNG.integers(0, 2**16, (64, 64, 3), dtype=np.uint16))


def cmyk() -> bytes:
    """A CMYK JPEG."""
    return _saved(Image.fromarray(RNG.integers(0, 256, (64, 64, 4), dtype=np.uint8), "CMYK"), "JPEG")


def animation() -> bytes:
    """An animated WebP-like file: an animated PNG of two frames."""
    frames = [Image.new("RGB", (32, 32), colour) for colour in ("red", "blue")]
    buffer = io.BytesIO()
    frames[0].save(buffer, "PNG", save_all=True, append_images=frames[1:])
    return buffer.getvalue()


PICTURES: dict[str, tuple[bytes | Callable[[], bytes], str | None]] = {
    # file name: (content, part of the refusal, or None where it is read)
    "bomb.png": (bomb, "pixels"),
    "truncated.png": (lambda: png(64, 64)[:3000], "truncated"),
    "drawing.svg": (b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', "SVG"),
    "text.png": (b"this is no picture at all", "not an image"),
    "empty.png": (b"", "empty"),
    "page.png": (b"<!doctype html><html></html>", "web page"),
    "pixel.png": (lambda: png(1, 1), "at least"),
    "strip.png": (lambda: png(4, 4000), "at least"),
    "huge.png": (lambda: png(2500, 2500, "L"), "pixels"),
    "film.png": (animation, "animation"),
    "sixteen.png": (png16, None),
    "clear.png": (lambda: png(64, 64, "RGBA"), None),
    "grey.png": (lambda: png(64, 64, "L"), None),
    "ink.jpg": (cmyk, None),
}


class Exploit:
    """Runs a command when it is unpickled by a careless loader."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, tuple[str]]:
        import os

        return os.system, (f"touch {self.marker}",)


def write_networks(folder: Path) -> dict[str, tuple[Path, str]]:
    """Bad network files in ``folder``: by name, the file and a part of its refusal. ``marker`` must never appear."""
    from srlens.networks.open import load_default

    state = load_default("plain").module.state_dict()
    marker = folder / "marker"
    made: dict[str, tuple[Path, str]] = {}

    def add(name: str, content: bytes, refusal: str) -> None:
        path = folder / name
        path.write_bytes(content)
        made[name] = path, refusal

    add("code.pth", _torch({"params": Exploit(marker)}), "run code")
    add("code.pkl.pth", pickle.dumps(Exploit(marker)), "run code")
    add("cut.pth", _torch(state)[:4000], "truncated")
    add("text.pth", b"no checkpoint", "checkpoint")
    add("empty.pth", b"", "empty")
    add("empty.safetensors", b"", "empty")
    add("lie.safetensors", struct.pack("<Q", 2**62) + b"{}", "safetensors")
    nan = {key: torch.full_like(value, torch.nan) for key, value in _imdn().items()}
    add("nan.pth", _torch(nan), "NaN")
    add("strange.pth", _torch({"a": torch.zeros(3)}), "no known architecture")
    add("list.pth", _torch([1, 2, 3]), "")
    add("layers.pth", _torch({**_imdn(), "IMDB999999999.conv.weight": torch.zeros(1)}), "numbers a layer")
    add("zeros.pth", _bloated(), "unpacks to")
    return made


def _imdn() -> dict[str, torch.Tensor]:
    """Something that looks like weights."""
    return {"fea_conv.weight": torch.zeros(64, 3, 3, 3), "upsampler.0.weight": torch.zeros(48, 64, 3, 3)}


def _bloated() -> bytes:
    """An archive that unpacks to 272 MiB."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("archive/data/0", "w") as entry:
        for _ in range(17):
            entry.write(b"\0" * (16 << 20))
    return buffer.getvalue()


def _torch(value: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(value, buffer)
    return buffer.getvalue()


def _saved(picture: Image.Image, kind: str) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind)
    return buffer.getvalue()


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@pytest.fixture
def page() -> Iterator[Page]:
    page = Page()
    yield page
    page.close()


@pytest.fixture
def session(page: Page) -> Session:
    return page.sessions.of("a tab")


@pytest.fixture
def dropped(tmp_path: Path) -> Path:
    folder = tmp_path / "dropped"
    folder.mkdir()
    return folder


@pytest.fixture
def hostile_pictures(dropped: Path) -> dict[str, tuple[Path, str | None]]:
    """By name: the file, and a part of its refusal, or None where it is a picture like any other."""
    made = {}
    for name, (content, refusal) in PICTURES.items():
        path = dropped / name
        path.write_bytes(content if isinstance(content, bytes) else content())
        made[name] = path, refusal
    return made


@pytest.fixture
def hostile_networks(dropped: Path) -> dict[str, tuple[Path, str]]:
    """By name: the file, and a part of its refusal."""
    return write_networks(dropped)
