/** The camera view: frames of the visitor's own camera, read by the server one after the other. */
import { read, sleep } from "./api.js";
import { cropDrawer } from "./crops.js";
import { byId, el, put } from "./dom.js";
import { showLines, showTimes } from "./lines.js";
import { paint } from "./overlay.js";
import { duration, number, t } from "./strings.js";

const WIDEST = 1280; // pixels of a frame that is sent
const QUALITY = 0.85; // of its JPEG
const LEAST = 100; // milliseconds from one frame to the next
const SHORT_PAUSE = 1000, LONGEST_PAUSE = 15_000; // milliseconds after something went wrong
const PROBLEMS = {
  NotAllowedError: "cameraDenied",
  SecurityError: "cameraDenied",
  NotFoundError: "cameraMissing",
  OverconstrainedError: "cameraMissing",
};

/** Return the view. */
export function camera() {
  const video = byId("camera-video");
  const canvas = byId("camera-canvas");
  const choice = byId("camera-device");
  const showCrops = cropDrawer(byId("camera-crops"), byId("camera-crops-list"));
  let stream = null;
  let running = null; // the AbortController of what is going on
  let shown = null; // { image, record }: the frame on the canvas
  let resume = false; // whether to go on once the page is seen again

  showTimes(byId("camera-ms"), null);
  showLines(byId("camera-lines"), [], t("noLines"));
  byId("camera-start").addEventListener("click", () => start());
  byId("camera-stop").addEventListener("click", () => {
    byId("camera-start").focus(); // the focus does not get lost with the button
    stop();
  });
  byId("camera-rejected").addEventListener("change", repaint);
  choice.addEventListener("change", () => start(choice.value));
  new ResizeObserver(repaint).observe(canvas);

  async function start(device = null) {
    stop();
    if (!navigator.mediaDevices?.getUserMedia) return say(t("cameraInsecure"));
    const mine = (running = new AbortController());
    say("");
    try {
      const which = device ? { deviceId: { exact: device } } : { facingMode: { ideal: "environment" } };
      const opened = await navigator.mediaDevices.getUserMedia({
        audio: false,
        video: { ...which, width: { ideal: WIDEST }, height: { ideal: 720 } },
      });
      if (mine.signal.aborted) return free(opened); // stopped while the person was asked
      stream = opened;
      stream.getVideoTracks()[0].addEventListener("ended", () => {
        stop();
        say(t("cameraGone"));
      });
      video.srcObject = stream;
      await video.play();
      byId("camera-stop").disabled = false;
      byId("camera-over").hidden = true;
      await list();
      await follow(mine.signal);
    } catch (error) {
      if (mine.signal.aborted) return;
      stop();
      say(t(PROBLEMS[error.name] ?? "cameraBusy"));
    }
  }

  function stop() {
    running?.abort();
    free(stream);
    running = stream = video.srcObject = null;
    byId("camera-stop").disabled = true;
  }

  /** Name the cameras to choose from, where there are several. */
  async function list() {
    const devices = (await navigator.mediaDevices.enumerateDevices()).filter(({ kind }) => kind === "videoinput");
    const used = stream?.getVideoTracks()[0]?.getSettings().deviceId;
    choice.replaceChildren(
      ...devices.map(({ deviceId, label }, i) =>
        el("option", { value: deviceId, selected: deviceId === used }, label || t("deviceNumber", i + 1))),
    );
    byId("camera-pick").hidden = devices.length < 2;
  }

  async function follow(signal) {
    let pause = SHORT_PAUSE;
    let before = null;
    while (!signal.aborted) {
      const sent = performance.now();
      try {
        const image = grab(video);
        const blob = image && (await new Promise((resolve) => image.toBlob(resolve, "image/jpeg", QUALITY)));
        if (blob) {
          const record = await read(blob, "crops=1", signal);
          if (signal.aborted) return;
          show(image, record, performance.now() - sent, before === null ? null : sent - before);
          before = sent;
          pause = SHORT_PAUSE;
          say("");
        }
      } catch (problem) {
        if (signal.aborted) return;
        say(problem.message);
        await sleep(problem.retryAfter === null ? pause : 1000 * problem.retryAfter, signal);
        pause = Math.min(2 * pause, LONGEST_PAUSE);
      }
      await sleep(Math.max(0, LEAST - performance.now() + sent), signal);
    }
  }

  function show(image, record, took, since) {
    shown = { image, record };
    repaint();
    showLines(byId("camera-lines"), record.lines);
    showTimes(byId("camera-ms"), record.ms);
    put(byId("camera-time"), duration(took));
    put(byId("camera-fps"), since ? number(1000 / since, 1) : "–");
    showCrops(record.crops);
  }

  function repaint() {
    if (shown && canvas.clientWidth) paint(canvas, shown.image, shown.record, byId("camera-rejected").checked);
  }

  return {
    show() {
      if (!navigator.mediaDevices?.getUserMedia) say(t("cameraInsecure"));
      repaint();
      if (resume) start();
      resume = false;
    },
    hide() {
      resume = running !== null && document.hidden; // only the page was left, not the view
      stop();
    },
  };
}

/** Return the video's frame on a new canvas, at most WIDEST wide; null where there is none yet. */
function grab(video) {
  const { videoWidth, videoHeight } = video;
  if (!videoWidth || video.readyState < video.HAVE_CURRENT_DATA) return null;
  const scale = Math.min(1, WIDEST / videoWidth);
  const image = el("canvas", { width: Math.round(videoWidth * scale), height: Math.round(videoHeight * scale) });
  image.getContext("2d").drawImage(video, 0, 0, image.width, image.height);
  return image;
}

function free(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

function say(text) {
  put(byId("camera-notice"), text);
}
