/**
 * @file Loads packages, and what an experiment requires: the same steps in a browser's worker and under Node. Python
 * says what of the requirements the distribution has and what is to be installed; it knows no experiment.
 */

/** @typedef {import("pyodide").PyodideAPI} PyodideAPI */

/**
 * Loads packages of the distribution, with what they depend on.
 *
 * @param {PyodideAPI} pyodide
 * @param {string[]} names
 * @throws {Error} naming the packages that did not load, and why
 */
export async function loadPackages(pyodide, names) {
  if (names.length === 0) return;
  /** @type {string[]} */
  const errors = [];
  await pyodide.loadPackage(names, { messageCallback: () => {}, errorCallback: (error) => errors.push(error) });
  const missing = names.filter((name) => !Object.keys(pyodide.loadedPackages).some((loaded) => same(loaded, name)));
  if (errors.length > 0 || missing.length > 0) {
    throw new Error(`packages did not load: ${[...missing, ...errors].join("; ")}`);
  }
}

/**
 * Loads what an experiment requires: from the distribution where it has it, else by micropip.
 *
 * @param {PyodideAPI} pyodide
 * @param {{load: string[], install: string[]}} plan as `plan_requirements` made it
 * @param {import("./loading.js").Loading["stage"]} stage
 * @throws {Error} naming the requirement that cannot be had, and why
 */
export async function loadRequirements(pyodide, { load, install }, stage) {
  await stage("packages", () => loadPackages(pyodide, install.length > 0 ? [...load, "micropip"] : load));
  if (install.length === 0) return;
  await stage("install", async () => {
    const requirements = pyodide.pyimport("pyodide_runtime.requirements");
    try {
      await requirements.install(JSON.stringify(install), JSON.stringify(pyodide.lockfile.packages));
    } finally {
      requirements.destroy();
    }
  });
}

/**
 * @param {string} one
 * @param {string} other
 */
function same(one, other) {
  const plain = (/** @type {string} */ name) => name.toLowerCase().replace(/[-_.]+/g, "-");
  return plain(one) === plain(other);
}
