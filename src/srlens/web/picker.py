"""The picture in which the window is placed: click, drag or arrow keys. HTML and script of one gradio component.

Positions are fractions of the picture, so that neither the browser's zoom nor a shrunk preview matters; the server
alone turns them into SR pixels.
"""

from html import escape
from typing import Any

from srlens.errors import WindowError
from srlens.imaging.window import Window


def window_at(x: float, y: float, size: int, height: int, width: int) -> Window:
    """The window whose middle is nearest to a point, moved inside the SR image.

    Args:
        x: from the left edge, in SR pixels, fractions allowed.
        y: from the top edge, in SR pixels.
        size: side of the window, in SR pixels.
        height: of the SR image.
        width: of the SR image.

    Raises:
        WindowError: the window is larger than the SR image.
    """
    if size > min(height, width):
        raise WindowError(f"A window of {size}×{size} does not fit into the SR image of {height}×{width} pixels.")
    top = min(max(round(y - size / 2), 0), height - size)
    left = min(max(round(x - size / 2), 0), width - size)
    return Window.square(top, left, size)


def picker_value(source: str, name: str, height: int, width: int, window: Window | None) -> dict[str, Any]:
    """What the component shows: a picture, the SR size in pixels, and the window if it is placed."""
    label = escape(name, quote=True)
    return {"source": source, "label": label, "height": height, "width": width, "window": window_value(window)}


def window_value(window: Window | None) -> dict[str, int]:
    """The window for the component; a size of 0 hides it."""
    if window is None:
        return {"top": 0, "left": 0, "size": 0}
    return {"top": window.top, "left": window.left, "size": window.height}
