/** Requests to the server. Whatever goes wrong becomes a Problem, whose message is one line for the person. */
import { t, has } from "./strings.js";

const PATIENCE = 30_000; // milliseconds for an answer, over what the server was asked to wait

/** What went wrong. `status` is 0 where no answer came; `retryAfter` is in seconds, null where nothing was said. */
export class Problem extends Error {
  constructor(status, detail = "", retryAfter = null) {
    super(line(status, detail));
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/** Return the answer's JSON. */
export const getJson = (path, signal) => ask(path, { signal }, (response) => response.json());

/** Return the answer's bytes as a blob. */
export const getBlob = (path, signal) => ask(path, { signal }, (response) => response.blob());

/** Have a picture read: `blob` is any picture, `query` "crops=1" or "explain=1". Returns the record. */
export function read(blob, query, signal) {
  const headers = { "Content-Type": blob.type || "application/octet-stream" };
  return ask(`/api/read?${query}`, { method: "POST", body: blob, headers, signal }, (response) => response.json());
}

let known = null;

/** Return what /api/model tells; the server is asked once. */
export function model() {
  known ??= getJson("/api/model").catch((problem) => {
    known = null;
    throw problem;
  });
  return known;
}

/** Wait so many milliseconds, or until the signal aborts. */
export function sleep(ms, signal) {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", done);
  });
}

async function ask(path, options, parse) {
  const control = new AbortController();
  const abort = () => control.abort();
  const timer = setTimeout(abort, PATIENCE);
  options.signal?.addEventListener("abort", abort);
  if (options.signal?.aborted) abort();
  try {
    const response = await fetch(path, { ...options, signal: control.signal });
    if (!response.ok) throw await problemOf(response);
    return await parse(response);
  } catch (error) {
    throw error instanceof Problem ? error : new Problem(0);
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener("abort", abort);
  }
}

async function problemOf(response) {
  const problem = await response.json().catch(() => ({}));
  const wait = Number.parseFloat(response.headers.get("Retry-After"));
  const detail = String(problem.detail ?? problem.title ?? response.status);
  return new Problem(response.status, detail, Number.isFinite(wait) ? wait : null);
}

function line(status, detail) {
  if (status === 0) return t("away");
  return has(`problem${status}`) ? t(`problem${status}`, detail) : t("problemOther", detail || status);
}
