"""A frozen list of mined windows: TOML with the digest of every image, so that it means the same tomorrow."""

import json
import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from srlens.atomic import replacing
from srlens.errors import StudyError, WindowError
from srlens.imaging.degrade import canonical, drawn_seed, judge_name
from srlens.imaging.samples import SAMPLES
from srlens.imaging.window import Window
from srlens.study.job import ImageRef, WindowRef

FORMAT = "srlens-windows-1"
Condition = int | float | str


@dataclass(frozen=True)
class WindowList:
    """What was mined, and how.

    Attributes:
        scale: SR pixels per LR pixel.
        degradation: how the LR images were made.
        conditions: further settings, for the record.
        networks: name and digest of the judges; none where doing nothing, or a filter, was.
        windows: hardest first.
        unused: name of each picture without a window, with the reason.
        seed: of the degradation; None where it draws no random numbers.
        grey: colour pictures were brought to grey first.
    """

    scale: int
    degradation: str
    conditions: dict[str, Condition]
    networks: tuple[tuple[str, str], ...]
    windows: tuple[WindowRef, ...]
    unused: tuple[tuple[str, str], ...] = ()
    seed: int | None = None
    grey: bool = False

    @property
    def judges(self) -> str:
        """By whose PSNR it was mined, in words."""
        return ", ".join(name for name, _ in self.networks) or judge_name(self.scale, self.degradation)

    @property
    def made(self) -> str:
        """How the pictures were made of the clean ones, in words."""
        seed = f", seed {self.seed}" if self.seed is not None else ""
        return f"{self.degradation}{seed}{', in grey' if self.grey else ''}"

    @property
    def images(self) -> tuple[ImageRef, ...]:
        """The images that windows lie in, by name."""
        return tuple(sorted({window.image for window in self.windows}, key=lambda image: image.name))


def write_window_list(
    listed: WindowList, path: str | os.PathLike[str], root: str | os.PathLike[str] | None = None
) -> None:
    """Write the list; paths of images are relative to ``root``, and that to the list's own folder, which it is if None.

    So the list goes with its pictures to another machine, or finds them there under another root.
    """
    path = Path(path)
    folder = path.parent.absolute()
    base = folder if root is None else Path(root).absolute()
    head: dict[str, Any] = {"format": FORMAT, "scale": listed.scale, "degradation": listed.degradation}
    head |= {"seed": listed.seed} if listed.seed is not None else {}
    head |= {"grey": True} if listed.grey else {}
    head |= {"root": _relative(base, folder), **listed.conditions}
    lines = [
        "# Hard windows, frozen: images are checked against their SHA-256 whenever the list is used.",
        *_pairs(head),
    ]
    tables: list[tuple[str, dict[str, Any]]] = [
        *(("networks", {"name": name, "digest": digest}) for name, digest in listed.networks),
        *(("images", _image_table(image, base)) for image in listed.images),
        *(("windows", {"image": w.image.name, **vars(w.window), "psnr": w.psnr}) for w in listed.windows),
        *(("unused", {"image": name, "reason": reason}) for name, reason in listed.unused),
    ]
    for name, table in tables:
        lines += ["", f"[[{name}]]", *_pairs(table)]
    with replacing(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")


def read_window_list(path: str | os.PathLike[str], root: str | os.PathLike[str] | None = None) -> WindowList:
    """Read a file of :func:`write_window_list`; ``root`` is where its pictures lie here, if not where it says.

    Raises:
        StudyError: it is missing, damaged or of another kind.
    """
    path = Path(path)
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        if content.get("format") != FORMAT:
            raise StudyError(
                f"{path} is no list of windows (format {content.get('format')!r}, expected {FORMAT!r}); "
                "`srlens mine` writes one."
            )
        base = path.parent / content.get("root", "") if root is None else Path(root)
        images = {i["name"]: ImageRef(i["name"], _real_path(i["path"], base), i["sha256"]) for i in content["images"]}
        windows = tuple(
            WindowRef(images[w["image"]], Window(w["top"], w["left"], w["height"], w["width"]), float(w["psnr"]))
            for w in content["windows"]
        )
        if not windows:
            raise StudyError(f"{path} is damaged: it lists no window. Mine again.")
        conditions = {k: v for k, v in content.items() if isinstance(v, Condition) and k not in _OWN}
        networks = tuple((n["name"], n["digest"]) for n in content.get("networks", []))
        unused = tuple((one["image"], one["reason"]) for one in content.get("unused", []))
        made = canonical(content["degradation"])
        # Lists that do not name a seed are older than the choice of one.
        drawn = {"seed": drawn_seed(made, content.get("seed", 0)), "grey": content.get("grey", False)}
        return WindowList(content["scale"], made, conditions, networks, windows, unused, **drawn)
    except OSError as error:
        raise StudyError(f"The list of windows {path} cannot be read: {error.strerror or error}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, TypeError, WindowError) as error:
        raise StudyError(
            f"{path} is damaged: {type(error).__name__} {error}. Mine again with `srlens mine`."
        ) from error


_OWN = ("format", "scale", "degradation", "seed", "grey", "root")


def _image_table(image: ImageRef, base: Path) -> dict[str, str]:
    shown = image.spec if image.spec in SAMPLES else _relative(Path(image.spec), base)
    shown = f"./{shown}" if shown in SAMPLES and shown != image.spec else shown  # a file with the name of a photograph
    return {"name": image.name, "path": shown, "sha256": image.digest}


def _relative(path: Path, base: Path) -> str:
    try:
        return Path(os.path.relpath(path, base)).as_posix()
    except ValueError:  # on another drive
        return str(path)


def _real_path(path: str, base: Path) -> str:
    return path if path in SAMPLES else os.path.normpath((base / path).absolute())


def _pairs(values: dict[str, Any]) -> list[str]:
    """Lines of TOML; JSON's escapes are TOML's, but for DEL, which TOML forbids bare."""
    shown = ((k, f"{v:.4f}" if isinstance(v, float) else json.dumps(v, ensure_ascii=False)) for k, v in values.items())
    return [f"{key} = {text}".replace("\x7f", "\\u007f") for key, text in shown]
