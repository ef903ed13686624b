/** The reliability diagram: how often the network is right, by how sure it is. */
import { svg } from "./dom.js";
import { number, percent, t } from "./strings.js";

const SIDE = 320; // of the field, in the drawing's own units
const LEFT = 62, TOP = 12, RIGHT = 22, BOTTOM = 54; // around it
const STEPS = { 0: 25, 25: 25, 50: 10, 75: 5 }; // percent from mark to mark, where the axes begin at so many
const SMALLEST = 4, LARGEST = 9; // radius of a bin's circle

/** Return the diagram of {data, bins: [[mean confidence, share right, count], ...]} as an SVG element. */
export function reliabilityChart(reliability) {
  const bins = counted(reliability.bins);
  const most = Math.max(...bins.map(([, , count]) => count));
  // Both axes begin at the same share, below all that there is to show, and end at 1.
  const least = Math.min(0.75, Math.floor(4 * Math.min(...bins.map(([sure, right]) => Math.min(sure, right)))) / 4);
  const across = (share) => tidy(LEFT + ((share - least) / (1 - least)) * SIDE);
  const down = (share) => tidy(TOP + SIDE - ((share - least) / (1 - least)) * SIDE);
  const step = STEPS[100 * least];
  const shares = Array.from({ length: (100 - 100 * least) / step + 1 }, (_, i) => least + (i * step) / 100);
  const whole = `0 0 ${LEFT + SIDE + RIGHT} ${TOP + SIDE + BOTTOM}`;
  const way = bins.map(([sure, right]) => `${across(sure)},${down(right)}`).join(" ");
  const middle = down((1 + least) / 2);
  return svg("svg", { viewBox: whole, class: "chart", role: "img", "aria-label": reliabilityText(reliability) },
    ...shares.flatMap((share) => [
      svg("line", { x1: across(share), y1: down(least), x2: across(share), y2: down(1), class: "grid" }),
      svg("line", { x1: across(least), y1: down(share), x2: across(1), y2: down(share), class: "grid" }),
      svg("text", { x: across(share), y: TOP + SIDE + 20, class: "tick" }, percent(share)),
      svg("text", { x: LEFT - 8, y: down(share) + 4, class: "tick end" }, percent(share)),
    ]),
    svg("line", { x1: across(least), y1: down(least), x2: across(1), y2: down(1), class: "equal" }),
    svg("polyline", { points: way, class: "curve" }),
    ...bins.map(([sure, right, count]) => {
      const radius = tidy(SMALLEST + (LARGEST - SMALLEST) * Math.sqrt(count / most));
      const name = t("binText", percent(sure, 1), percent(right, 1), number(count));
      return svg("circle", { cx: across(sure), cy: down(right), r: radius, class: "bin" }, svg("title", {}, name));
    }),
    svg("text", { x: LEFT + SIDE / 2, y: TOP + SIDE + 46, class: "axis" }, t("confidenceAxis")),
    svg("text", { transform: `translate(14 ${middle}) rotate(-90)`, class: "axis" }, t("rightAxis")));
}

/** Return in a sentence what the diagram shows. */
export function reliabilityText({ data, bins }) {
  const all = counted(bins);
  const count = all.reduce((sum, [, , n]) => sum + n, 0);
  const apart = all.reduce((sum, [sure, right, n]) => sum + n * Math.abs(sure - right), 0) / count;
  return t("reliabilityText", number(count), data, number(100 * apart, 2));
}

const counted = (bins) => bins.filter(([, , count]) => count > 0);
const tidy = (value) => Math.round(10 * value) / 10;
