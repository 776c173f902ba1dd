"""A frozen list of mined windows: TOML with the digest of every image, so that it means the same tomorrow."""

import json
import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from srlens.atomic import replacing
from srlens.errors import StudyError, WindowError
from srlens.imaging.samples import SAMPLES
from srlens.imaging.window import Window

FORMAT = "srlens-windows-1"


@dataclass(frozen=True)
class ListedImage:
    """An image that windows lie in.

    Attributes:
        name: unique in the list.
        path: absolute, or the name of a packaged photograph.
        sha256: of the file.
    """

    name: str
    path: str
    sha256: str


@dataclass(frozen=True)
class ListedWindow:
    """A mined window.

    Attributes:
        image: name of its image.
        window: in SR pixels of the whole image.
        psnr: the networks' mean PSNR of the window, in dB (luma).
    """

    image: str
    window: Window
    psnr: float


@dataclass(frozen=True)
class WindowList:
    """What was mined, and how.

    Attributes:
        scale: SR pixels per LR pixel.
        degradation: how the LR images were made.
        conditions: further settings, for the record.
        networks: name and digest of the judges.
        images: that windows lie in.
        windows: hardest first.
    """

    scale: int
    degradation: str
    conditions: dict[str, int | str]
    networks: tuple[tuple[str, str], ...]
    images: tuple[ListedImage, ...]
    windows: tuple[ListedWindow, ...]


def write_window_list(listed: WindowList, path: Path) -> None:
    """Write the list; paths of images are written relative to it where they lie beside or below it."""
    lines = [
        "# Hard windows, frozen: images are checked against their SHA-256 whenever the list is used.",
        f"format = {_text(FORMAT)}",
        f"scale = {listed.scale}",
        f"degradation = {_text(listed.degradation)}",
        *(f"{key} = {_text(value) if isinstance(value, str) else value}" for key, value in listed.conditions.items()),
    ]
    for name, digest in listed.networks:
        lines += ["", "[[networks]]", f"name = {_text(name)}", f"digest = {_text(digest)}"]
    for image in listed.images:
        shown = _shown_path(image.path, path.parent)
        lines += ["", "[[images]]", f"name = {_text(image.name)}", f"path = {_text(shown)}"]
        lines += [f"sha256 = {_text(image.sha256)}"]
    for entry in listed.windows:
        w = entry.window
        lines += ["", "[[windows]]", f"image = {_text(entry.image)}", f"top = {w.top}", f"left = {w.left}"]
        lines += [f"height = {w.height}", f"width = {w.width}", f"psnr = {entry.psnr:.4f}"]
    with replacing(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")


def read_window_list(path: Path) -> WindowList:
    """Read a file of :func:`write_window_list`.

    Raises:
        StudyError: it is missing, damaged or of another kind.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        if content.get("format") != FORMAT:
            raise StudyError(
                f"{path} is no list of windows (format {content.get('format')!r}, expected {FORMAT!r}); "
                "`srlens mine` writes one."
            )
        images = tuple(
            ListedImage(i["name"], _real_path(i["path"], path.parent), i["sha256"]) for i in content["images"]
        )
        windows = tuple(_window(entry) for entry in content["windows"])
        known = {image.name for image in images}
        strangers = sorted({w.image for w in windows} - known)
        if strangers or not windows:
            raise StudyError(f"{path} is damaged: no windows, or windows in unlisted images {strangers}. Mine again.")
        conditions = {k: v for k, v in content.items() if isinstance(v, int | str) and k not in _OWN}
        networks = tuple((n["name"], n["digest"]) for n in content.get("networks", []))
        return WindowList(content["scale"], content["degradation"], conditions, networks, images, windows)
    except OSError as error:
        raise StudyError(f"The list of windows {path} cannot be read: {error.strerror or error}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, TypeError, WindowError) as error:
        raise StudyError(
            f"{path} is damaged: {type(error).__name__} {error}. Mine again with `srlens mine`."
        ) from error


_OWN = ("format", "scale", "degradation")


def _window(entry: dict[str, Any]) -> ListedWindow:
    window = Window(entry["top"], entry["left"], entry["height"], entry["width"])
    return ListedWindow(entry["image"], window, float(entry["psnr"]))


def _shown_path(path: str, folder: Path) -> str:
    absolute, start = Path(path), folder.absolute()
    if not absolute.is_absolute():
        return path  # a packaged photograph
    if not absolute.is_relative_to(start):
        return path
    shown = Path(os.path.relpath(absolute, start)).as_posix()
    return f"./{shown}" if shown in SAMPLES else shown  # a file with the name of a photograph


def _real_path(path: str, folder: Path) -> str:
    return path if path in SAMPLES else str((folder / path).absolute())


def _text(value: str) -> str:
    """A TOML string; JSON's escapes are TOML's, but for DEL, which TOML forbids bare."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
