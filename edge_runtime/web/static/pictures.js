/** The pictures view: whatever is chosen, dropped, pasted or taken is read, one after the other. */
import { read, sleep } from "./api.js";
import { byId, el, put } from "./dom.js";
import { showLines } from "./lines.js";
import { number, reasonText, t } from "./strings.js";

const LARGEST = 20_000_000; // bytes that the server takes
const TRIES = 8; // while the server is busy
const BUSY = 429;

/** Return the view. */
export function pictures() {
  const panel = byId("panel-pictures");
  const drop = byId("pictures-drop");
  const queue = [];
  let working = false;
  let visible = false;

  for (const id of ["pictures-input", "pictures-take"]) {
    byId(id).addEventListener("change", ({ target }) => {
      add([...target.files]);
      target.value = ""; // the same picture may be chosen again
    });
  }
  document.addEventListener("paste", (event) => {
    const files = visible ? [...event.clipboardData.files] : [];
    if (files.length) event.preventDefault();
    add(files, t("pasted"));
  });
  document.addEventListener("dragover", (event) => {
    if (!visible) return;
    event.preventDefault();
    drop.classList.add("over-it");
  });
  for (const end of ["dragleave", "drop"]) {
    document.addEventListener(end, (event) => {
      if (end === "drop" || event.relatedTarget === null) drop.classList.remove("over-it");
    });
  }
  document.addEventListener("drop", (event) => {
    if (!visible) return;
    event.preventDefault();
    add([...event.dataTransfer.files]);
  });

  function add(files, name = null) {
    const before = byId("pictures-results").firstChild;
    for (const file of files) {
      const result = card(name ?? file.name);
      byId("pictures-results").insertBefore(result.root, before);
      if (file.size > LARGEST) fail(result, t("fileTooLarge"));
      else queue.push({ file, result });
    }
    work();
  }

  async function work() {
    if (working) return;
    working = true;
    panel.setAttribute("aria-busy", "true");
    while (queue.length) {
      const { file, result } = queue.shift();
      put(result.meta, t("reading"));
      try {
        show(result, await patient(file));
      } catch (problem) {
        fail(result, problem.message);
      }
    }
    panel.setAttribute("aria-busy", "false");
    working = false;
  }

  return {
    show() { visible = true; },
    hide() { visible = false; },
  };
}

/** Have a file read, and wait where the server is busy. */
async function patient(file) {
  for (let left = TRIES; ; left--) {
    try {
      return await read(file, "explain=1");
    } catch (problem) {
      if (problem.status !== BUSY || left === 0) throw problem;
      await sleep(1000 * (problem.retryAfter ?? 1));
    }
  }
}

function card(name) {
  const picture = el("div", { class: "stage" });
  const lines = el("p", { class: "lines" });
  const meta = el("p", { class: "meta" }, t("queued"));
  const more = el("div");
  const frame = el("div", { class: "wide", tabindex: "0", role: "group", "aria-label": t("stagesOf", name) });
  const stages = el("details", { class: "drawer waiting" }, el("summary", {}, t("howRead")), frame);
  const answer = el("div", { class: "answer" }, el("h2", {}, name), lines, meta, more);
  showLines(lines, [], t("noLines"));
  const root = el("article", { class: "result" }, picture, answer, stages);
  return { name, picture, lines, meta, more, stages, frame, root };
}

function show(result, record) {
  const { name, picture, lines, meta, more } = result;
  const { annotated, width, height } = record;
  picture.append(el("img", { src: annotated, alt: t("annotated", name), width, height }));
  showLines(lines, record.lines);
  const [read, rejected] = [number(record.digits.length), number(record.rejected.length)];
  put(meta, t("digitsRead", read, rejected, number(record.ms.total)));
  more.append(reasons(record.rejected));
  fillStages(result, record.stages);
  put(byId("pictures-notice"), t("doneWith", name, meta.textContent));
}

/** Return how many regions were rejected for each reason. */
function reasons(rejected) {
  const counts = new Map();
  for (const { reason } of rejected) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const items = [...counts].sort((a, b) => b[1] - a[1]);
  const texts = items.map(([why, count]) => t("rejectedCount", reasonText(why), number(count)));
  return el("ul", { class: "reasons" }, ...texts.map((text) => el("li", {}, text)));
}

/** Offer the picture of every stage, which is made only once somebody wants to see it. */
function fillStages({ stages, frame }, source) {
  stages.classList.remove("waiting");
  stages.addEventListener("toggle", () => {
    if (stages.open && !frame.firstChild) frame.append(el("img", { src: source, alt: t("stagesText") }));
  });
}

function fail({ name, meta, root }, message) {
  root.classList.add("failed");
  put(meta, message);
  put(byId("pictures-notice"), t("doneWith", name, message));
}
