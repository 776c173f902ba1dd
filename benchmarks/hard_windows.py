"""Hard windows of published pictures, for benchmarks: bicubic chose them, none of the networks compared."""

import os
from collections.abc import Iterator
from pathlib import Path

import srlens
from srlens.comparison.crop import crop_around

SHARED = Path(os.environ.get("SRLENS_SHARED", Path(__file__).resolve().parents[2] / "shared"))
SCALE, WINDOW, APART = 4, 16, 64


def hard_windows(count: int, lr_size: int) -> Iterator[tuple[str, srlens.Subject, srlens.Window]]:
    """So many windows of Urban100 and the paper's demo: name of the place, LR crop of that side around it, window."""
    pictures = [SHARED / "images" / name for name in ("Urban100", "demo")]
    listed = srlens.mine(pictures, scale=SCALE, count=count, size=WINDOW, lr_size=lr_size, separation=APART)
    for one in listed.windows.windows:
        subject = srlens.read_subject(one.image.spec, SCALE, is_hr=True)
        place = f"{one.image.name}_t{one.window.top}_l{one.window.left}"
        yield place, *crop_around(subject, one.window, SCALE, lr_size)
