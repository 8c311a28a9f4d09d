/**
 * @file Brings Python up by the very steps of the product's own worker, and calls functions of `bench.inside` in it.
 */

import { loadCore } from "/bridge/worker/loading.js";
import { loadPackages } from "/bridge/worker/packages.js";

/** @type {import("pyodide").PyodideAPI} */
let pyodide;
/** Of `bench.inside.messages`, once it is asked for. @type {((text: string) => string) | undefined} */
let operate;

const say = (text) => self.postMessage({ type: "said", text });

/** @param {{packages: string[], files: Record<string, string>, isolated: boolean}} request */
async function open({ packages, files, isolated }) {
  // A page that is not isolated has a coarse clock and no memory to share.
  if (self.crossOriginIsolated !== isolated) throw new Error(`this page is ${isolated ? "not " : ""}isolated`);
  const distribution = new URL("/pyodide/", self.location.origin).href;
  const { loadPyodide } = await import(`${distribution}pyodide.mjs`);
  const lock = await (await fetch(`${distribution}pyodide-lock.json`)).text();
  const stage = async (_name, work) => work();
  pyodide = await loadCore({ loadPyodide, distribution, lock, stage, options: { stdout: say, stderr: say } });
  await loadPackages(pyodide, packages);
  for (const [name, text] of Object.entries(files)) {
    const path = `/home/pyodide/${name}`;
    pyodide.FS.mkdirTree(path.slice(0, path.lastIndexOf("/")));
    pyodide.FS.writeFile(path, text);
  }
  pyodide.pyimport("pyodide_runtime");
  return { pyodide: pyodide.version, python: pyodide.runPython("import platform; platform.python_version()") };
}

/** @param {{module: string, name: string, values: object}} request */
async function call({ module, name, values }) {
  const found = pyodide.pyimport(module);
  try {
    return JSON.parse(found[name](JSON.stringify(values)));
  } finally {
    found.destroy();
  }
}

/** @param {{bytes: number, memory?: SharedArrayBuffer, round?: number}} request */
function pass({ bytes, memory, round = 0 }) {
  const made = new Uint8Array(bytes).fill(round);
  if (!memory) {
    self.postMessage({ type: "done", value: made.buffer }, [made.buffer]);
    return;
  }
  new Uint8Array(memory, 4).set(made);
  const flag = new Int32Array(memory, 0, 1);
  Atomics.store(flag, 0, round);
  Atomics.notify(flag, 0);
}

self.onmessage = async ({ data }) => {
  try {
    if (data.pass) {
      pass(data.pass);
    } else if (data.operate) {
      operate ??= pyodide.pyimport("bench.inside.messages").operate;
      self.postMessage({ type: "done", value: operate(data.operate) });
    } else {
      self.postMessage({ type: "done", value: await (data.open ? open(data.open) : call(data.call)) });
    }
  } catch (error) {
    self.postMessage({ type: "failed", error: error instanceof Error ? error.message : String(error) });
  }
};
