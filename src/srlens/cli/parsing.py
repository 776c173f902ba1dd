"""What is written on the command line as the values that it stands for, or an error that says what to write."""

import os
from pathlib import Path
from re import IGNORECASE, fullmatch

from srlens.errors import SettingError, WindowError
from srlens.imaging.window import Window


def named(spec: str) -> tuple[str | None, str]:
    """``"mine=net_g_latest.pth"`` as a network's own name and what opens it; other text has no name of its own."""
    name, equals, path = spec.partition("=")
    own = equals and name and not {"/", os.sep} & set(name) and not Path(spec).exists()
    return (name, path) if own else (None, spec)


def writable(path: Path, option: str = "--out") -> Path:
    """The folder of results, if it is one or can be made: known before anything is computed.

    Raises:
        SettingError: it is a file, lies below one, or cannot be written to.
    """
    there = next(one for one in (path.absolute(), *path.absolute().parents) if one.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        why = "cannot be written to" if there.is_dir() else "is a file, not a folder"
        raise SettingError(f"{option} {path}: {there} {why}. Give another folder.")
    return path


def parse_window(text: str) -> Window:
    """``"T,L,SIZE"`` or ``"T,L,HEIGHT,WIDTH"``, in SR pixels.

    Raises:
        WindowError: anything else.
    """
    try:
        values = [int(part) for part in text.replace("x", ",").split(",")]
    except ValueError:
        values = []
    if len(values) == 3:
        return Window.square(*values)
    if len(values) == 4:
        return Window(*values)
    raise WindowError(
        f"--window {text!r} is not understood; give TOP,LEFT,SIZE or TOP,LEFT,HEIGHT,WIDTH in SR pixels, "
        "e.g. 110,150,16."
    )


def parse_crop(text: str) -> Window:
    """``"T,L,HEIGHT,WIDTH"`` in SR pixels.

    Raises:
        SettingError: anything else.
    """
    try:
        return Window(*(int(part) for part in text.replace("x", ",").split(",")))
    except (TypeError, ValueError):
        raise SettingError(
            f"--crop {text!r} is not understood; give TOP,LEFT,HEIGHT,WIDTH in SR pixels (those of HR), e.g. "
            "256,384,256,256."
        ) from None


def parse_bands(text: str) -> tuple[int, int, int]:
    """``"3,2,1"``: which bands are red, green and blue, from 1.

    Raises:
        SettingError: anything else.
    """
    try:
        red, green, blue = (int(part) for part in text.split(","))
    except ValueError:
        raise SettingError(f"--bands {text!r} is not understood; give RED,GREEN,BLUE from 1, e.g. 3,2,1.") from None
    return red, green, blue


_UNITS = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}


def parse_bytes(text: str) -> int:
    """``"2GiB"``, ``"512 MiB"``, ``"1.5GB"`` to bytes.

    Raises:
        SettingError: anything else, or nothing left.
    """
    found = fullmatch(r"(\d+\.?\d*|\.\d+) *([KMG]?I?B)", text.strip(), IGNORECASE)
    value = int(float(found[1]) * _UNITS.get(found[2].upper(), 0)) if found else 0
    if value < 1:
        raise SettingError(f"Memory {text!r} is not understood; give a size such as 512MiB or 2GiB.")
    return value
