/** The live view: the newest frame of the server's source, with what was read in it. */
import { getBlob, getJson, sleep } from "./api.js";
import { cropDrawer } from "./crops.js";
import { byId, download, put } from "./dom.js";
import { eventList } from "./events.js";
import { showLines, showTimes } from "./lines.js";
import { paint } from "./overlay.js";
import { conditionText, duration, number, t } from "./strings.js";

const WAIT = 10; // seconds that the server may take to answer, once it has sent the state of the source
const IDLE = 1000; // milliseconds between questions at least, while there is nothing new
const FIRST_PAUSE = 1000, LONGEST_PAUSE = 30_000; // milliseconds until the server is tried again

/** Return the view. */
export function live() {
  const canvas = byId("live-canvas");
  const showCrops = cropDrawer(byId("live-crops"), byId("live-crops-list"));
  const events = eventList(byId("live-events"));
  let after = 0;
  let shown = null; // { image, reading }: the frame on the canvas
  let running = null; // its AbortController
  let paused = false;
  let visible = false;

  showTimes(byId("live-ms"), null);
  showLines(byId("live-lines"), [], t("noLines"));
  put(byId("live-state"), t("connecting"));
  byId("live-full").hidden = !document.fullscreenEnabled;
  byId("live-full").addEventListener("click", fullScreen);
  byId("live-save").addEventListener("click", save);
  byId("live-rejected").addEventListener("change", repaint);
  byId("live-pause").addEventListener("click", () => {
    paused = !paused;
    put(byId("live-pause"), t(paused ? "goOn" : "pause"));
    if (paused) stop();
    else start();
  });
  document.addEventListener("fullscreenchange", () => {
    byId("live-full").setAttribute("aria-pressed", String(document.fullscreenElement !== null));
  });
  new ResizeObserver(repaint).observe(byId("live-stage"));

  function start() {
    if (running || paused || !visible) return;
    running = new AbortController();
    follow(running.signal);
  }

  function stop() {
    running?.abort();
    running = null;
  }

  async function follow(signal) {
    let pause = FIRST_PAUSE;
    let wait = 0;
    while (!signal.aborted) {
      const asked = performance.now();
      try {
        const answer = await getJson(`/api/live?after=${after}&wait=${wait}`, signal);
        if (signal.aborted) return;
        pause = FIRST_PAUSE;
        wait = WAIT;
        tell(answer);
        if (answer.state !== "none") events.open();
        if (answer.reading) await take(answer, signal);
        else await sleep(Math.max(0, IDLE - performance.now() + asked), signal);
        after = answer.number; // lower than it was where the server has been started anew
      } catch (problem) {
        if (signal.aborted) return;
        after = wait = 0;
        events.close();
        put(byId("live-notice"), t("retrying", problem.message, number(pause / 1000)));
        if (!shown) put(byId("live-state"), problem.message);
        await sleep(pause, signal);
        pause = Math.min(2 * pause, LONGEST_PAUSE);
      }
    }
  }

  /** Show a frame: picture and boxes together, so that they are always those of one frame. */
  async function take(answer, signal) {
    let image;
    try {
      image = await createImageBitmap(await getBlob(`/snapshot.jpg?number=${answer.number}&boxes=0`, signal));
    } catch (problem) {
      if (signal.aborted || problem.status === 410) return; // gone already: the next one will do
      throw problem;
    }
    if (signal.aborted) return;
    shown?.image.close();
    shown = { image, reading: answer.reading };
    byId("live-over").hidden = true;
    repaint();
    showLines(byId("live-lines"), answer.reading.lines);
    showTimes(byId("live-ms"), answer.reading.ms);
    showCrops(answer.crops);
  }

  function repaint() {
    if (shown && visible) paint(canvas, shown.image, shown.reading, byId("live-rejected").checked);
  }

  function tell({ state, source, note, fps, dropped, age_ms: age, board }) {
    const none = state === "none";
    byId("live-how").hidden = !none;
    if (!shown) put(byId("live-state"), t(none ? "stateNone" : state === "waiting" ? "stateWaiting" : "connecting"));
    put(byId("live-fps"), fps === null ? "–" : number(fps, 1));
    put(byId("live-age"), age === null || age === undefined ? "–" : duration(age));
    put(byId("live-dropped"), none ? "–" : number(dropped));
    const degrees = board?.temperature ?? null;
    put(byId("live-temperature"), degrees === null ? "–" : t("celsius", number(degrees)));
    put(byId("live-source"), source === null ? "" : t("source", source));
    const slow = board?.throttled?.length ? t("throttled", board.throttled.map(conditionText).join(", ")) : "";
    const ended = state === "ended" ? t("stateEnded") : "";
    put(byId("live-notice"), [none ? t("otherTabs") : "", note ?? "", ended, slow].filter(Boolean).join(" · "));
  }

  function fullScreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else byId("live-bench").requestFullscreen().catch(() => {});
  }

  function save() {
    if (!shown) put(byId("live-notice"), t("nothingToSave"));
    else canvas.toBlob((blob) => download(blob, `edge-digits-${shown.reading.frame}.png`), "image/png");
  }

  return {
    show() {
      visible = true;
      repaint();
      start();
    },
    hide() {
      visible = false;
      stop();
      events.close();
    },
  };
}
