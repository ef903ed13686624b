/** The model view: what the model file says of itself. */
import { model } from "./api.js";
import { reliabilityChart, reliabilityText } from "./charts.js";
import { byId, el, put } from "./dom.js";
import { number, percent, t } from "./strings.js";

const share = (value) => `${number(value, 2)}%`;
const points = (value) => t("points", number(value, 2));
const MEASURED = {
  accuracy: share,
  full_accuracy: share,
  drop: points,
  agreement: share,
  rejection_agreement: share,
  mcnemar_p: (value) => number(value, 3),
  nll_rise: (value) => number(value, 5),
};

/** Return the view; the server is asked when it is first shown. */
export function modelCard() {
  let filled = false;
  return {
    async show() {
      if (filled) return;
      try {
        const sheet = await model();
        if (filled) return;
        filled = true;
        put(byId("model-notice"), "");
        byId("model-sheet").replaceChildren(...sections(sheet));
      } catch (problem) {
        put(byId("model-notice"), problem.message);
      }
    },
    hide() {},
  };
}

function sections(sheet) {
  const { card } = sheet;
  return [
    section("about", facts(about(sheet))),
    section("parity", ...parity(card?.measured ?? null)),
    section("reliability", reliability(card?.measured?.reliability ?? null)),
    section("training", training(card)),
    raw(card),
  ];
}

function section(title, ...children) {
  return el("section", { class: "card" }, el("h2", {}, t(title)), ...children);
}

/** Return a list of terms and texts; those without a text are left out. */
function facts(pairs) {
  const known = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  const rows = known.map(([term, value]) => el("div", {}, el("dt", {}, t(term)), el("dd", {}, value)));
  return el("dl", { class: "facts" }, ...rows);
}

function about({ name, sha256, bytes, verified, labels, min_confidence: least }) {
  return [
    ["file", name],
    ["verified", t(verified ? "verifiedYes" : "verifiedNo")],
    ["size", t("bytes", number(bytes))],
    ["threshold", percent(least)],
    ["labels", labels.map((label) => (label === "not a digit" ? t("notADigit") : label)).join(", ")],
    ["hash", el("code", {}, sha256)],
  ];
}

function parity(measured) {
  const rows = Object.entries(MEASURED).filter(([key]) => typeof measured?.[key] === "number");
  if (!rows.length) return [el("p", { class: "hint" }, t("noParity"))];
  const table = el("table", { id: "model-table" },
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, t("measure")), el("th", { scope: "col" }, t("value")))),
    el("tbody", {}, ...rows.map(([key, shown]) =>
      el("tr", {}, el("th", { scope: "row" }, t(key)), el("td", {}, shown(measured[key]))))));
  return [table, measured.split ? el("p", { class: "hint" }, t("parityOn", measured.split)) : null];
}

function reliability(measured) {
  if (!measured?.bins?.length) return el("p", { class: "hint", id: "reliability" }, t("noReliability"));
  const caption = el("figcaption", { class: "hint" }, reliabilityText(measured));
  return el("figure", { id: "reliability" }, reliabilityChart(measured), caption);
}

function training(card) {
  const record = card?.training;
  if (!record) return el("p", { class: "hint" }, t("noTraining"));
  const versions = Object.entries(record.versions ?? {}).map(([name, version]) => `${name} ${version}`);
  return facts([
    ["recipe", record.recipe?.name],
    ["seed", text(record.seed)],
    ["epochs", text(record.epochs)],
    ["parameters", text(record.parameters)],
    ["command", record.command ? el("code", {}, record.command) : null],
    ["commit", record.commit ? el("code", {}, record.commit) : null],
    ["versions", versions.join(", ")],
  ]);
}

const text = (value) => (typeof value === "number" ? number(value) : value);

function raw(card) {
  if (!card) return el("p", { class: "hint" }, t("noCard"));
  const code = el("pre", { tabindex: "0", role: "group", "aria-label": t("rawCard") });
  const details = el("details", { class: "drawer" }, el("summary", {}, t("rawCard")), code);
  details.addEventListener("toggle", () => put(code, details.open ? JSON.stringify(card, null, 1) : ""));
  return details;
}
