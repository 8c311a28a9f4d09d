/**
 * Tells the worker that this page goes. A worker dies with its page, in Firefox at once, so the page stays for as
 * long as the worker's last tick takes, where the two can share memory.
 *
 * @param {(message: import("../messages.js").ToWorker) => void} post to the worker
 */
export function sayGoodbye(post: (message: import("../messages.js").ToWorker) => void): void;
