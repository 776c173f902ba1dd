"""A frozen list of mined windows: TOML with the digest of every image, so that it means the same tomorrow."""

import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
    head = {"format": FORMAT, "scale": listed.scale, "degradation": listed.degradation, **listed.conditions}
    lines = [
        "# Hard windows, frozen: images are checked against their SHA-256 whenever the list is used.",
        *_pairs(head),
    ]
    tables: list[tuple[str, dict[str, Any]]] = [
        *(("networks", {"name": name, "digest": digest}) for name, digest in listed.networks),
        *(("images", _image_table(image, path.parent)) for image in listed.images),
        *(("windows", {"image": w.image.name, **vars(w.window), "psnr": w.psnr}) for w in listed.windows),
    ]
    for name, table in tables:
        lines += ["", f"[[{name}]]", *_pairs(table)]
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


def _image_table(image: ImageRef, folder: Path) -> dict[str, str]:
    shown, start = image.spec, folder.absolute()
    if Path(shown).is_relative_to(start):  # neither a packaged photograph nor somewhere else
        shown = Path(shown).relative_to(start).as_posix()
        shown = f"./{shown}" if shown in SAMPLES else shown  # a file with the name of a photograph
    return {"name": image.name, "path": shown, "sha256": image.digest}


def _real_path(path: str, folder: Path) -> str:
    return path if path in SAMPLES else str((folder / path).absolute())


def _pairs(values: dict[str, Any]) -> list[str]:
    """Lines of TOML; JSON's escapes are TOML's, but for DEL, which TOML forbids bare."""
    shown = ((k, f"{v:.4f}" if isinstance(v, float) else json.dumps(v, ensure_ascii=False)) for k, v in values.items())
    return [f"{key} = {text}".replace("\x7f", "\\u007f") for key, text in shown]
