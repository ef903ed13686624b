/** The texts of the page in the visitor's language. */
import { english } from "./english.js";
import { japanese } from "./japanese.js";

const TEXTS = { en: english, ja: japanese };

/** The first language that the visitor prefers and the page has: "en" or "ja". */
export const language = (navigator.languages ?? [navigator.language])
  .map((name) => name.slice(0, 2).toLowerCase())
  .find((name) => name in TEXTS) ?? "en";

/** Whether there is a text of this name. */
export const has = (key) => Object.hasOwn(TEXTS[language], key);

/** Return the text of this name, with the values in place of {0}, {1}, ... */
export function t(key, ...values) {
  if (!has(key)) throw new Error(`no text named ${key}`);
  return TEXTS[language][key].replace(/\{(\d)\}/g, (_, i) => String(values[i]));
}

/** Return the reason of a rejection in words; one that the page does not know stays as it is. */
export const reasonText = (reason) => (has(reason) ? t(reason) : reason);

/** Return what the board says of itself in words, as "throttled since boot". */
export function conditionText(state) {
  const [, condition, when] = /^(.+) (now|since boot)$/.exec(state) ?? [];
  return has(`board ${condition}`) ? t(`board ${when}`, t(`board ${condition}`)) : state;
}

/** Write the texts into a page: data-t names an element's text, data-t-label its aria-label. */
export function translate(root = document) {
  document.documentElement.lang = language;
  for (const element of root.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
  for (const element of root.querySelectorAll("[data-t-label]")) {
    element.setAttribute("aria-label", t(element.dataset.tLabel));
  }
}

/** Return a number in words of the language, with so many decimals. */
export function number(value, decimals = 0) {
  return value.toLocaleString(language, { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

/** Return a share, 0 to 1, in percent with so many decimals. */
export const percent = (share, decimals = 0) => `${number(100 * share, decimals)}%`;

/** Return milliseconds, with a decimal where they are few. */
export const milliseconds = (ms) => t("ms", number(ms, ms < 9.95 ? 1 : 0));

/** Return milliseconds as such, or as seconds where they are many. */
export const duration = (ms) => (ms < 1000 ? t("ms", number(ms)) : t("seconds", number(ms / 1000, 1)));
