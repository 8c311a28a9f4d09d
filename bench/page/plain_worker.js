/**
 * @file Loads Pyodide, packages and an environment the plain way, and makes the environment's first step.
 */

const fail = (error) => self.postMessage({ type: "failed", error });
const step = (name) => self.postMessage({ type: "step", name });

self.onmessage = async ({ data: { packages, files, code } }) => {
  try {
    const { loadPyodide } = await import("/pyodide/pyodide.mjs");
    const pyodide = await loadPyodide({ env: { HOME: "/home/pyodide", PYTHONHASHSEED: "0" } });
    step("loadPyodide");
    await pyodide.loadPackage(packages, { messageCallback: () => {}, errorCallback: fail });
    step("loadPackage");
    for (const [name, text] of Object.entries(files)) pyodide.FS.writeFile(`/home/pyodide/${name}`, text);
    pyodide.runPython(code);
    step("environment");
    self.postMessage({ type: "ready" });
  } catch (error) {
    fail(error instanceof Error ? error.message : String(error));
  }
};
