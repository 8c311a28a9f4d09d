/**
 * @file Brings Python up by the very steps of the product's own worker, and calls functions of `bench.inside` in it.
 */

import { loadCore, loadPackages } from "/bridge/worker/loading.js";

/** @type {import("pyodide").PyodideAPI} */
let pyodide;

const say = (text) => self.postMessage({ type: "said", text });

/** @param {{packages: string[], files: Record<string, string>}} request */
async function open({ packages, files }) {
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

self.onmessage = async ({ data }) => {
  try {
    if (!self.crossOriginIsolated) throw new Error("this page is not isolated, so its clock is a coarse one");
    self.postMessage({ type: "done", value: await (data.open ? open(data.open) : call(data.call)) });
  } catch (error) {
    self.postMessage({ type: "failed", error: error instanceof Error ? error.message : String(error) });
  }
};
