/** The page of the HTTP interface: /openapi.json in a form that people read. */
import { getJson } from "./api.js";
import { byId, el, put } from "./dom.js";
import { t, translate } from "./strings.js";

const METHODS = ["get", "post", "put", "patch", "delete", "head", "options"];

translate();
document.title = `${t("apiTitle")} · edge-digits`;
byId("skip").addEventListener("click", () => byId("main").focus());
document.body.classList.add("ready");
getJson("/openapi.json").then(show, (problem) => put(byId("api-notice"), problem.message));

function show(document) {
  const { info = {}, paths = {}, components = {} } = document;
  const resolve = (thing) => (thing?.$ref ? { ...lookUp(document, thing.$ref), ...thing } : thing ?? {});
  byId("api-about").replaceChildren(
    ...prose([info.title, info.version, info.summary].filter(Boolean).join(" · ")), ...prose(info.description));
  const operations = Object.entries(paths).flatMap(([path, item]) =>
    METHODS.filter((method) => method in item).map((method) => operation(method, path, item, resolve)));
  const named = Object.entries(components.schemas ?? {});
  const schemas = named.map(([name, schema]) => drawer([name], json(name, schema)));
  const more = schemas.length ? [el("h2", { class: "part" }, t("schemas")), ...schemas] : [];
  byId("api-operations").replaceChildren(...operations, ...more);
}

function operation(method, path, item, resolve) {
  const spec = item[method];
  const parameters = [...(item.parameters ?? []), ...(spec.parameters ?? [])].map(resolve);
  const title = el("h2", {}, el("span", { class: `method ${method}` }, method.toUpperCase()), " ", el("code", {}, path));
  const content = el("div", {},
    ...prose(spec.description),
    ...(parameters.length ? [el("h3", {}, t("parameterNames")), parameterTable(parameters, path)] : []),
    ...(spec.requestBody ? [el("h3", {}, t("body")), body(resolve(spec.requestBody))] : []),
    el("h3", {}, t("responses")), responseTable(spec.responses ?? {}, path, resolve));
  return drawer([title, el("span", { class: "lead" }, spec.summary ?? "")], content, "operation");
}

function parameterTable(parameters, path) {
  return table(path, t("parameterNames"), [t("name"), t("where"), t("type"), t("meaning")], parameters.map((one) => [
    el("code", {}, one.name),
    one.in,
    typeText(one.schema),
    worded([one.required ? t("required") : "", one.description ?? ""].filter(Boolean).join(": ")),
  ]));
}

function responseTable(responses, path, resolve) {
  const rows = Object.entries(responses).map(([status, answer]) => {
    const response = resolve(answer);
    return [el("code", {}, status), worded(response.description), contents(response.content)];
  });
  return table(path, t("responses"), [t("statusCode"), t("meaning"), t("content")], rows);
}

function body(request) {
  return el("p", {}, [request.description ?? "", contents(request.content)].filter(Boolean).join(" "));
}

function contents(content = {}) {
  const kinds = Object.entries(content).map(([kind, { schema } = {}]) => [kind, typeText(schema)]);
  return kinds.map((parts) => parts.filter(Boolean).join(": ")).join(", ");
}

/** Return a schema in a few words: the name of one that has a name, else its type and limits. */
function typeText(schema) {
  if (!schema) return "";
  if (schema.$ref) return schema.$ref.split("/").at(-1);
  const { type, format, enum: values, minimum, maximum, items, oneOf, anyOf = oneOf, default: usual } = schema;
  const parts = [[type ?? []].flat().join(" | "), format && `(${format})`];
  if (values) parts.push(values.map((value) => JSON.stringify(value)).join(" | "));
  if (minimum !== undefined || maximum !== undefined) parts.push(limits(minimum, maximum));
  if (items) parts.push(`[${typeText(items)}]`);
  if (anyOf) parts.push(anyOf.map(typeText).join(" | "));
  const text = parts.filter(Boolean).join(" ");
  return usual === undefined ? text : `${text}, ${t("standard", JSON.stringify(usual))}`;
}

function limits(minimum, maximum) {
  if (maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER) return `≥ ${minimum}`;
  return minimum === undefined ? `≤ ${maximum}` : `${minimum}–${maximum}`;
}

/** Return a table that scrolls by itself where the page is narrow. */
function table(path, name, heads, rows) {
  const head = el("tr", {}, ...heads.map((text) => el("th", { scope: "col" }, text)));
  const body = rows.map((cells) => el("tr", {}, ...cells.map((cell) => el("td", {}, cell))));
  const whole = el("table", {}, el("thead", {}, head), el("tbody", {}, ...body));
  return el("div", { class: "wide", tabindex: "0", role: "group", "aria-label": `${path}: ${name}` }, whole);
}

/** Return a description as paragraphs. */
function prose(text = "") {
  return text.split(/\n\s*\n/).filter(Boolean).map((part) => el("p", { class: "prose" }, worded(part)));
}

/** Return text in which `this` is code; of the rest of Markdown only the words are kept. */
function worded(text = "") {
  const parts = text.replace(/\[([^\]]+)\]\([^)]*\)/g, "$1").split("`");
  return el("span", {}, ...parts.map((part, i) => (i % 2 ? el("code", {}, part) : part)));
}

function drawer(title, content, kind = "") {
  return el("details", { class: `drawer ${kind}` }, el("summary", {}, ...title), content);
}

function json(name, schema) {
  return el("pre", { tabindex: "0", role: "group", "aria-label": name }, JSON.stringify(schema, null, 2));
}

function lookUp(document, reference) {
  const keys = reference.slice(2).split("/").map((key) => key.replace(/~1/g, "/").replace(/~0/g, "~"));
  return keys.reduce((part, key) => part?.[key], document) ?? {};
}
