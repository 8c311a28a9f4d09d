/**
 * @file What a static folder says of the experiment that it holds: the files that are pinned there take the place of a
 * server's, and where there is a match server, both must have the same experiment. It starts nothing.
 */

/** @typedef {import("../messages.js").Config} Config */

/**
 * @typedef {object} Told the folder's experiment.json; addresses in it are relative to its own
 * @property {1} bundle
 * @property {number} pages how many browsers make a session
 * @property {number | null} seed of every session; null: drawn
 * @property {string | null} server origin of the match server; null: there is none
 * @property {string} distribution
 * @property {Record<string, string>} sprites
 * @property {Config["experiment"]} experiment
 */

/** One bundle. */
export class Bundle {
  #told;
  #base;

  /**
   * @param {Told} told
   * @param {string} base address of the experiment.json that says it
   */
  constructor(told, base) {
    this.#told = told;
    this.#base = base;
  }

  /**
   * Reads the bundle whose experiment.json is at an address.
   *
   * @param {string} url
   * @returns {Promise<Bundle>}
   * @throws {Error} where it cannot be had, or is none
   */
  static async read(url) {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`${url}: the server answered ${response.status}`);
    const told = await response.json();
    if (told?.bundle !== 1 || !told.experiment) throw new Error(`${url} is not of a bundle that this page knows`);
    return new Bundle(told, response.url);
  }

  /** Origin of the match server; null where there is none. */
  get server() {
    return this.#told.server;
  }

  /** Of every session; null: each has one of its own. */
  get seed() {
    return this.#told.seed;
  }

  /** The experiment's name. @returns {string} */
  get name() {
    return this.#told.experiment.settings.name;
  }

  /** Why nobody can play this bundle, for a person to read; empty where it can be played. */
  get fault() {
    const { pages, server } = this.#told;
    if (server !== null || pages === 1) return "";
    return `This experiment is played at ${pages} browsers, which meet through a match server, and this page was made`
      + " without one.\n\nWhoever made it: name the server by --server https://HOST when you bundle it, and let the"
      + ` server know this page by --allow-origin ${globalThis.location?.origin ?? "ORIGIN"}`;
  }

  /**
   * What the worker is told where no server says it: what is played is kept by the page.
   *
   * @param {string} session
   * @returns {Config}
   */
  alone(session) {
    return this.#pinned({ session, ice_servers: [], rtc_configuration: {}, uploads: null });
  }

  /**
   * What the worker is told where a match server says it: the bundle's own files, the server's everything else.
   *
   * @param {Config} config the server's
   * @returns {Config}
   * @throws {Error} where the server has another experiment
   */
  with(config) {
    const server = this.server ?? "";
    const [own, other] = [this.#told.experiment, config.experiment];
    if (canonical(own) !== canonical(other)) {
      const names = new Set([...Object.keys(own.files), ...Object.keys(other.files)]);
      const differing = [...names].filter((name) => own.files[name] !== other.files[name]);
      const what = differing.length > 0 ? differing.sort().join(", ") : "settings";
      throw new Error(`This page and the match server ${server} have different versions of the experiment (${what}). `
        + "Whoever made it: bundle the file that the server serves, with the same version of pyodide_runtime.");
    }
    const { session, ice_servers, rtc_configuration, uploads } = config;
    return this.#pinned({
      session, ice_servers, rtc_configuration, uploads: uploads === null ? null : new URL(uploads, server).href,
    });
  }

  /** @param {Pick<Config, "session" | "ice_servers" | "rtc_configuration" | "uploads">} rest */
  #pinned(rest) {
    const { experiment, sprites, distribution } = this.#told;
    const address = (/** @type {string} */ path) => new URL(path, this.#base).href;
    return {
      ...rest,
      experiment,
      sprites: Object.fromEntries(Object.entries(sprites).map(([name, path]) => [name, address(path)])),
      distribution: address(distribution),
    };
  }
}

/**
 * The text of a JSON value in which the order of an object's fields does not show.
 *
 * @param {any} value
 * @returns {string}
 */
function canonical(value) {
  return JSON.stringify(value, (_name, part) => (
    part && typeof part === "object" && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([one], [other]) => (one < other ? -1 : 1)))
      : part
  ));
}
