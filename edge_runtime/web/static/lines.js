/** Lines of digits in large type, and the milliseconds of each stage. */
import { el, put } from "./dom.js";
import { milliseconds, percent, t } from "./strings.js";

const STAGES = {
  ink: "stageInk",
  locate: "stageLocate",
  normalize: "stageNormalize",
  classify: "stageClassify",
  total: "stageTotal",
};

const UNSURE = 0.8; // records.UNSURE

/** Return what is written after a text: nothing, or a mark where it is unsure. */
export const mark = (confidence) => (confidence < UNSURE ? " ?" : "");

/** Show the lines of a reading, as large as there is room for. `empty` is shown where there is nothing. */
export function showLines(element, lines, empty = t("noDigits")) {
  const texts = lines.map(({ text, confidence }) => text + mark(confidence));
  element.classList.toggle("empty", lines.length === 0);
  element.style.setProperty("--rows", Math.max(1, lines.length));
  element.style.setProperty("--columns", Math.max(1, ...texts.map((text) => text.length)));
  element.title = lines.map(({ text, confidence }) => `${text}: ${percent(confidence)}`).join("\n");
  put(element, lines.length === 0 ? empty : texts.join("\n"));
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
