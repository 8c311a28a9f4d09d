/**
 * @file Brings Python up under Node from a distribution folder, by the same steps as in a browser's worker. The
 * host's folders are there under their own names, so that a script finds its files as under CPython.
 */

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

import { explain } from "../failure.js";
import { ENVIRONMENT, loadCore, loadImage } from "../worker/loading.js";
import { loadPackages, loadRequirements } from "../worker/packages.js";

/** @typedef {import("pyodide").PyodideAPI} PyodideAPI */

/** A mistake of whoever called, in one sentence. */
export class UsageError extends Error {}

/**
 * Loads Pyodide, `pyodide_runtime` and packages by name.
 *
 * @param {string} folder the distribution
 * @param {string[]} [packages] names in its lock
 * @param {string} [image] the name of a memory image to start from; without one Python starts the plain way
 * @returns {Promise<PyodideAPI>} Python's standard output and error are the process's own, byte for byte
 * @throws {UsageError} where the folder is no distribution, or has no such package or image
 * @throws {Error} where the image is damaged, or cannot be used by this Node
 */
export async function loadDistribution(folder, packages = [], image = undefined) {
  const distribution = `${resolve(folder)}/`;
  for (const file of ["pyodide.mjs", "pyodide-lock.json"]) {
    if (!existsSync(`${distribution}${file}`)) {
      throw new UsageError(`${folder} is no distribution: it lacks ${file}; "python -m wheels lay-out" makes one`);
    }
  }
  const lock = readFileSync(`${distribution}pyodide-lock.json`, "utf8");
  for (const name of packages) {
    if (!Object.hasOwn(JSON.parse(lock).packages, name)) throw new UsageError(`${folder} has no package "${name}"`);
  }
  const { loadPyodide } = await import(pathToFileURL(`${distribution}pyodide.mjs`).href);
  /** @type {import("../worker/loading.js").Loading} */
  const loading = {
    loadPyodide,
    distribution,
    lock,
    stage: async (_name, work) => work(),
    options: { packageCacheDir: distribution },
  };
  const pyodide = await (image === undefined ? loadCore(loading) : loadImage(loading, openImage(distribution, image)));
  await loadPackages(pyodide, packages);
  return withHost(pyodide);
}

/**
 * @param {string} distribution
 * @param {string} name
 * @returns {import("../worker/loading.js").Chosen}
 */
function openImage(distribution, name) {
  const index = `${distribution}images.json`;
  /** @type {import("../worker/image.js").About[]} */
  const images = existsSync(index) ? JSON.parse(readFileSync(index, "utf8")).images : [];
  const about = images.find((one) => one.name === name);
  if (!about) {
    const known = images.map((one) => one.name).join(", ") || "none";
    throw new UsageError(`${distribution} has no memory image "${name}"; it has: ${known}`);
  }
  const bytes = new Uint8Array(readFileSync(`${distribution}${about.file}`));
  if (createHash("sha256").update(bytes).digest("hex") !== about.sha256) {
    throw new Error(`${distribution}${about.file} has another hash than its entry in images.json: lay out again`);
  }
  const createModule = import(pathToFileURL(`${distribution}pyodide.asm.mjs`).href).then((module) => module.default);
  return { about, download: { bytes, until: async () => {} }, createModule };
}

/**
 * Loads Python itself, from a folder that need not have a lock: for what is done before there is one.
 *
 * @param {string} folder Pyodide's core files
 * @returns {Promise<PyodideAPI>} as {@link loadDistribution} gives it, without any package
 */
export async function loadBare(folder) {
  const distribution = `${resolve(folder)}/`;
  const { loadPyodide } = await import(pathToFileURL(`${distribution}pyodide.mjs`).href);
  const { info } = JSON.parse(readFileSync(`${distribution}pyodide-lock.json`, "utf8"));
  const pyodide = await loadPyodide({
    indexURL: distribution,
    lockFileContents: JSON.stringify({ info, packages: {} }),
    env: { ...ENVIRONMENT },
  });
  return withHost(pyodide);
}

/**
 * Loads what the environment of a record requires.
 *
 * @param {PyodideAPI} pyodide
 * @param {string} record path of the file
 * @throws {Error} the record cannot be read, in Python's words
 */
export async function loadRecordRequirements(pyodide, record) {
  const rerun = pyodide.pyimport("pyodide_runtime.rerun");
  try {
    const plan = JSON.parse(rerun.plan_requirements(record, JSON.stringify(pyodide.lockfile)));
    await loadRequirements(pyodide, plan, async (_name, work) => work());
  } catch (error) {
    throw new Error(explain(error).error, { cause: error });
  } finally {
    rerun.destroy();
  }
}

/**
 * Runs a function of Python with the process's exit status.
 *
 * @param {PyodideAPI} pyodide
 * @param {string} code the body of a function of `arguments`, a list of strings
 * @param {string[]} values
 * @returns {number} the status to exit with: 0, what `SystemExit` says, or 1 with the traceback on standard error
 */
export function runPython(pyodide, code, values) {
  const body = code.split("\n").map((line) => `        ${line}`).join("\n");
  const globals = pyodide.toPy({});
  const list = pyodide.toPy(values);
  try {
    pyodide.runPython(`
import sys, traceback
def run(arguments):
    try:
${body}
        status = 0
    except SystemExit as exit:
        if exit.code is not None and not isinstance(exit.code, int):
            print(exit.code, file=sys.stderr)
        status = exit.code if isinstance(exit.code, int) else int(exit.code is not None)
    except BaseException:
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return status
`, { globals });
    const run = globals.get("run");
    const status = run(list);
    run.destroy();
    return status;
  } finally {
    list.destroy();
    globals.destroy();
  }
}

/**
 * Takes an option that is given as `--name value` out of a list of arguments.
 *
 * @param {string[]} values shortened in place
 * @param {string} name
 * @returns {string | undefined}
 * @throws {UsageError} where its value is missing
 */
export function option(values, name) {
  const at = values.indexOf(name);
  if (at === -1) return undefined;
  const [, value] = values.splice(at, 2);
  if (value === undefined) throw new UsageError(`${name} needs a value`);
  return value;
}

/**
 * Runs a command's main function and exits with its status; a mistake of the caller's is one line and status 2.
 *
 * @param {() => Promise<number>} main
 */
export async function command(main) {
  try {
    process.exitCode = await main();
  } catch (error) {
    const usage = error instanceof UsageError;
    writeAll(2, Buffer.from(`${error instanceof Error ? error.message : String(error)}\n`));
    process.exitCode = usage ? 2 : 1;
  }
}

/**
 * @param {PyodideAPI} pyodide
 * @returns {PyodideAPI} the same, with the process's output and the host's files
 */
function withHost(pyodide) {
  pyodide.setStdout({ write: (bytes) => writeAll(1, bytes), isatty: false });
  pyodide.setStderr({ write: (bytes) => writeAll(2, bytes), isatty: false });
  mountHost(pyodide);
  return pyodide;
}

/**
 * Makes the host's files reachable under their own paths, and the working directory the same, as far as Pyodide does
 * not use a path itself.
 *
 * @param {PyodideAPI} pyodide
 */
function mountHost(pyodide) {
  const { FS } = pyodide;
  const own = ["dev", "home", "lib", "proc", "sys"];
  const mount = (/** @type {string} */ path) => {
    if (FS.analyzePath(path).exists && path !== "/tmp") return;
    pyodide.mountNodeFS(path, path);
  };
  for (const { name } of folders("/").filter((entry) => !own.includes(entry.name))) mount(`/${name}`);
  for (const { name } of folders("/home")) mount(`/home/${name}`);
  if (FS.analyzePath(process.cwd()).exists) FS.chdir(process.cwd());
}

/** @param {string} path */
function folders(path) {
  return existsSync(path) ? readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isDirectory()) : [];
}

/**
 * @param {number} descriptor
 * @param {Uint8Array} bytes
 * @returns {number} how many bytes were written: all
 */
function writeAll(descriptor, bytes) {
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(descriptor, bytes, at);
    } catch (error) {
      // A pipe whose reader is slower than we are.
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== "EAGAIN") throw error;
    }
  }
  return bytes.length;
}
