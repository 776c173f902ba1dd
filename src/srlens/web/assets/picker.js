let shown = null, dragging = false, timer = null;
const stage = () => element.querySelector('.stage');
const clamp = (v, high) => Math.min(Math.max(v, 0), Math.max(high, 0));
function draw() {
  const frame = element.querySelector('.frame'), v = props.value;
  if (!frame || !v || !shown || !shown.size) { if (frame) frame.style.display = 'none'; return; }
  frame.style.display = 'block';
  frame.style.top = 100 * shown.top / v.height + '%';
  frame.style.left = 100 * shown.left / v.width + '%';
  frame.style.height = 100 * shown.size / v.height + '%';
  frame.style.width = 100 * shown.size / v.width + '%';
}
function point(e) {
  const box = element.querySelector('img').getBoundingClientRect(), v = props.value;
  return [(e.clientX - box.left) / box.width * v.width, (e.clientY - box.top) / box.height * v.height];
}
function around(p) {
  const v = props.value, size = (shown && shown.size) || 16;
  shown = { top: clamp(Math.round(p[1] - size / 2), v.height - size),
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
  const v = props.value;
  if (!move || !v) return;
  e.preventDefault();
  const placed = shown && shown.size;  // without a window, the first key puts one into the middle
  const middle = placed ? [shown.left + shown.size / 2 + move[0], shown.top + shown.size / 2 + move[1]]
                        : [v.width / 2, v.height / 2];
  around(middle);
  clearTimeout(timer);
  timer = setTimeout(() => tell([shown.left + shown.size / 2, shown.top + shown.size / 2]), 250);
});
function take() { shown = props.value && props.value.window ? { ...props.value.window } : null; draw(); }
watch('value', take);
take();
