"""Pictures of many bands and clips, from files that anyone may have made."""

import io
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from hypothesis import given
from hypothesis import strategies as st

from srlens.errors import ImageError, NotFiniteError, SettingError
from srlens.imaging.clip import clip_digest, read_clip
from srlens.imaging.eye import centre_frame, check_bands, eye_rule, for_eye
from srlens.imaging.files import read_image, write_image
from srlens.imaging.npy import decode_npy

RANDOM = np.random.default_rng(0)
CUBE = RANDOM.random((31, 12, 9))


def saved(array: np.ndarray, path: Path) -> Path:
    np.save(path, array)
    return path


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("kind", ["<f8", "<f4", ">f4", "<f2", "|u1", "<u2", ">u2"])
def test_npy_of_any_type(tmp_path: Path, kind: str, order: str) -> None:
    dtype = np.dtype(kind)
    top = 1.0 if dtype.kind == "f" else float(np.iinfo(dtype).max)
    array = np.asarray((CUBE * top).astype(dtype), order=order)  # type: ignore[call-overload]
    read = read_image(saved(array, tmp_path / "a.npy"))
    assert read.dtype == torch.float32
    assert torch.equal(read, torch.from_numpy((array.astype(np.float64) / top).astype(np.float32)))


def test_npy_of_two_axes_is_one_band(tmp_path: Path) -> None:
    assert read_image(saved(CUBE[0], tmp_path / "a.npy")).shape == (1, 12, 9)


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (CUBE[0, 0], "shape"),
        (CUBE[None, None], "shape"),
        (CUBE[:0], "no pixels"),
        (CUBE.astype(np.int32), "int32"),
        (CUBE.astype(np.complex64), "complex64"),
        (CUBE > 0.5, "bool"),
        (CUBE * 3, r"\[0, 1\] is read"),
        (CUBE[:1].astype(np.uint32), "32-bit"),
    ],
)
def test_npy_that_is_no_picture(tmp_path: Path, array: np.ndarray, words: str) -> None:
    with pytest.raises(ImageError, match=words):
        read_image(saved(array, tmp_path / "a.npy"))


def test_npy_says_where_a_value_is_not_finite(tmp_path: Path) -> None:
    array = CUBE.copy()
    array[4, 5, 6] = np.nan
    with pytest.raises(NotFiniteError, match="row 5, column 6, channel 4"):
        read_image(saved(array, tmp_path / "a.npy"))


class Executed:
    """What unpickling would run: a call that ends the process."""

    def __reduce__(self) -> tuple[object, tuple[int]]:
        return sys.exit, (3,)


def test_objects_are_never_unpickled(tmp_path: Path) -> None:
    array = np.empty((1, 2, 2), dtype=object)
    array.fill(Executed())
    np.save(tmp_path / "a.npy", array, allow_pickle=True)
    with pytest.raises(ImageError, match="object"):
        read_image(tmp_path / "a.npy")


def test_a_header_that_promises_more_than_the_file_holds(tmp_path: Path) -> None:
    content = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        content, {"descr": "<f8", "fortran_order": False, "shape": (10**6, 10**3, 10**3)}
    )
    with pytest.raises(ImageError, match="truncated"):
        decode_npy(content.getvalue() + b"\0" * 64, 10**8)
    path = saved(CUBE, tmp_path / "a.npy")
    with pytest.raises(ImageError, match="max_pixels=50"):
        read_image(path, max_pixels=50)


@given(cut=st.integers(min_value=0, max_value=4000), noise=st.binary(max_size=20))
def test_damaged_npy_is_an_error_of_ours(cut: int, noise: bytes) -> None:
    content = io.BytesIO()
    np.save(content, CUBE[:2])
    data = content.getvalue()
    broken = data[: min(cut, len(data) - 1)] + noise
    broken = broken if len(broken) < len(data) else broken[: len(data) - 1]
    with pytest.raises((ImageError, NotFiniteError)):
        decode_npy(broken, 10**6)


@pytest.mark.parametrize("bands", [2, 4, 8, 31])
@pytest.mark.parametrize("plan", ["contig", "separate"])
def test_tiff_of_many_bands(tmp_path: Path, bands: int, plan: str) -> None:
    stored = CUBE[:bands].astype(np.float32)
    array = np.moveaxis(stored, 0, -1) if plan == "contig" else stored
    tifffile.imwrite(tmp_path / "a.tif", array, photometric="minisblack", planarconfig=plan, metadata=None)
    assert torch.equal(read_image(tmp_path / "a.tif", bands=True), torch.from_numpy(stored))
    if bands > 2:  # two may be grey and alpha, more cannot
        assert torch.equal(read_image(tmp_path / "a.tif"), torch.from_numpy(stored))


def test_four_bands_stored_as_rgb_and_one_more(tmp_path: Path) -> None:
    stored = (CUBE[:4] * 65535).astype(np.uint16)
    array = np.moveaxis(stored, 0, -1)
    tifffile.imwrite(tmp_path / "a.tif", array, photometric="rgb", extrasamples=["unspecified"], metadata=None)
    with pytest.raises(ImageError, match="bands=True"):
        read_image(tmp_path / "a.tif")
    read = read_image(tmp_path / "a.tif", bands=True)
    assert torch.equal(read, torch.from_numpy((stored / 65535).astype(np.float32)))


def test_pages_are_bands_only_where_that_is_said(tmp_path: Path) -> None:
    stored = CUBE.astype(np.float32)
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="minisblack", metadata=None)
    with pytest.raises(ImageError, match=r"holds 31 pictures.*bands=True.*read_clip"):
        read_image(tmp_path / "a.tif")
    assert torch.equal(read_image(tmp_path / "a.tif", bands=True), torch.from_numpy(stored))
    assert torch.equal(read_clip(tmp_path / "a.tif"), torch.from_numpy(stored)[:, None])


def test_a_clip_from_a_folder_pages_or_an_array(tmp_path: Path) -> None:
    clip = (torch.rand(5, 3, 8, 10) * 255).round() / 255
    folder = tmp_path / "clip"
    folder.mkdir()
    for k in (3, 0, 4, 1, 2):  # the order of writing is not that of the names
        write_image(folder / f"{k:03}.png", clip[k])
    (folder / "notes.txt").write_text("no frame")
    levels = (clip * 255).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
    tifffile.imwrite(tmp_path / "a.tif", levels, photometric="rgb", metadata=None)
    array = saved(clip.numpy(), tmp_path / "a.npy")
    for path in (folder, tmp_path / "a.tif", array):
        assert torch.equal(read_clip(path), clip), path
    assert len({clip_digest(path) for path in (folder, tmp_path / "a.tif", array)}) == 3
    before = clip_digest(folder)
    write_image(folder / "002.png", clip[0])
    assert clip_digest(folder) != before
    with pytest.raises(ImageError, match="max_pixels"):
        read_clip(folder, max_pixels=4 * 80)
    with pytest.raises(ImageError, match="max_pixels"):
        read_clip(tmp_path / "a.tif", max_pixels=4 * 80)


def test_what_is_no_clip(tmp_path: Path) -> None:
    write_image(tmp_path / "0.png", torch.rand(3, 8, 8))
    with pytest.raises(ImageError, match="at least two"):
        read_clip(tmp_path)
    with pytest.raises(ImageError, match="no clip"):
        read_clip(tmp_path / "0.png")
    write_image(tmp_path / "1.png", torch.rand(3, 8, 9))
    with pytest.raises(ImageError, match="one size"):
        read_clip(tmp_path)


def test_what_the_eye_is_shown() -> None:
    cube = torch.from_numpy(CUBE)
    assert torch.equal(for_eye(cube, (31, 1, 2)), cube[[30, 0, 1]])
    assert torch.equal(for_eye(cube), cube.mean(dim=0, keepdim=True))
    assert torch.equal(for_eye(cube[:3]), cube[:3])
    clip = torch.rand(5, 3, 8, 8)
    assert torch.equal(for_eye(clip), clip[2])
    assert torch.equal(centre_frame(clip[:4]), clip[2])
    assert eye_rule(31) == "Pictures: mean of the 31 bands."
    assert eye_rule(31, (4, 3, 2)) == "Pictures: bands 4, 3, 2 as red, green, blue."
    assert eye_rule(3) == eye_rule(1) == ""
    for wrong in ((0, 1, 2), (1, 2, 32)):
        with pytest.raises(SettingError, match="between 1 and 31"):
            check_bands(wrong, 31)
