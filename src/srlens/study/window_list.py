"""A frozen list of mined windows: TOML with the digest of every image, so that it means the same tomorrow."""

import json
import os
import tomllib
from dataclasses import dataclass
from pathlib import Path

from srlens.atomic import replacing
from srlens.errors import StudyError, WindowError
from srlens.imaging.samples import SAMPLES
from srlens.imaging.window import Window
from srlens.study.job import ImageRef, WindowRef

FORMAT = "srlens-windows-1"


@dataclass(frozen=True)
class WindowList:
    """What was mined, and how.

    Attributes:
        scale: SR pixels per LR pixel.
        degradation: how the LR images were made.
        conditions: further settings, for the record.
        networks: name and digest of the judges.
        windows: hardest first.
    """

    scale: int
    degradation: str
    conditions: dict[str, int | str]
    networks: tuple[tuple[str, str], ...]
    windows: tuple[WindowRef, ...]

    @property
    def images(self) -> tuple[ImageRef, ...]:
        """The images that windows lie in, by name."""
        return tuple(sorted({window.image for window in self.windows}, key=lambda image: image.name))


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
        shown = _shown_path(image.spec, path.parent)
        lines += ["", "[[images]]", f"name = {_text(image.name)}", f"path = {_text(shown)}"]
        lines += [f"sha256 = {_text(image.digest)}"]
    for entry in listed.windows:
        w = entry.window
        lines += ["", "[[windows]]", f"image = {_text(entry.image.name)}", f"top = {w.top}", f"left = {w.left}"]
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
        images = {
            i["name"]: ImageRef(i["name"], _real_path(i["path"], path.parent), i["sha256"]) for i in content["images"]
        }
        windows = tuple(
            WindowRef(images[w["image"]], Window(w["top"], w["left"], w["height"], w["width"]), float(w["psnr"]))
            for w in content["windows"]
        )
        if not windows:
            raise StudyError(f"{path} is damaged: it lists no window. Mine again.")
        conditions = {k: v for k, v in content.items() if isinstance(v, int | str) and k not in _OWN}
        networks = tuple((n["name"], n["digest"]) for n in content.get("networks", []))
        return WindowList(content["scale"], content["degradation"], conditions, networks, windows)
    except OSError as error:
        raise StudyError(f"The list of windows {path} cannot be read: {error.strerror or error}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, TypeError, WindowError) as error:
        raise StudyError(
            f"{path} is damaged: {type(error).__name__} {error}. Mine again with `srlens mine`."
        ) from error


_OWN = ("format", "scale", "degradation")


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
