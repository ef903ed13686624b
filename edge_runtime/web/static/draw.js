/** The drawing view: digits are read while they are being written. */
import { read, sleep } from "./api.js";
import { cropList } from "./crops.js";
import { byId, el, put } from "./dom.js";
import { showLines } from "./lines.js";
import { fit, overlay } from "./overlay.js";
import { inkPad } from "./pad.js";
import { t } from "./strings.js";

const WIDTH = 960, HEIGHT = 720; // pixels of the picture that is read, in the pad's proportions
const PAUSE = 2000; // milliseconds before the next try, where something went wrong

/** Return the view. */
export function draw() {
  const paper = el("canvas", { width: WIDTH, height: HEIGHT });
  const boxes = byId("draw-boxes");
  const crops = cropList(byId("draw-crops"));
  const pad = inkPad(byId("draw-pad"), changed);
  let fresh = false; // whether there is ink that has not been sent
  let reading = false;
  let visible = false;
  let last = null; // the last record

  nothing();
  setWidth();
  byId("draw-clear").addEventListener("click", pad.clear);
  byId("draw-undo").addEventListener("click", pad.undo);
  byId("draw-width").addEventListener("input", setWidth);
  document.addEventListener("keydown", (event) => {
    if (visible && (event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === "z") {
      event.preventDefault();
      pad.undo();
    }
  });
  new ResizeObserver(() => visible && refit()).observe(byId("draw-pad"));

  function setWidth() {
    pad.width = byId("draw-width").valueAsNumber / WIDTH;
  }

  function changed() {
    byId("draw-hint").hidden = !pad.empty;
    fresh = true;
    if (pad.empty) nothing();
    readAll();
  }

  /** Read the newest drawing, one request at a time, until there is no newer one. */
  async function readAll() {
    if (reading) return;
    reading = true;
    while (fresh && visible) {
      fresh = false;
      if (pad.empty) continue;
      try {
        pad.drawOn(paper);
        const blob = await new Promise((resolve) => paper.toBlob(resolve, "image/png"));
        const record = await read(blob, "crops=1");
        put(byId("draw-notice"), "");
        if (!pad.empty) show(record);
      } catch (problem) {
        put(byId("draw-notice"), problem.message);
        fresh = true;
        await sleep(problem.retryAfter === null ? PAUSE : 1000 * problem.retryAfter);
      }
    }
    reading = false;
  }

  function show(record) {
    last = record;
    showLines(byId("draw-lines"), record.lines);
    crops.show(record.crops);
    drawBoxes();
  }

  function nothing() {
    last = null;
    showLines(byId("draw-lines"), [], t("noLines"));
    crops.show([]);
    drawBoxes();
  }

  function drawBoxes() {
    if (!visible) return;
    const ratio = fit(boxes, WIDTH, HEIGHT);
    boxes.getContext("2d").clearRect(0, 0, boxes.width, boxes.height);
    if (last) overlay(boxes.getContext("2d"), last, ratio, true);
  }

  function refit() {
    pad.redraw();
    drawBoxes();
  }

  return {
    show() {
      visible = true;
      refit();
      readAll();
    },
    hide() {
      visible = false;
    },
  };
}
