"""A contact sheet of mined windows, to see at once what a study is about."""

from pathlib import Path

from torch import Tensor

from srlens.imaging.open import open_image
from srlens.imaging.window import Window
from srlens.study.job import ImageRef
from srlens.study.window_list import WindowList

#: Windows on a sheet; of longer lists the hardest are shown.
SHOWN = 160
_AROUND = 6  # side of the part shown, in sides of the window


def write_contact_sheet(listed: WindowList, path: Path) -> Path:
    """Draw the hardest windows of a list, each within its surroundings.

    Raises:
        ImageError: a picture cannot be read any more.
    """
    from srlens.figures.save import save_figure
    from srlens.figures.window_sheet import Tile, window_sheet

    pictures: dict[ImageRef, Tensor] = {}
    tiles = []
    for rank, entry in enumerate(listed.windows[:SHOWN], start=1):
        if entry.image not in pictures:
            pictures[entry.image] = open_image(entry.image.spec)
        part, frame = _part(pictures[entry.image], entry.window)
        tiles.append(Tile(part, frame, [f"#{rank} {entry.image.name}", f"{entry.psnr:.2f} dB"]))
    title = f"{len(listed.windows)} hard windows of {len(listed.images)} pictures"
    if len(listed.windows) > SHOWN:
        title += f" (the hardest {SHOWN} shown)"
    made = f"LR ×{listed.scale} made by" if listed.scale > 1 else "LR made by"
    note = f"PSNR ({'grey' if listed.grey else 'luma'}) of each window by {listed.judges}; {made} {listed.made}."
    figure = window_sheet(tiles, title=title, columns=8, note=note, scale=listed.scale)
    return save_figure(figure, path.with_suffix(""), ("png",), dpi=150)[0]


def _part(picture: Tensor, window: Window) -> tuple[Tensor, tuple[float, float, float, float]]:
    """The square around the window (as far as the picture goes), and the window within it."""
    height, width = picture.shape[-2:]
    side = min(_AROUND * max(window.height, window.width), height, width)
    top = min(max(0, (window.top + window.bottom - side) // 2), height - side)
    left = min(max(0, (window.left + window.right - side) // 2), width - side)
    part = picture[..., top : top + side, left : left + side]
    return part, (window.top - top, window.left - left, window.height, window.width)
