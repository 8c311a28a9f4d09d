/**
 * @file The worker in which Python runs. The page's first lines may have made it, before any module was there, so that
 * Python loads meanwhile (`play.html`); else it is made here. It reads no message.
 */

/**
 * @typedef {object} Early a worker that was made before
 * @property {Worker} worker
 * @property {(MessageEvent | ErrorEvent)[]} heard what it has said and nobody has taken yet, in order
 */

/**
 * Makes the worker, or takes over the one that is there, with what it has said so far.
 *
 * @param {Early | undefined} early
 * @param {(data: any) => void} take gets every message; none before this has returned
 * @param {(error: ErrorEvent) => void} fail the worker cannot run
 * @returns {Worker}
 */
export function takeWorker(early, take, fail) {
  const entry = new URL("../worker/worker.js", import.meta.url);
  const worker = early?.worker ?? new Worker(entry, { type: "module", name: "pyodide_runtime" });
  worker.onmessage = ({ data }) => take(data);
  worker.onerror = (event) => {
    event.preventDefault?.();
    fail(event);
  };
  worker.onmessageerror = () => console.warn("a message of the worker could not be read");
  queueMicrotask(() => {
    for (const event of early?.heard.splice(0) ?? []) {
      if ("data" in event) take(event.data);
      else fail(event);
    }
  });
  return worker;
}
