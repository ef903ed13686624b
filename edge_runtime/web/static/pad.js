/** A pad for finger, pen and mouse: strokes of ink on white. */

const INK = "#111111";

/** Return a pad on a canvas. Strokes are in units of its width; `changed()` is called with each new piece of ink. */
export function inkPad(canvas, changed) {
  const strokes = [];
  const current = new Map(); // of each finger or pen that is down: its stroke
  let width = 0.03;
  let waiting = false;

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    const stroke = { width, points: [point(event)] };
    current.set(event.pointerId, stroke);
    strokes.push(stroke);
    update();
  });
  canvas.addEventListener("pointermove", (event) => {
    const stroke = current.get(event.pointerId);
    if (!stroke) return;
    const passed = event.getCoalescedEvents?.() ?? [];
    for (const one of passed.length ? passed : [event]) stroke.points.push(point(one));
    update();
  });
  for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
    canvas.addEventListener(end, (event) => current.delete(event.pointerId));
  }

  function point(event) {
    const place = canvas.getBoundingClientRect();
    return [(event.clientX - place.left) / place.width, (event.clientY - place.top) / place.width];
  }

  function update() {
    changed();
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      redraw();
    });
  }

  /** Draw the ink anew, at device pixels. */
  function redraw() {
    const ratio = window.devicePixelRatio || 1;
    canvas.width = Math.round(canvas.clientWidth * ratio);
    canvas.height = Math.round(canvas.clientHeight * ratio);
    drawOn(canvas);
  }

  /** Draw white paper and the ink on any canvas of the pad's proportions. */
  function drawOn(target) {
    const context = target.getContext("2d");
    context.fillStyle = "#ffffff";
    context.fillRect(0, 0, target.width, target.height);
    context.strokeStyle = context.fillStyle = INK;
    context.lineCap = context.lineJoin = "round";
    for (const stroke of strokes) line(context, stroke, target.width);
  }

  return {
    redraw,
    drawOn,
    get empty() { return strokes.length === 0; },
    set width(share) { width = share; },
    undo() {
      strokes.pop();
      update();
    },
    clear() {
      strokes.length = 0;
      current.clear();
      update();
    },
  };
}

/** Draw a stroke as a smooth curve through the middles between its points. */
function line(context, { width, points }, scale) {
  const [first, ...rest] = points.map(([x, y]) => [x * scale, y * scale]);
  context.lineWidth = width * scale;
  context.beginPath();
  context.moveTo(...first);
  let [x, y] = first;
  for (const [nextX, nextY] of rest) {
    context.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
    [x, y] = [nextX, nextY];
  }
  context.lineTo(x, y); // a dot, where there is one point only
  context.stroke();
}
