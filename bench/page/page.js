/**
 * @file Passes what is to be measured to a module worker, and hands out what it answers. Everything is measured in the
 * worker; this page only waits.
 */

const worker = new Worker("worker.js", { type: "module" });

/** @type {{resolve: (value: unknown) => void, reject: (error: Error) => void} | undefined} */
let waiting;

worker.onmessage = ({ data }) => {
  if (data.type === "said") console.info(data.text);
  else if (data.type === "done") waiting?.resolve(data.value);
  else waiting?.reject(new Error(data.error));
};
worker.onerror = (event) => waiting?.reject(new Error(event.message));

/**
 * Has the worker do one thing, and waits for its answer.
 *
 * @param {object} request
 */
globalThis.ask = (request) => new Promise((resolve, reject) => {
  waiting = { resolve, reject };
  worker.postMessage(request);
});
