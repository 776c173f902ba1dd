"""Image files: one way in, one way out, at the depth that the file has.

Read are PNG (8 and 16 bit, palette), JPEG, WebP, BMP, TIFF (8 and 16 bit, floating point) and NumPy's ``.npy``, the
last two of any channel count. Colour
profiles and gamma chunks are not applied: values are taken as sRGB, as the super-resolution field does. A
CMYK JPEG becomes RGB by the plain formula (no ink profile). The EXIF orientation is applied, so rows and
columns are those that viewers show. Animations are refused; of a JPEG multi-picture (MPO) the first is read.
"""

import hashlib
import io
import os
import struct
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srlens.atomic import replacing
from srlens.errors import ChannelError, ImageError, MissingExtraError, NotFiniteError, SettingError
from srlens.imaging.check import check_pixels
from srlens.imaging.foreign import kind_of
from srlens.imaging.npy import decode_npy, is_npy
from srlens.imaging.png import decode_png16, encode_png, is_png, is_png16, without_texts
from srlens.imaging.tiff import ORIENTATION_TAG, Decoded, decode_tiff, is_tiff

Alpha = Literal["white", "black", "drop"]

#: Files of a folder that count as pictures.
PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff")

#: Pictures of more pixels are refused unless the caller asks for them.
MAX_PIXELS = 100_000_000

_FORMATS = ("PNG", "JPEG", "WEBP", "BMP")  # no format whose decoder starts another program
_MIRRORED = (3, 4, 7, 8), (2, 3, 6, 7)  # EXIF orientations with rows, with columns in reverse, once axes are swapped


def read_image(
    path: str | os.PathLike[str], *, alpha: Alpha = "white", bands: bool = False, max_pixels: int = MAX_PIXELS
) -> Tensor:
    """Read an image file.

    Args:
        path: PNG, JPEG, WebP, BMP, TIFF, or a ``.npy`` array, C×H×W or H×W.
        alpha: what becomes of transparency. ``"white"`` and ``"black"``: the picture laid on that colour, in
            sRGB values, as viewers do. ``"drop"``: the colours as stored, even beneath transparent pixels.
        bands: every channel of a TIFF file is a band, none is alpha; so is every page of a file that holds several of
            one channel each. More than four channels are bands without that.
        max_pixels: larger pictures are refused from their header, before any decoding.

    Returns:
        C×H×W float32 in [0, 1]; C is 1 for grey files, 3 for all others (a grey palette too), and what the file holds
        for TIFF of many bands and ``.npy``.

    Raises:
        ImageError: the file is missing, a folder, empty, truncated, too large or not an image that is read.
        NotFiniteError: a floating-point file holds NaN or infinity.
        SettingError: ``alpha`` has no such choice.
    """
    if alpha not in ("white", "black", "drop"):
        raise SettingError(f"alpha (={alpha!r}) must be 'white', 'black' or 'drop'.")
    data = read_bytes(path)
    try:
        if is_npy(data):
            return torch.from_numpy(np.ascontiguousarray(decode_npy(data, max_pixels)))
        decoded = (
            decode_tiff(data, max_pixels, drop=alpha == "drop", bands=bands)
            if is_tiff(data)
            else _decode(data, max_pixels)
        )
    except (ImageError, NotFiniteError) as error:
        raise type(error)(f"{os.fspath(path)}: {error}") from error
    return settled(decoded, alpha)


def settled(decoded: Decoded, alpha: Alpha) -> Tensor:
    """What was decoded without its transparency and upright: C×H×W float32 in [0, 1]."""
    array = decoded.pixels if decoded.banded else _without_alpha(decoded.pixels, alpha)
    return torch.from_numpy(np.ascontiguousarray(_upright(array, decoded.orientation).transpose(2, 0, 1)))


def write_image(path: str | os.PathLike[str], image: Tensor, *, bits: Literal[8, 16] = 8) -> None:
    """Write a PNG file; an interrupted call leaves no half-written file behind.

    Args:
        path: ends in ``.png``; its folder exists. A file of that name is replaced.
        image: C×H×W with 1 or 3 channels, floating point. Clamped to [0, 1] and rounded to the nearest level.
        bits: 8 or 16 a channel.

    Raises:
        ImageError: a wrong shape or file name, or a file that cannot be written.
        ChannelError: neither 1 nor 3 channels.
        NotFiniteError: the image holds NaN or infinity.
        SettingError: ``bits`` is neither 8 nor 16.
    """
    target = Path(path)
    if target.suffix.lower() != ".png":
        raise ImageError(f"Images are written as PNG, but the name is {target.name!r}. End it in .png.")
    content = png_bytes(image, bits=bits)
    try:
        target.parent.stat()  # a folder that is misspelt is not made
        with replacing(target) as partial:
            partial.write_bytes(content)
    except OSError as error:
        raise ImageError(f"Cannot write {target}: {error.strerror}. Is its folder there and writable?") from error


def png_bytes(image: Tensor, *, bits: Literal[8, 16] = 8) -> bytes:
    """What :func:`write_image` writes, with the same errors."""
    if bits not in (8, 16):
        raise SettingError(f"bits (={bits}) must be 8 or 16.")
    if image.ndim != 3 or image.numel() == 0 or not image.is_floating_point():
        raise ImageError(f"A floating-point C×H×W image is written, not {tuple(image.shape)} of {image.dtype}.")
    if image.shape[0] not in (1, 3):
        raise ChannelError(f"Images of 1 or 3 channels are written, not {image.shape[0]}.")
    if not bool(torch.isfinite(image).all()):
        raise NotFiniteError("The image to be written holds NaN or infinity.")
    levels = (image.detach().to("cpu", torch.float64).clamp(0, 1) * (2**bits - 1)).round().permute(1, 2, 0).numpy()
    return encode_png(levels.astype(np.uint8 if bits == 8 else np.uint16))


def image_digest(path: str | os.PathLike[str]) -> str:
    """SHA-256 of the file's bytes, in hexadecimal; the same picture saved anew has another digest.

    Raises:
        ImageError: the file is missing, a folder or empty.
    """
    return hashlib.sha256(read_bytes(path)).hexdigest()


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """The bytes of an ordinary file.

    Raises:
        ImageError: it is missing, a folder, empty, or cannot be read.
    """
    file = Path(path)
    try:
        if file.is_dir():
            raise ImageError(f"{file} is a folder. Give one image file.")
        if not file.exists():
            raise ImageError(f"There is no file {file}. Check the path (now in {Path.cwd()}).")
        if not file.is_file():
            raise ImageError(f"{file} is a device or a pipe. Give an ordinary file.")
        data = file.read_bytes()
    except OSError as error:  # no permission, a name too long, …
        raise ImageError(f"Cannot read {file}: {error.strerror}.") from error
    if not data:
        raise ImageError(f"{file} is empty (0 bytes). Copy or download it again.")
    return data


def _decode(data: bytes, max_pixels: int) -> Decoded:
    """Decode pictures of 1 to 4 channels."""
    from PIL import BmpImagePlugin, Image, JpegImagePlugin, PngImagePlugin, WebPImagePlugin  # noqa: F401

    # Not Image.open, which warns of large pictures, through filters that belong to the whole process; max_pixels is
    # our own, stricter bound.
    openers = (Image.OPEN[name] for name in _FORMATS)
    opener = next((factory for factory, accepts in openers if accepts is None or accepts(data[:16]) is True), None)
    if opener is None:
        kind = kind_of(data)
        raise ImageError(
            f"It is not an image that is read{kind and f' ({kind})'}. Give PNG, JPEG, WebP, BMP, TIFF or .npy."
        )
    try:
        picture: Any = opener(io.BytesIO(without_texts(data)), "")
    except Exception as error:  # damaged headers raise of every kind
        raise ImageError(f"Its header is damaged: {error}") from error
    with picture:
        check_pixels(picture.width, picture.height, max_pixels)
        array: NDArray[np.float32]
        try:
            frames = getattr(picture, "n_frames", 1)
            if frames > 1 and picture.format != "MPO":
                raise ImageError(f"It is an animation of {frames} frames. Save the wanted frame alone.")
            if is_png16(data):
                array = (decode_png16(data) / np.float64(65535)).astype(np.float32)
            else:
                array = _plain(picture, data[24] if is_png(data) else 8).astype(np.float32) / np.float32(255)
            orientation = _orientation(picture)
        except (ImageError, MissingExtraError):
            raise
        except Exception as error:
            raise ImageError(f"The {picture.format} file is truncated or damaged: {error}") from error
    return Decoded(array, orientation)


def _orientation(picture: Any) -> int:
    """That of the EXIF block; of none that can be read, and of XMP alone, there is none, as in browsers."""
    for name in ("xmp", "XML:com.adobe.xmp"):
        picture.info.pop(name, None)
    try:
        orientation: int = picture.getexif().get(ORIENTATION_TAG, 1)
    except (SyntaxError, ValueError, OSError, struct.error):  # the block does not begin as TIFF, or is cut off
        return 1
    return orientation


def _plain(picture: Any, bits: int) -> NDArray[np.uint8]:
    """Pixels of a Pillow picture of so many bits: H×W×C of 8 bits; grey, grey and alpha, RGB or RGBA."""
    grey = picture.mode in ("1", "L", "LA", "La")
    known = grey or picture.mode in ("P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr")
    if not known:
        raise ImageError(f"Its pixels are of the kind {picture.mode!r}, which is not read. Convert it to PNG.")
    if picture.mode == "L" and bits < 8 and (key := picture.info.get("transparency")) is not None:
        picture.info["transparency"] = key * 255 // (2**bits - 1)  # of the file's levels, which were spread to 8 bits
    mode = ("L" if grey else "RGB") + ("A" if picture.has_transparency_data else "")
    array = np.asarray(picture if picture.mode == mode else picture.convert(mode))
    return array.reshape(*array.shape[:2], -1)


def _without_alpha(array: NDArray[np.float32], alpha: Alpha) -> NDArray[np.float32]:
    """H×W×(1 … 4) to H×W×(1 or 3)."""
    if array.shape[2] % 2:
        return array
    colours, cover = array[..., :-1], array[..., -1:]
    if alpha == "drop":
        return colours
    # In this form an opaque picture keeps its values to the last bit.
    return np.clip(colours * cover + (1 - cover) * np.float32(alpha == "white"), 0, 1)


def _upright(array: NDArray[np.float32], orientation: int) -> NDArray[np.float32]:
    """Apply an EXIF orientation (1 … 8; anything else counts as 1) to H×W×C."""
    if orientation in (5, 6, 7, 8):
        array = array.swapaxes(0, 1)
    rows, columns = (slice(None, None, -1 if orientation in mirrored else 1) for mirrored in _MIRRORED)
    return array[rows, columns]
