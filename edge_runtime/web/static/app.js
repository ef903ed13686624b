/** The page: its tabs, which view is shown, and the language. */
import { camera } from "./camera.js";
import { byId } from "./dom.js";
import { draw } from "./draw.js";
import { live } from "./live.js";
import { modelCard } from "./model.js";
import { pictures } from "./pictures.js";
import { t, translate } from "./strings.js";

translate();
// Each view has show() and hide(): what is hidden asks the server for nothing and uses no camera.
const views = { live: live(), draw: draw(), pictures: pictures(), camera: camera(), model: modelCard() };
const names = Object.keys(views);
let current = null;

function show(name) {
  if (name === current) return;
  if (current && !document.hidden) views[current].hide();
  if (current) window.scrollTo({ top: 0, behavior: "instant" }); // or the bar hides where the next one begins
  current = name;
  for (const other of names) {
    const tab = byId(`tab-${other}`);
    tab.setAttribute("aria-selected", String(other === name));
    tab.tabIndex = other === name ? 0 : -1;
    byId(`panel-${other}`).hidden = other !== name;
  }
  document.title = `${t(name)} · edge-digits`;
  if (!document.hidden) views[name].show();
}

function route() {
  const name = location.hash.slice(1);
  show(names.includes(name) ? name : names[0]);
}

function move(event) {
  const here = names.indexOf(current);
  const to = {
    ArrowRight: (here + 1) % names.length,
    ArrowLeft: (here + names.length - 1) % names.length,
    Home: 0,
    End: names.length - 1,
  }[event.key];
  if (to === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  location.hash = names[to];
  show(names[to]);
  byId(`tab-${names[to]}`).focus();
}

for (const name of names) {
  const tab = byId(`tab-${name}`);
  tab.addEventListener("click", () => { location.hash = name; });
  tab.addEventListener("keydown", move);
}
byId("skip").addEventListener("click", (event) => {
  event.preventDefault(); // the address after # names the view
  byId("main").focus();
});
window.addEventListener("hashchange", route);
window.addEventListener("pagehide", () => views[current].hide());
window.addEventListener("pageshow", (event) => event.persisted && views[current].show());
document.addEventListener("visibilitychange", () => (document.hidden ? views[current].hide() : views[current].show()));
route();
document.body.classList.add("ready");
