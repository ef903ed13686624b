/** A picture on a canvas, at device pixels, with what was read in it drawn over. */
import { percent, reasonText } from "./strings.js";

// White text is legible on both, and their white rim on any ground; rejected regions are dashed as well as red.
const READ = "#0b7a34";
const REJECTED = "#c2261c";
const RIM = "#ffffff";

/** Fit a canvas to the place it has on the page for a picture of this size; returns device pixels a CSS pixel. */
export function fit(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  const scale = Math.min(canvas.clientWidth / width, canvas.clientHeight / height) * ratio || 1;
  const [across, down] = [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
  if (canvas.width !== across || canvas.height !== down) [canvas.width, canvas.height] = [across, down];
  return ratio;
}

/** Paint a picture and its reading. `image` is anything that a canvas draws; `record` is of this very picture. */
export function paint(canvas, image, record, rejected) {
  const ratio = fit(canvas, record.width, record.height);
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  overlay(context, record, ratio, rejected);
}

/** Draw boxes, labels and confidences over what a canvas shows, and rejected regions with their reasons if asked for. */
export function overlay(context, record, ratio, rejected = false) {
  const { width, height } = context.canvas;
  const [across, down] = [width / record.width, height / record.height];
  const place = ([x, y, w, h]) => ({ x: x * across, y: y * down, w: w * across, h: h * down });
  const size = Math.max(11, Math.min(15, width / ratio / 42)) * ratio;
  const regions = rejected ? record.rejected.map((region) => ({ ...place(region.box), text: reasonText(region.reason) })) : [];
  const digits = record.digits.map((digit) => ({ ...place(digit.box), digit }));
  context.save();
  context.font = `600 ${size}px ${getComputedStyle(context.canvas).fontFamily}`;
  context.textBaseline = "middle";
  for (const region of regions) outline(context, region, REJECTED, ratio, [5 * ratio, 4 * ratio]);
  for (const digit of digits) outline(context, digit, READ, ratio, []);
  for (const chip of chips(context, digits, regions, size)) write(context, chip, ratio);
  context.restore();
}

/** Return the captions with their places: every digit's label; its confidence and reasons only where there is room. */
function chips(context, digits, regions, size) {
  const kept = [];
  for (const box of digits) kept.push(placed(context, box, box.digit.label, size, READ, [kept, digits]));
  digits.forEach((box, i) => {
    const wide = { ...kept[i], ...measured(context, `${box.digit.label} ${percent(box.digit.confidence)}`, size) };
    wide.x = Math.min(wide.x, context.canvas.width - wide.w);
    if (![...kept, ...digits].some((other) => other !== kept[i] && meets(wide, other))) kept[i] = wide;
  });
  const reasons = [];
  for (const region of regions.sort((a, b) => b.w * b.h - a.w * a.h)) {
    const caption = placed(context, region, region.text, size, REJECTED, [[...kept, ...reasons], digits]);
    if (![...kept, ...reasons, ...digits].some((other) => meets(caption, other))) reasons.push(caption);
  }
  return [...reasons, ...kept];
}

/** Return a caption where it covers the fewest other captions, then the fewest other digits: best above its box. */
function placed(context, box, text, size, color, [captions, digits]) {
  const { width, height } = context.canvas;
  const made = measured(context, text, size);
  const gap = 0.15 * size;
  const [left, right] = [box.x - made.w - gap, box.x + box.w + gap];
  const [above, below] = [box.y - made.h - gap, box.y + box.h + gap];
  const spots = [[box.x, above], [box.x, below], [right, box.y], [left, box.y], [box.x, 0]];
  let best = null;
  for (const [x, y] of spots) {
    const inside = { x: Math.max(0, Math.min(x, width - made.w)), y: Math.max(0, Math.min(y, height - made.h)) };
    const spot = { ...made, ...inside, color };
    const covered = (others) => others.filter((other) => meets(spot, other)).length;
    const cost = 100 * covered(captions) + covered(digits);
    if (best === null || cost < best.cost) best = { ...spot, cost };
  }
  return best;
}

/** Return the size of a caption, and how far its text is from its edge. */
function measured(context, text, size) {
  return { text, w: context.measureText(text).width + 0.7 * size, h: 1.35 * size, inset: 0.35 * size };
}

function meets(a, b) {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

function outline(context, box, color, ratio, dash) {
  for (const [stroke, wide, dashes] of [[RIM, 4, []], [color, 2, dash]]) {
    context.strokeStyle = stroke;
    context.lineWidth = wide * ratio;
    context.setLineDash(dashes);
    context.strokeRect(box.x, box.y, box.w, box.h);
  }
}

function write(context, { x, y, w, h, text, color, inset }, ratio) {
  context.setLineDash([]);
  context.fillStyle = RIM;
  context.fillRect(x - ratio, y - ratio, w + 2 * ratio, h + 2 * ratio);
  context.fillStyle = color;
  context.fillRect(x, y, w, h);
  context.fillStyle = "#ffffff";
  context.fillText(text, x + inset, y + 0.53 * h);
}
