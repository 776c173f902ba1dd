"""Image files: every kind that is read, every refusal, and the way back."""

import os
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from srlens.errors import ChannelError, ImageError, NotFiniteError, SettingError, SrlensError
from srlens.imaging.files import image_digest, read_image, write_image
from srlens.imaging.png import encode_png


def _levels(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)


def _as_tensor(array: np.ndarray, top: int = 255) -> torch.Tensor:
    array = array.reshape(*array.shape[:2], -1)
    return torch.from_numpy((array / np.float64(top)).astype(np.float32)).permute(2, 0, 1)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("channels", [1, 3])
def test_written_images_come_back(tmp_path: Path, bits: int, channels: int) -> None:
    levels = torch.randint(0, 2**bits, (channels, 7, 5))
    image = (levels.double() / (2**bits - 1)).float()
    write_image(tmp_path / "a.png", image, bits=bits)  # type: ignore[arg-type]
    back = read_image(tmp_path / "a.png")
    assert back.dtype == torch.float32
    assert torch.equal((back.double() * (2**bits - 1)).round().long(), levels)
    assert torch.equal(back, image)
    assert os.listdir(tmp_path) == ["a.png"]


def test_values_outside_are_clamped_when_written(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", torch.tensor([[[-0.1, 0.5, 1.2]]]))
    assert torch.equal(read_image(tmp_path / "a.png") * 255, torch.tensor([[[0.0, 128.0, 255.0]]]))


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.webp", "a.tif"])
def test_rgb_of_lossless_kinds(tmp_path: Path, name: str) -> None:
    array = _levels(6, 9, 3)
    options = {"lossless": True} if name.endswith("webp") else {}
    Image.fromarray(array).save(tmp_path / name, **options)
    assert torch.equal(read_image(tmp_path / name), _as_tensor(array))


def test_jpeg_grey_and_colour(tmp_path: Path) -> None:
    for array, channels in ((_levels(16, 16, 3), 3), (_levels(16, 16), 1)):
        Image.fromarray(array).save(tmp_path / "a.jpg")
        image = read_image(tmp_path / "a.jpg")
        assert image.shape == (channels, 16, 16)
        assert torch.equal(image, _as_tensor(np.asarray(Image.open(tmp_path / "a.jpg"))))


def test_cmyk_jpeg_becomes_rgb(tmp_path: Path) -> None:
    flat = np.broadcast_to(np.array([200, 120, 40], np.uint8), (16, 16, 3))
    Image.fromarray(flat).convert("CMYK").save(tmp_path / "a.jpg", quality=100)
    image = read_image(tmp_path / "a.jpg")
    torch.testing.assert_close(image, _as_tensor(flat), rtol=0, atol=3 / 255)


def test_palette_and_one_bit(tmp_path: Path) -> None:
    palette = Image.fromarray(_levels(8, 8, 3)).quantize(16)
    palette.save(tmp_path / "p.png")
    assert torch.equal(read_image(tmp_path / "p.png"), _as_tensor(np.asarray(palette.convert("RGB"))))
    bits = _levels(8, 8) > 127
    Image.fromarray(bits).save(tmp_path / "b.png")
    assert torch.equal(read_image(tmp_path / "b.png"), torch.from_numpy(bits).float()[None])


def test_transparent_palette_entry(tmp_path: Path) -> None:
    palette = Image.fromarray(np.array([[0, 1]], np.uint8), "L").convert("P")
    palette.putpalette([10, 20, 30, 40, 50, 60])
    palette.save(tmp_path / "p.png", transparency=1)
    image = read_image(tmp_path / "p.png", alpha="black") * 255
    assert image[:, 0].T.round().tolist() == [[10, 20, 30], [0, 0, 0]]
    assert (read_image(tmp_path / "p.png", alpha="drop") * 255)[:, 0, 1].round().tolist() == [40, 50, 60]


@pytest.mark.parametrize("channels", [2, 4])
@pytest.mark.parametrize("depth", ["8", "16", "float"])
def test_alpha_rules(tmp_path: Path, channels: int, depth: str) -> None:
    array = _levels(6, 5, channels)
    array[0, 0, -1], array[0, 1, -1] = 255, 0
    unit = _as_tensor(array)
    if depth == "8":
        (tmp_path / "a").write_bytes(encode_png(array))
    elif depth == "16":
        (tmp_path / "a").write_bytes(encode_png(array.astype(np.uint16) * 257))
    else:
        photometric = "rgb" if channels == 4 else "minisblack"
        values = unit.permute(1, 2, 0).contiguous().numpy()
        tifffile.imwrite(
            tmp_path / "a", values, photometric=photometric, planarconfig="contig", extrasamples=["unassalpha"]
        )
    colours, cover = unit[:-1], unit[-1:]
    assert torch.equal(read_image(tmp_path / "a", alpha="drop"), colours)
    black = read_image(tmp_path / "a", alpha="black")
    white = read_image(tmp_path / "a")
    torch.testing.assert_close(black, colours * cover)
    torch.testing.assert_close(white, colours * cover + 1 - cover)
    assert torch.equal(white[:, 0, 0], colours[:, 0, 0])
    assert torch.equal(white[:, 0, 1], torch.ones(channels - 1))


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(tmp_path: Path, orientation: int, name: str) -> None:
    picture = Image.fromarray(_levels(8, 16, 3))
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture.save(tmp_path / name, exif=exif)
    expected = np.asarray(ImageOps.exif_transpose(Image.open(tmp_path / name)))
    assert torch.equal(read_image(tmp_path / name), _as_tensor(expected))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(5, 6), (5, 6, 3)], ids=str)
def test_tiff(tmp_path: Path, dtype: type, shape: tuple[int, ...]) -> None:
    unit = np.random.default_rng(0).random(shape)
    top = np.iinfo(dtype).max if np.issubdtype(dtype, np.integer) else 1
    array = (unit * top).astype(dtype)
    photometric = "rgb" if len(shape) == 3 else "minisblack"
    for config in ["contig", "separate"] if len(shape) == 3 else [None]:
        data = np.moveaxis(array, -1, 0) if config == "separate" else array
        tifffile.imwrite(tmp_path / "a.tiff", data, photometric=photometric, planarconfig=config)
        assert torch.equal(read_image(tmp_path / "a.tiff"), _as_tensor(array, top))


def test_tiff_refusals(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    values = np.full((4, 4), 0.5, np.float32)
    values[1, 2] = np.nan
    tifffile.imwrite(path, values)
    with pytest.raises(NotFiniteError, match="row 1, column 2"):
        read_image(path)
    tifffile.imwrite(path, np.full((4, 4), 37.0, np.float32))
    with pytest.raises(ImageError, match="from 37 to 37"):
        read_image(path)
    tifffile.imwrite(path, np.zeros((4, 4), np.int32))
    with pytest.raises(ImageError, match="32-bit int32"):
        read_image(path)
    tifffile.imwrite(path, np.zeros((2, 64, 64), np.uint8), photometric="minisblack")
    with pytest.raises(ImageError, match="2 pictures"):
        read_image(path)
    tifffile.imwrite(path, np.zeros((64, 64), np.uint8))
    with pytest.raises(ImageError, match="max_pixels=100"):
        read_image(path, max_pixels=100)
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(ImageError, match="truncated"):
        read_image(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"hello, I am a text", "not an image"),
        (b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"<!DOCTYPE html><html></html>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "LFS"),
        (b"GIF89a" + bytes(50), "GIF"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "image"),
        (b"\xff\xd8\xff\xe0" + bytes(5), "image"),
        (b"II*\0" + bytes(5), "TIFF"),
    ],
)
def test_what_is_not_an_image(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "thing.png"
    path.write_bytes(content)
    with pytest.raises(ImageError, match=words) as caught:
        read_image(path)
    assert "thing.png" in str(caught.value)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a16.png", "a.bmp"])
def test_truncated_files(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    array = _levels(64, 64, 3)
    if name == "a16.png":
        path.write_bytes(encode_png(array.astype(np.uint16)))
    else:
        Image.fromarray(array).save(path)
    data = path.read_bytes()
    for share in (0.1, 0.5, 0.9):
        path.write_bytes(data[: int(len(data) * share)])
        with pytest.raises(ImageError):
            read_image(path)


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """One small file of every kind."""
    folder = tmp_path_factory.mktemp("kinds")
    array = _levels(12, 10, 3)
    for name in ("a.png", "a.jpg", "a.webp", "a.bmp", "a.tif"):
        Image.fromarray(array).save(folder / name)
    (folder / "a16.png").write_bytes(encode_png(array.astype(np.uint16)))
    tifffile.imwrite(folder / "float.tif", (array / 255).astype(np.float32), photometric="rgb")
    return [path.read_bytes() for path in sorted(folder.iterdir())]


@given(which=st.integers(0, 6), changes=st.lists(st.tuples(st.integers(0, 150), st.integers(0, 255)), max_size=5))
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damaged_files_give_an_image_or_a_named_error(
    tmp_path: Path, kinds: list[bytes], which: int, changes: list[tuple[int, int]]
) -> None:
    data = bytearray(kinds[which])
    for place, value in changes:
        data[place % len(data)] = value
    (tmp_path / "a").write_bytes(data)
    try:
        image = read_image(tmp_path / "a")
    except SrlensError:
        return
    assert image.numel() > 0
    assert 0 <= image.min() <= image.max() <= 1


def test_missing_folder_device(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="no file"):
        read_image(tmp_path / "nothing.png")
    with pytest.raises(ImageError, match="folder"):
        read_image(tmp_path)
    with pytest.raises(ImageError, match="device"):
        read_image("/dev/null")
    with pytest.raises(ImageError, match="too long"):
        read_image("a" * 5000)
    with pytest.raises(SettingError, match="'grey'"):
        read_image(tmp_path / "a.png", alpha="grey")  # type: ignore[arg-type]


@pytest.mark.parametrize("bits", [8, 16])
def test_bombs_are_refused_from_the_header(tmp_path: Path, bits: int) -> None:
    path = tmp_path / "bomb.png"
    data = bytearray(encode_png(np.zeros((1, 1, 3), np.uint8 if bits == 8 else np.uint16)))
    for side, words in ((11_000, "11000×11000 .*max_pixels=100000000"), (60_000, "60000×60000 .*max_pixels")):
        data[16:24] = side.to_bytes(4, "big") * 2
        data[29:33] = zlib.crc32(bytes(data[12:29])).to_bytes(4, "big")
        path.write_bytes(bytes(data))
        with pytest.raises(ImageError, match=words):
            read_image(path)


def test_animations_are_refused(tmp_path: Path) -> None:
    frames = [Image.fromarray(_levels(8, 8, 3)), Image.fromarray(255 - _levels(8, 8, 3))]
    frames[0].save(tmp_path / "a.png", save_all=True, append_images=frames[1:])
    with pytest.raises(ImageError, match="2 frames"):
        read_image(tmp_path / "a.png")


def test_of_a_multi_picture_the_first_is_read(tmp_path: Path) -> None:
    frames = [Image.fromarray(_levels(16, 16)), Image.fromarray(255 - _levels(16, 16))]
    frames[0].save(tmp_path / "a.jpg", format="MPO", save_all=True, append_images=frames[1:])
    with Image.open(tmp_path / "a.jpg") as picture:
        assert (picture.format, picture.n_frames) == ("MPO", 2)
        first = _as_tensor(np.asarray(picture))
    assert torch.equal(read_image(tmp_path / "a.jpg"), first)


def test_write_refusals(tmp_path: Path) -> None:
    image = torch.rand(3, 4, 4)
    with pytest.raises(ImageError, match=r"\.png"):
        write_image(tmp_path / "a.jpg", image)
    with pytest.raises(ImageError, match="Cannot write"):
        write_image(tmp_path / "no" / "a.png", image)
    with pytest.raises(ImageError, match="C×H×W"):
        write_image(tmp_path / "a.png", image[None])
    with pytest.raises(ChannelError, match="not 2"):
        write_image(tmp_path / "a.png", image[:2])
    with pytest.raises(NotFiniteError, match="NaN"):
        write_image(tmp_path / "a.png", image * torch.nan)
    with pytest.raises(SettingError, match="8 or 16"):
        write_image(tmp_path / "a.png", image, bits=12)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_digest_is_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert image_digest(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_reference_pictures(shared: Path) -> None:
    image = read_image(shared / "images/Set5/HR/butterfly.png")
    assert image.shape == (3, 256, 256)
    assert 0 <= image.min() < image.max() <= 1
