/**
 * @file Brings Python up with `pyodide_runtime`, from a memory image or the plain way: the same steps in a browser's
 * worker and under Node. It knows no experiment.
 */

import { Image, compileLibraries, placeFiles, restore } from "./image.js";
import { loadPackages } from "./packages.js";

/** @typedef {import("pyodide").PyodideAPI} PyodideAPI */

/**
 * @typedef {object} Loading
 * @property {(options: object) => Promise<PyodideAPI>} loadPyodide of the distribution's own `pyodide.mjs`
 * @property {string} distribution URL or path of the folder, ending in a slash
 * @property {string} lock the text of its `pyodide-lock.json`
 * @property {<T>(name: string, work: () => T | Promise<T>) => Promise<T>} stage runs a part of the start-up
 * @property {object} [options] more for `loadPyodide`
 */

/**
 * @typedef {object} Chosen a memory image that Python is to start from
 * @property {import("./image.js").About} about
 * @property {import("./image.js").Source} download
 * @property {Promise<(settings: object) => Promise<any>>} createModule of the distribution's own `pyodide.asm.mjs`
 */

/**
 * Python's environment variables: equal on every peer, so that sets of text are laid out alike.
 */
export const ENVIRONMENT = Object.freeze({ HOME: "/home/pyodide", PYTHONHASHSEED: "0" });

/** The package that the bridge serves, by its name in the lock. */
const OWN_PACKAGE = "pyodide-runtime";

/**
 * Loads Pyodide's core and the package that the bridge serves.
 *
 * @param {Loading} loading
 * @returns {Promise<PyodideAPI>}
 * @throws {Error} where a file is missing, or the lock does not name the package
 */
export async function loadCore({ loadPyodide, distribution, lock, stage, options }) {
  checkLock(distribution, lock);
  const pyodide = await stage("core", () => loadPyodide(settings(distribution, lock, options)));
  await loadPackages(pyodide, [OWN_PACKAGE]);
  return pyodide;
}

/**
 * Does what {@link loadCore} does, and loads the packages of a memory image, by reading that image. Python is then
 * where it was when the image was made, but for what must differ: see `pyodide_runtime.awakening`.
 *
 * @param {Loading} loading
 * @param {Chosen} chosen
 * @returns {Promise<PyodideAPI>}
 * @throws {Error} where the image cannot be used here; {@link loadCore} may do then
 */
export async function loadImage(loading, { about, download, createModule }) {
  const { loadPyodide, distribution, lock, stage, options } = loading;
  checkLock(distribution, lock);
  /** @type {any} */
  let module;
  const reading = Image.read(download);
  const compiling = reading.then(compileLibraries);
  compiling.catch(() => {}); // told where it is waited for
  const pyodide = await stage("core", () => loadPyodide({
    ...settings(distribution, lock, options),
    _loadSnapshot: Uint8Array.from(atob(about.head), (letter) => letter.charCodeAt(0)),
    createPyodideModule: async (/** @type {object} */ core) => {
      module = await (await createModule)(core);
      await restore(module, await reading, await compiling);
      return module;
    },
  }));
  await stage("waking", async () => {
    // It reads no file, so it need not wait for them.
    const awakening = pyodide.pyimport("pyodide_runtime.awakening");
    awakening.wake_up();
    awakening.destroy();
    placeFiles(module, await reading);
    await download.until();
    const loaded = /** @type {Record<string, string>} */ (pyodide.loadedPackages);
    for (const name of Object.keys(about.packages)) loaded[name] = "default channel";
  });
  return pyodide;
}

/**
 * @param {string} distribution
 * @param {string} lock
 * @param {object | undefined} options
 */
function settings(distribution, lock, options) {
  return {
    indexURL: distribution,
    packageBaseUrl: distribution,
    lockFileContents: lock,
    env: { ...ENVIRONMENT },
    ...options,
  };
}

/**
 * @param {string} distribution
 * @param {string} lock
 */
function checkLock(distribution, lock) {
  if (Object.hasOwn(JSON.parse(lock).packages ?? {}, OWN_PACKAGE)) return;
  throw new Error(`the lock of ${distribution} does not name ${OWN_PACKAGE}: lay the distribution out again`);
}
