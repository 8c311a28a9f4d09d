/**
 * @file Starts Python in a browser's worker, as fast as the distribution allows: from a memory image where one fits,
 * else the plain way. All downloads begin at once, and their bytes are counted in the stages of the start-up. What is
 * loaded, and in which order, is `loading.js`'s.
 */

import { chooseImage } from "./image.js";
import { loadCore, loadImage } from "./loading.js";
import { countingFetch } from "./stages.js";

/** @typedef {import("./image.js").About} About */

const scope = globalThis;

/** One start of Python. While it lasts, whatever is fetched is counted. */
export class Starting {
  /** The stage in which downloads are counted that are no file of the lock. */
  name = "core";
  #distribution;
  #stages;
  #log;
  #plain = scope.fetch;

  /**
   * @param {string} distribution address of the folder, ending in a slash
   * @param {import("./stages.js").Stages} stages
   * @param {(text: string) => void} log gets what Python prints, and why it starts as it does
   */
  constructor(distribution, stages, log) {
    this.#distribution = distribution;
    this.#stages = stages;
    this.#log = log;
  }

  /**
   * Starts Python with what the bridge serves, and maybe with packages that are required.
   *
   * @param {string[]} requirements of the experiment
   * @returns {Promise<{pyodide: import("pyodide").PyodideAPI, lock: string}>} and the text of the distribution's lock
   * @throws {Error} where a file is missing, or the lock does not name the bridge's package
   */
  async python(requirements) {
    const distribution = this.#distribution;
    const engine = import(`${distribution}pyodide.mjs`);
    const createModule = import(`${distribution}pyodide.asm.mjs`).then((module) => module.default);
    const [lock, images] = await this.#stages.run("lock", () => Promise.all([
      this.#read("pyodide-lock.json"),
      this.#read("images.json").catch(() => '{"images": []}'),
    ]));
    const { packages } = JSON.parse(lock);
    const about = chooseImage(JSON.parse(images).images, packages, requirements);
    this.#count(packages);
    const { loadPyodide } = await engine;
    const pyodide = await this.#fastest({
      loadPyodide,
      distribution,
      lock,
      stage: this.#stages.run.bind(this.#stages),
      options: { stdout: this.#log, stderr: this.#log },
    }, createModule, about);
    return { pyodide, lock };
  }

  /** Counts no more. */
  done() {
    scope.fetch = this.#plain;
  }

  /**
   * @param {import("./loading.js").Loading} loading
   * @param {Promise<any>} createModule
   * @param {About | undefined} about
   */
  async #fastest(loading, createModule, about) {
    if (!about) {
      this.#log("no memory image fits what is required: Python starts the plain way");
      return loadCore(loading);
    }
    const bytes = this.#image(about);
    bytes.catch(() => {}); // it is reported where it is waited for, if Pyodide has not failed before
    try {
      const pyodide = await loadImage(loading, { about, createModule, bytes });
      this.#log(`Python started from the memory image ${about.file}`);
      return pyodide;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#log(`the memory image ${about.file} cannot be used (${reason}): Python starts the plain way`);
      for (const name of ["image", "waking"]) this.#stages.end(name);
      return loadCore(loading);
    }
  }

  /**
   * Reads an image, whose bytes are counted as they come: a copy of the answer to count by would take as long as the
   * image itself.
   *
   * @param {About} about
   * @returns {Promise<Uint8Array>}
   */
  async #image({ file, sha256, bytes: size }) {
    const stages = this.#stages;
    stages.begin("image");
    stages.expect("image", size);
    const response = await this.#plain.call(scope, `${this.#distribution}${file}?sha256=${sha256}`);
    if (!response.ok || !response.body) throw new Error(`the server answered ${response.status}`);
    const bytes = new Uint8Array(size);
    let filled = 0;
    const reader = response.body.getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      if (filled + part.value.length > size) throw new Error(`it has more than ${size} bytes`);
      bytes.set(part.value, filled);
      filled += part.value.length;
      stages.add("image", part.value.length);
    }
    stages.end("image");
    return bytes;
  }

  /**
   * @param {Record<string, {file_name: string, name: string}> | undefined} packages
   */
  #count(packages) {
    const names = new Map(Object.values(packages ?? {})
      .map(({ file_name: file, name }) => [new URL(file, this.#distribution).href, `package ${name}`]));
    scope.fetch = countingFetch(this.#plain.bind(scope), this.#stages, (url) => {
      const name = names.get(new URL(url, this.#distribution).href);
      return name ? { name, whole: true } : { name: this.name, whole: false };
    });
  }

  /**
   * @param {string} file
   * @returns {Promise<string>}
   */
  async #read(file) {
    const url = `${this.#distribution}${file}`;
    const response = await this.#plain.call(scope, url);
    if (!response.ok) throw new Error(`${url}: the server answered ${response.status}`);
    return response.text();
  }
}
