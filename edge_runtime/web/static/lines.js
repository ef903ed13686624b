/** Lines of digits in large type, and the milliseconds of each stage. */
import { el, put } from "./dom.js";
import { milliseconds, t } from "./strings.js";

const STAGES = {
  ink: "stageInk",
  locate: "stageLocate",
  normalize: "stageNormalize",
  classify: "stageClassify",
  total: "stageTotal",
};

/** Show what was read, as large as there is room for. `empty` is shown where there is nothing. */
export function showLines(element, lines, empty = t("noDigits")) {
  element.classList.toggle("empty", lines.length === 0);
  element.style.setProperty("--rows", Math.max(1, lines.length));
  element.style.setProperty("--columns", Math.max(1, ...lines.map((line) => line.length)));
  put(element, lines.length === 0 ? empty : lines.join("\n"));
}

/** Show how long each stage took, in milliseconds; without times, dashes. */
export function showTimes(list, ms) {
  if (!list.firstChild) {
    for (const [stage, name] of Object.entries(STAGES)) {
      list.append(el("div", {}, el("dt", {}, t(name)), el("dd", { "data-stage": stage }, "–")));
    }
  }
  for (const value of list.querySelectorAll("dd")) {
    put(value, ms ? milliseconds(ms[value.dataset.stage]) : "–");
  }
}
