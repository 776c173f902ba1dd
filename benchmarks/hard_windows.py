"""Hard windows of published pictures, for benchmarks: bicubic chose them, none of the networks compared."""

import os
from collections.abc import Iterator
from pathlib import Path

import srlens
from srlens.comparison.crop import crop_around

SHARED = Path(os.environ.get("SRLENS_SHARED", Path(__file__).resolve().parents[2] / "shared"))
SCALE, WINDOW, APART = 4, 16, 64


def hard_places(count: int, lr_size: int) -> Iterator[tuple[str, str, srlens.Window]]:
    """So many windows of Urban100 and the paper's demo: name of the place, picture file, window in its pixels."""
    pictures = [SHARED / "images" / name for name in ("Urban100", "demo")]
    listed = srlens.mine(pictures, scale=SCALE, count=count, size=WINDOW, lr_size=lr_size, separation=APART)
    for one in listed.windows.windows:
        yield f"{one.image.name}_t{one.window.top}_l{one.window.left}", one.image.spec, one.window


def hard_windows(count: int, lr_size: int) -> Iterator[tuple[str, srlens.Subject, srlens.Window]]:
    """The same for super-resolution: name of the place, LR crop of that side around the window, window in it."""
    for place, spec, window in hard_places(count, lr_size):
        subject = srlens.read_subject(spec, SCALE, is_hr=True)
        yield place, *crop_around(subject, window, SCALE, lr_size)
