"""The picture in which the window is placed: click, drag or arrow keys. HTML and script of one gradio component.

Positions are fractions of the picture, so that neither the browser's zoom nor a shrunk preview matters; the server
alone turns them into SR pixels.
"""

from html import escape
from typing import Any

from srlens.errors import WindowError
from srlens.imaging.window import Window


def place_at(x: float, y: float, size: int, height: int, width: int) -> Window:
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
    return {
        "source": source,
        "label": escape(name, quote=True),
        "height": height,
        "width": width,
        "place": place_value(window),
    }


def place_value(window: Window | None) -> dict[str, int]:
    """The window for the component; a size of 0 hides it."""
    if window is None:
        return {"top": 0, "left": 0, "size": 0}
    return {"top": window.top, "left": window.left, "size": window.height}


TEMPLATE = """
<div class="stage" tabindex="0" role="application" aria-roledescription="window picker"
     aria-label="${value.label}: click to place the window, or move it with the arrow keys (Shift: 8 pixels)">
  <img src="${value.source}" alt="${value.label}" draggable="false">
  <div class="frame" aria-hidden="true"></div>
</div>
"""

STYLE = """
.stage { position: relative; line-height: 0; cursor: crosshair; border-radius: 6px; overflow: hidden;
         touch-action: manipulation; user-select: none; max-width: 640px; margin: 0 auto; }
.stage:has(img[src^="data:image/gif"]) { display: none; }
.stage:focus-visible { outline: 3px solid var(--color-accent); outline-offset: 2px; }
.stage img { width: 100%; height: auto; display: block; image-rendering: auto; }
.frame { position: absolute; box-sizing: border-box; display: none; pointer-events: none;
         box-shadow: 0 0 0 2px #000, 0 0 0 4px #fff, 0 0 0 9999px rgb(0 0 0 / 18%); }
"""

SCRIPT = """
let place = null, dragging = false, timer = null;
const stage = () => element.querySelector('.stage');
const clamp = (v, high) => Math.min(Math.max(v, 0), Math.max(high, 0));
function draw() {
  const frame = element.querySelector('.frame'), v = props.value;
  if (!frame || !v || !place || !place.size) { if (frame) frame.style.display = 'none'; return; }
  frame.style.display = 'block';
  frame.style.top = 100 * place.top / v.height + '%';
  frame.style.left = 100 * place.left / v.width + '%';
  frame.style.height = 100 * place.size / v.height + '%';
  frame.style.width = 100 * place.size / v.width + '%';
}
function point(e) {
  const box = element.querySelector('img').getBoundingClientRect(), v = props.value;
  return [(e.clientX - box.left) / box.width * v.width, (e.clientY - box.top) / box.height * v.height];
}
function around(p) {
  const v = props.value, size = (place && place.size) || 16;
  place = { top: clamp(Math.round(p[1] - size / 2), v.height - size),
            left: clamp(Math.round(p[0] - size / 2), v.width - size), size };
  draw();
}
function tell(p) { trigger('select', { index: p, value: null }); }
element.addEventListener('pointerdown', (e) => {
  if (!stage() || !stage().contains(e.target) || e.button !== 0) return;
  if (e.pointerType === 'mouse') { dragging = true; e.target.setPointerCapture(e.pointerId); around(point(e)); }
});
element.addEventListener('pointermove', (e) => { if (dragging) around(point(e)); });
element.addEventListener('pointerup', (e) => {
  if (!stage() || !stage().contains(e.target)) return;
  if (dragging || e.pointerType !== 'mouse') { dragging = false; around(point(e)); tell(point(e)); }
});
element.addEventListener('pointercancel', () => { dragging = false; });
element.addEventListener('keydown', (e) => {
  const step = e.shiftKey ? 8 : 1;
  const move = { ArrowUp: [0, -step], ArrowDown: [0, step], ArrowLeft: [-step, 0], ArrowRight: [step, 0] }[e.key];
  if (!move || !place || !place.size) return;
  e.preventDefault();
  const middle = [place.left + place.size / 2 + move[0], place.top + place.size / 2 + move[1]];
  around(middle);
  clearTimeout(timer);
  timer = setTimeout(() => tell([place.left + place.size / 2, place.top + place.size / 2]), 250);
});
function take() { place = props.value && props.value.place ? { ...props.value.place } : null; draw(); }
watch('value', take);
take();
"""
