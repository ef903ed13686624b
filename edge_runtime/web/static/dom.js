/** Elements, made and filled without markup: whatever text comes from outside stays text. */

export const byId = (id) => document.getElementById(id);

/** Return a new element; children are elements or texts, those that are null are left out. */
export function el(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

/** Return a new SVG element. */
export function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

/** Set an element's text, only where it changes: a live region then speaks only when there is something new. */
export function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Let the browser download a blob under this name. */
export function download(blob, name) {
  const link = el("a", { href: URL.createObjectURL(blob), download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}
