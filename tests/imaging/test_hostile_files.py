"""Good files that were refused or misread: damaged metadata, long texts, thumbnails, bands that are no alpha."""

import io
import struct
import threading
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image, PngImagePlugin

from srlens.errors import ImageError
from srlens.imaging.files import Alpha, read_image

RGB = np.arange(6 * 9 * 3, dtype=np.uint8).reshape(6, 9, 3)
EXIF_TURNED = (
    b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00"
)
XMP_TURNED = (
    b'<?xpacket?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>'
)


def expected(array: np.ndarray, top: float = 255) -> torch.Tensor:
    return torch.from_numpy((array / top).astype(np.float32).transpose(2, 0, 1).copy())


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(array: np.ndarray, *further: bytes, bits: int = 8, colour: int = 2) -> bytes:
    """A PNG file of H×W×C levels, with further chunks before the pixels."""
    height, width = array.shape[:2]
    rows = array.reshape(height, -1)
    packed = np.packbits(np.unpackbits(rows[..., None], axis=2)[..., 8 - bits :].reshape(height, -1), axis=1)
    pixels = b"".join(b"\x00" + row.tobytes() for row in (rows if bits == 8 else packed))
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    chunks = [chunk(b"IHDR", header), *further, chunk(b"IDAT", zlib.compress(pixels)), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def saved(name: str, folder: Path, **options: object) -> Path:
    if name.endswith("webp"):
        options["lossless"] = True
    Image.fromarray(RGB).save(folder / name, **options)
    return folder / name


@pytest.mark.parametrize("name", ["a.png", "a.webp", "a.jpg"])
def test_orientation_of_exif_is_applied_and_that_of_xmp_alone_is_not(tmp_path: Path, name: str) -> None:
    upright = read_image(saved(name, tmp_path))
    turned = read_image(saved(name, tmp_path, exif=EXIF_TURNED))
    assert torch.equal(turned, upright.transpose(-1, -2).flip(-1))
    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", XMP_TURNED.decode())
    options = {"pnginfo": info} if name == "a.png" else {"xmp": XMP_TURNED}
    path = saved(name, tmp_path, **options)
    with Image.open(path) as picture:
        assert picture.getexif().get(0x0112) == 6, "Pillow reads it there"
    assert torch.equal(read_image(path), upright)


@pytest.mark.parametrize("name", ["a.png", "a.webp"])
@pytest.mark.parametrize("block", [b"garbage that is no TIFF", b"\x00" * 12, b"MM\x00*\x00\x00\x00\x08\x00\x09", b"I"])
def test_an_exif_block_that_cannot_be_read_says_nothing(tmp_path: Path, name: str, block: bytes) -> None:
    upright = read_image(saved(name, tmp_path))
    path = tmp_path / name
    if name == "a.png":
        path.write_bytes(png(RGB, chunk(b"eXIf", block)))
    else:
        path.write_bytes(with_webp_chunk(path.read_bytes(), block))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # Pillow tells of a block that is cut off
        assert torch.equal(read_image(path), upright)


def with_webp_chunk(simple: bytes, exif: bytes) -> bytes:
    """A WebP file of one picture with an EXIF block behind it."""
    height, width = RGB.shape[:2]
    extended = b"VP8X" + struct.pack("<I", 10) + bytes([8, 0, 0, 0])
    extended += (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    block = b"EXIF" + struct.pack("<I", len(exif)) + exif + b"\x00" * (len(exif) % 2)
    body = b"WEBP" + extended + simple[12:] + block
    return b"RIFF" + struct.pack("<I", len(body)) + body


LONG = b"x" * 1_200_000


@pytest.mark.parametrize(
    "further",
    [
        chunk(b"zTXt", b"Comment\x00\x00" + zlib.compress(LONG)),
        chunk(b"iTXt", b"Comment\x00\x01\x00\x00\x00" + zlib.compress(LONG)),
        chunk(b"tEXt", b"Comment\x00" + LONG),
        chunk(b"iCCP", b"profile\x00\x00" + zlib.compress(LONG)),
    ],
    ids=["zTXt", "iTXt", "tEXt", "iCCP"],
)
def test_long_texts_and_profiles(tmp_path: Path, further: bytes) -> None:
    (tmp_path / "a.png").write_bytes(png(RGB, *[further] * 3))
    assert torch.equal(read_image(tmp_path / "a.png"), expected(RGB))


def test_texts_do_not_hide_damage(tmp_path: Path) -> None:
    whole = png(RGB, chunk(b"tEXt", b"Comment\x00" + LONG))
    for stop in (60, 500_000, len(whole) - 40):
        (tmp_path / "a.png").write_bytes(whole[:stop])
        with pytest.raises(ImageError):
            read_image(tmp_path / "a.png")


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_the_transparent_level_of_a_grey_png_of_few_bits(tmp_path: Path, bits: int) -> None:
    top = 2**bits - 1
    levels = (np.arange(6 * 8) % (top + 1)).astype(np.uint8).reshape(6, 8, 1)
    key = min(1, top)
    (tmp_path / "a.png").write_bytes(png(levels, chunk(b"tRNS", struct.pack(">H", key)), bits=bits, colour=0))
    for alpha, beneath in (("white", 1.0), ("black", 0.0), ("drop", key / top)):
        wanted = expected(np.where(levels == key, beneath * top, levels), top)
        assert torch.allclose(read_image(tmp_path / "a.png", alpha=alpha), wanted, atol=1e-6), alpha


def tiff(path: Path, array: np.ndarray, **options: object) -> Path:
    tifffile.imwrite(path, array, metadata=None, **options)
    return path


@pytest.mark.parametrize("colours", ["rgb", "minisblack"])
@pytest.mark.parametrize("said", [["unspecified"], ["assocalpha"]])
def test_a_band_that_is_not_said_to_be_alpha_is_none(tmp_path: Path, colours: str, said: list[str]) -> None:
    count = 4 if colours == "rgb" else 2
    array = np.random.default_rng(0).integers(1, 255, (6, 9, count), dtype=np.uint8)
    path = tiff(tmp_path / "a.tif", array, photometric=colours, planarconfig="contig", extrasamples=said)
    for alpha in ("white", "black"):
        with pytest.raises(ImageError, match="extra samples"):
            read_image(path, alpha=alpha)
    if said == ["unspecified"]:
        assert torch.equal(read_image(path, alpha="drop"), expected(array[..., :-1]))


@pytest.mark.parametrize("alpha", ["white", "black", "drop"])
def test_a_band_that_is_said_to_be_alpha_is_one(tmp_path: Path, alpha: Alpha) -> None:
    array = np.random.default_rng(0).integers(1, 255, (6, 9, 4), dtype=np.uint8)
    read = read_image(tiff(tmp_path / "a.tif", array, photometric="rgb", extrasamples=["unassalpha"]), alpha=alpha)
    cover = array[..., 3:] / 255 if alpha != "drop" else 1.0
    wanted = array[..., :3] / 255 * cover + (1 - cover) * (alpha == "white")
    assert torch.allclose(read.double(), torch.from_numpy(wanted.transpose(2, 0, 1)), atol=1e-6)


@pytest.mark.parametrize("first", [True, False])
def test_a_smaller_copy_in_a_tiff_is_not_the_picture(tmp_path: Path, first: bool) -> None:
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as file:
        pages = [(RGB[::2, ::2].copy(), 1), (RGB, 0)]
        for array, kind in pages if first else pages[::-1]:
            file.write(array, photometric="rgb", subfiletype=kind, metadata=None)
    assert torch.equal(read_image(path), expected(RGB))


def test_a_raw_file_of_a_camera_is_refused(tmp_path: Path) -> None:
    """Its first directory is a thumbnail, below which the picture hangs, in a form that is not read."""
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as file:
        file.write(RGB[::2, ::2].copy(), photometric="rgb", subfiletype=1, subifds=1, metadata=None)
        file.write(RGB[..., 0].copy(), photometric="minisblack", metadata=None)
    with pytest.raises(ImageError, match="reduced copies"):
        read_image(path)


def test_several_pictures_are_refused(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        for _ in range(2):
            file.write(RGB, photometric="rgb", metadata=None)
    with pytest.raises(ImageError, match="holds 2 pictures"):
        read_image(tmp_path / "a.tif")


def test_no_warning_filter_of_the_process_is_touched(tmp_path: Path) -> None:
    """Runs go on in other threads while the page reads a picture."""
    saved("a.png", tmp_path)
    seen: set[int] = set()
    ended = threading.Event()

    def watch() -> None:
        while not ended.is_set():
            seen.add(hash(tuple(map(str, warnings.filters))))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        for _ in range(200):
            read_image(tmp_path / "a.png")
    finally:
        ended.set()
        watcher.join()
    assert len(seen) == 1


def test_large_pictures_are_read_in_silence_where_they_are_asked_for(tmp_path: Path) -> None:
    Image.new("1", (20_000, 10_000)).save(tmp_path / "a.png")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ImageError, match="20000×10000"):
            read_image(tmp_path / "a.png")


def test_pictures_are_named_where_a_picture_cannot_be_read(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.fromarray(RGB).save(buffer, "gif")
    (tmp_path / "a.png").write_bytes(buffer.getvalue())
    with pytest.raises(ImageError, match="GIF, a picture"):
        read_image(tmp_path / "a.png")
