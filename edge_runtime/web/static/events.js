/** The last events of the source: which lines appeared, changed and went. */
import { el } from "./dom.js";
import { mark } from "./lines.js";
import { language, t } from "./strings.js";

const KEPT = 20;
const KINDS = ["appeared", "changed", "gone"];
const FIRST_PAUSE = 2000, LONGEST_PAUSE = 30_000; // milliseconds until it is tried again, where the browser gives up

/** Return what shows events in a list while it is open: `open()`, `close()`, both again and again. */
export function eventList(list) {
  const parts = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };
  const time = new Intl.DateTimeFormat(language, parts);
  const events = []; // {id, event}, the newest first
  let stream = null;
  let pause = FIRST_PAUSE;
  let timer = null;
  list.append(el("li", { class: "hint" }, t("noEvents")));

  function open() {
    if (stream || timer) return;
    stream = new EventSource(`/api/events?history=${KEPT}`);
    for (const kind of KINDS) stream.addEventListener(kind, take);
    stream.addEventListener("open", () => { pause = FIRST_PAUSE; });
    stream.addEventListener("error", () => {
      if (stream?.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
      close();
      timer = setTimeout(() => { timer = null; open(); }, pause);
      pause = Math.min(2 * pause, LONGEST_PAUSE);
    });
  }

  function close() {
    clearTimeout(timer);
    stream?.close();
    stream = timer = null;
  }

  function take({ data, lastEventId }) {
    if (events.some(({ id }) => id === lastEventId)) return; // sent again after a reconnection
    events.unshift({ id: lastEventId, event: JSON.parse(data) });
    events.splice(KEPT);
    list.replaceChildren(...events.map(({ event }) => item(event))); // all anew: nothing is seen to move
  }

  function item(event) {
    const text = { appeared: [event.text], changed: [event.previous, event.text], gone: [event.previous] }[event.event];
    const moment = el("time", { datetime: event.captured_at }, time.format(new Date(event.captured_at)));
    return el("li", { class: event.event }, moment, el("span", {}, t(event.event, ...text) + (event.text ? mark(event.confidence) : "")));
  }

  return { open, close };
}
