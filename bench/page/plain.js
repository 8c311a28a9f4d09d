/**
 * @file The plain way to an environment in a browser, to compare with: a worker that does `loadPyodide`, `loadPackage` and
 * an import, as Pyodide's documentation shows it. The time at which the environment is ready to be played is left in
 * `window.readyAt`, in milliseconds since the navigation; what the worker reports of its steps in `window.steps`.
 */

const worker = new Worker("plain_worker.js", { type: "module" });
globalThis.steps = [];

/** @param {{packages: string[], files: Record<string, string>, code: string}} request */
globalThis.begin = (request) => worker.postMessage(request);

worker.onmessage = ({ data }) => {
  if (data.type === "step") globalThis.steps.push([data.name, performance.now()]);
  else if (data.type === "ready") globalThis.readyAt = performance.now();
  else globalThis.failure = data.error;
};
worker.onerror = (event) => { globalThis.failure = event.message; };

const request = await (await fetch("/plain.json")).json();
globalThis.begin(request);
