/** The 28x28 crops that the network saw, enlarged, each with a bar for how sure it is of every class. */
import { model } from "./api.js";
import { el, put } from "./dom.js";
import { percent, reasonText, t } from "./strings.js";

const SIDE = 28;
const SHOWN = 60; // more would only slow the page down
const NAMED = 3; // classes that are read out

let names = [];
model().then((sheet) => { names = sheet.labels; }, () => { names = []; });

/** Return what shows crops in an element: `show(crops)` again and again, `clear()` to empty it. */
export function cropList(element) {
  let cards = [];
  let hint = null;

  function show(crops) {
    const shown = crops.slice(0, SHOWN);
    for (const surplus of cards.splice(shown.length)) surplus.root.remove();
    shown.forEach((crop, i) => {
      if (cards[i]?.bars.length !== crop.confidences.length) {
        const made = card(crop.confidences.length);
        if (cards[i]) cards[i].root.replaceWith(made.root);
        else element.append(made.root);
        cards[i] = made;
      }
      update(cards[i], crop);
    });
    if (shown.length && hint) {
      hint.remove();
      hint = null;
    } else if (!shown.length && !hint) {
      hint = el("p", { class: "hint" }, t("noCrops"));
      element.append(hint);
    }
  }

  function clear() {
    element.replaceChildren();
    cards = [];
    hint = null;
  }

  return { show, clear };
}

/** Tell the crops of a details element only while it is open. Returns `show(crops)`. */
export function cropDrawer(details, element) {
  const list = cropList(element);
  let last = [];
  details.addEventListener("toggle", () => (details.open ? list.show(last) : list.clear()));
  return (crops) => {
    last = crops;
    if (details.open) list.show(crops);
  };
}

function card(count) {
  const canvas = el("canvas", { width: SIDE, height: SIDE, "aria-hidden": "true" });
  const title = el("figcaption");
  const bars = Array.from({ length: count }, (_, i) => {
    const fill = el("i");
    return { fill, root: el("span", {}, el("b", {}, fill), el("small", {}, short(i, count))) };
  });
  const chart = el("div", { class: "bars", role: "img" }, ...bars.map((bar) => bar.root));
  return { root: el("figure", { class: "crop" }, canvas, el("div", {}, title, chart)), canvas, title, bars, chart };
}

function update({ root, canvas, title, bars, chart }, crop) {
  const context = canvas.getContext("2d");
  const picture = context.createImageData(SIDE, SIDE);
  const bytes = atob(crop.image);
  for (let i = 0; i < SIDE * SIDE; i++) picture.data.set([...Array(3).fill(bytes.charCodeAt(i)), 255], 4 * i);
  context.putImageData(picture, 0, 0);
  const best = crop.confidences.indexOf(Math.max(...crop.confidences));
  bars.forEach(({ fill, root: bar }, i) => {
    fill.style.transform = `scaleY(${crop.confidences[i].toFixed(3)})`;
    bar.classList.toggle("best", i === best);
  });
  root.classList.toggle("rejected", crop.reason !== null);
  put(title, crop.reason === null ? t("cropRead", crop.label) : t("cropRejected", reasonText(crop.reason)));
  const order = crop.confidences.map((_, i) => i).sort((a, b) => crop.confidences[b] - crop.confidences[a]);
  const likely = order.slice(0, NAMED).map((i) => t("sure", long(i, bars.length), percent(crop.confidences[i])));
  chart.setAttribute("aria-label", t("barsLabel", likely.join(", ")));
}

/** Return the name of class i of so many: what is not a digit comes last, after the ten. */
function long(i, count) {
  return isNone(i, count) ? t("notADigit") : names[i] ?? String(i);
}

function short(i, count) {
  return isNone(i, count) ? t("none") : (names[i] ?? String(i)).slice(0, 2);
}

function isNone(i, count) {
  return names.length === count ? names[i] === "not a digit" : count === 11 && i === 10;
}
