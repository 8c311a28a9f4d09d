/**
 * @file Starts Python in a browser's worker, as fast as the distribution allows: from a memory image where one fits,
 * else the plain way. All downloads begin at once, and their bytes are counted in the stages of the start-up. What is
 * loaded, and in which order, is `loading.js`'s.
 */

import { Download } from "./download.js";
import { chooseImage } from "./image.js";
import { loadCore, loadImage } from "./loading.js";
import { countingFetch } from "./stages.js";

/** @typedef {import("./image.js").About} About */

/** @typedef {{about: About, download: Download}} Chosen an image on its way */

const scope = globalThis;

/** One start of Python. While it lasts, whatever is fetched is counted. */
export class Starting {
  /** The stage in which downloads are counted that are no file of the lock. */
  name = "core";
  #distribution;
  #stages;
  #log;
  #ask;
  #plain = scope.fetch;
  #engine;
  #createModule;
  #lists;
  #core;
  #library;
  /** @type {Chosen | undefined} */
  #image;
  /** @type {Promise<Chosen | undefined>} */
  #chosen = Promise.resolve(undefined);

  /**
   * Begins the downloads that every start needs.
   *
   * @param {string} distribution address of the folder, ending in a slash
   * @param {import("./stages.js").Stages} stages
   * @param {(text: string) => void} log gets what Python prints, and why it starts as it does
   * @param {(order: import("../messages.js").ToPage, transfer: Transferable[]) => void} ask lets the page fetch a file
   */
  constructor(distribution, stages, log, ask) {
    this.#distribution = distribution;
    this.#ask = ask;
    this.#stages = stages;
    this.#log = log;
    stages.begin("core");
    this.#engine = import(`${distribution}pyodide.mjs`);
    this.#createModule = import(`${distribution}pyodide.asm.mjs`).then((module) => module.default);
    this.#core = this.#fetch("pyodide.asm.wasm").then(compiled);
    this.#library = this.#fetch("python_stdlib.zip");
    this.#lists = this.#stages.run("lock", () => Promise.all([
      this.#read("pyodide-lock.json"),
      this.#read("images.json").catch(() => '{"images": []}'),
    ]));
    for (const begun of [this.#engine, this.#createModule, this.#core, this.#library, this.#lists]) {
      begun.catch(() => {}); // what fails is told by whoever waits for it
    }
  }

  /** Where it loads from. */
  get distribution() {
    return this.#distribution;
  }

  /**
   * Begins to download the image for what is required, unless that is being done.
   *
   * @param {string[]} requirements of the experiment
   */
  choose(requirements) {
    this.#chosen = this.#choice(requirements);
    this.#chosen.catch(() => {});
  }

  /**
   * Starts Python with what the bridge serves, and maybe with packages that are required.
   *
   * @returns {Promise<{pyodide: import("pyodide").PyodideAPI, lock: string}>} and the text of the distribution's lock
   * @throws {Error} where a file is missing, or the lock does not name the bridge's package
   */
  async python() {
    const distribution = this.#distribution;
    const [lock] = await this.#lists;
    const chosen = await this.#chosen;
    this.#count(JSON.parse(lock).packages);
    const { loadPyodide } = await this.#engine;
    const pyodide = await this.#fastest({
      loadPyodide,
      distribution,
      lock,
      stage: this.#stages.run.bind(this.#stages),
      options: { stdout: this.#log, stderr: this.#log },
    }, chosen);
    return { pyodide, lock };
  }

  /** Counts no more. */
  done() {
    scope.fetch = this.#plain;
  }

  /**
   * @param {import("./loading.js").Loading} loading
   * @param {Chosen | undefined} chosen
   */
  async #fastest(loading, chosen) {
    if (!chosen) {
      this.#log("no memory image fits what is required: Python starts the plain way");
      return loadCore(loading);
    }
    const { file } = chosen.about;
    try {
      const pyodide = await loadImage(loading, { createModule: this.#createModule, ...chosen });
      this.#log(`Python started from the memory image ${file}`);
      return pyodide;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#log(`the memory image ${file} cannot be used (${reason}): Python starts the plain way`);
      for (const name of ["image", "waking"]) this.#stages.end(name);
      return loadCore(loading);
    }
  }

  /**
   * @param {string[]} requirements
   * @returns {Promise<Chosen | undefined>}
   */
  async #choice(requirements) {
    const [lock, images] = await this.#lists;
    const about = chooseImage(JSON.parse(images).images, JSON.parse(lock).packages ?? {}, requirements);
    if (about && this.#image?.about.file !== about.file) this.#image = { about, download: this.#download(about) };
    return about && this.#image;
  }

  /** @param {About} about */
  #download(about) {
    const { file, sha256, bytes, pieces } = about;
    const stages = this.#stages;
    stages.begin("image");
    stages.expect("image", bytes);
    const { port1, port2 } = new MessageChannel();
    const url = `${this.#distribution}${file}?sha256=${sha256}`;
    this.#ask({ type: "fetch", url, bytes, pieces, port: port2 }, [port2]);
    const download = new Download(bytes, port1, (arrived) => stages.add("image", arrived));
    download.until().then(() => stages.end("image"), () => {}); // what fails is told by whoever waits for it
    return download;
  }

  /** @param {Record<string, {file_name: string, name: string}> | undefined} packages */
  #count(packages) {
    const address = (/** @type {string} */ file) => new URL(file, this.#distribution).href;
    const names = new Map(Object.values(packages ?? {})
      .map(({ file_name: file, name }) => [address(file), `package ${name}`]));
    const counted = countingFetch(this.#plain.bind(scope), this.#stages, (url) => {
      const name = names.get(address(url));
      return name ? { name, whole: true } : { name: this.name, whole: false };
    });
    /** What has been fetched already, until Pyodide asks for it. @type {Map<string, Promise<Response>>} */
    const ahead = new Map([
      [address("python_stdlib.zip"), this.#library],
      [address("pyodide.asm.wasm"), Promise.resolve(new Response(null))],
    ]);
    scope.fetch = (input, init) => {
      const url = address(input instanceof Request ? input.url : String(input));
      const known = ahead.get(url);
      ahead.delete(url);
      return known ?? counted(input, init);
    };
    const { instantiateStreaming } = WebAssembly;
    WebAssembly.instantiateStreaming = async (_, imports) => {
      // The first module that is asked for is the core, which has been compiled on the way.
      WebAssembly.instantiateStreaming = instantiateStreaming;
      const module = await this.#core;
      return { module, instance: await WebAssembly.instantiate(module, imports) };
    };
  }

  /**
   * Fetches a file of the core before Pyodide asks for it. It is not counted on a copy: a browser keeps the compiled
   * form of a module only if its answer comes as it is.
   *
   * @param {string} file
   */
  async #fetch(file) {
    const response = await this.#plain.call(scope, `${this.#distribution}${file}`);
    if (!response.ok) throw new Error(`${this.#distribution}${file}: the server answered ${response.status}`);
    const length = Number(response.headers.get("content-length"));
    if (length > 0 && !response.headers.get("content-encoding")) {
      this.#stages.expect("core", length);
      this.#stages.add("core", length);
    }
    return response;
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

/**
 * The module in an answer; while it arrives, unless the server calls it something else than WebAssembly.
 *
 * @param {Response} response
 * @returns {Promise<WebAssembly.Module>}
 */
async function compiled(response) {
  const streams = response.headers.get("content-type") === "application/wasm";
  return streams ? WebAssembly.compileStreaming(response) : WebAssembly.compile(await response.arrayBuffer());
}
