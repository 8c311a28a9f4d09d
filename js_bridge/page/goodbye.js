/**
 * @file How a page goes: its worker has one tick left to say goodbye and to send what it has. It knows nothing else
 *   of either.
 */

/** Most milliseconds that a page which goes waits for its worker's last tick. */
const LONGEST_GOODBYE = 150;

/**
 * Tells the worker that this page goes. A worker dies with its page, in Firefox at once, so the page stays for as
 * long as the worker's last tick takes, where the two can share memory.
 *
 * @param {(message: import("../messages.js").ToWorker) => void} post to the worker
 */
export function sayGoodbye(post) {
  if (typeof SharedArrayBuffer === "undefined") {
    post({ type: "leave" });
    return;
  }
  const done = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  post({ type: "leave", done });
  const latest = performance.now() + LONGEST_GOODBYE;
  while (Atomics.load(done, 0) === 0 && performance.now() < latest);
}
