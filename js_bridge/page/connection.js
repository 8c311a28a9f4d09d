/**
 * @file One player's part in one match, from joining the room to the end: it holds the line to the server, the
 * worker, the links, the keys and the picture together, and hands messages from one to the other. It knows the
 * phases and nothing of the game; the page's looks are play.js's.
 */

import { TO_PAGE, faultOf } from "../messages.js";
import { Picture } from "./canvas.js";
import { Keyboard } from "./keyboard.js";
import { Links } from "./links.js";
import { Progress } from "./progress.js";
import { Socket, socketUrl } from "./socket.js";

/** @typedef {import("../messages.js").About} About */
/** @typedef {import("../messages.js").Config} Config */
/** @typedef {import("../messages.js").Phase} Phase */
/** @typedef {import("../messages.js").Stage} Stage */
/** @typedef {import("../messages.js").Start} Start */
/** @typedef {import("./socket.js").Player} Player */

/** @typedef {"connecting" | "open" | "closed"} LinkState */

/**
 * @typedef {object} Handlers called when something changed that a person may want to see; all may be left out
 * @property {(phase: Phase) => void} [onPhase] `error`, `outcome` and `detail` of the connection are set by then
 * @property {(progress: {fraction: number, label: string}) => void} [onProgress] fraction from 0 to 1
 * @property {(about: About) => void} [onAbout] the experiment has been opened
 * @property {(players: Player[], count: number) => void} [onPlayers] who is in the room, and how many it takes
 * @property {(links: ReadonlyMap<number, LinkState>) => void} [onLinks] by the other players' indices
 * @property {(players: readonly string[]) => void} [onPaused] all wait for these, whose pages are hidden; none: no more
 * @property {(text: string) => void} [onWarning] something could not be drawn
 */

/**
 * @typedef {object} ConnectionOptions
 * @property {string} room
 * @property {string} playerId
 * @property {HTMLCanvasElement} canvas it fills its parent as far as the picture's proportions allow
 * @property {string} [server] address of the server; default: the page's own
 * @property {boolean} [proxyChannels] let the page relay all packets; default: only where it has to
 */

/** Most characters of an error that the server is told. */
const LONGEST_ERROR = 20_000;

/** Most milliseconds that a page which goes waits for its worker's last tick. */
const LONGEST_GOODBYE = 150;

/** A player in a room. Made by `connect`. */
export class Connection {
  /** @type {Phase} */
  phase = "loading";
  /** What went wrong, in one message; null while nothing has. @type {string | null} */
  error = null;
  /** How the match ended, such as "completed"; null until it has. @type {string | null} */
  outcome = null;
  /** More about the outcome, for a person to read. */
  detail = "";
  /** What the experiment says of itself; null until it has been opened. @type {About | null} */
  about = null;
  /** What the server said on joining. @type {Config | null} */
  config = null;
  /** What the server said when the match began. @type {Start | null} */
  start = null;
  #on;
  #options;
  #socket;
  #worker;
  #picture;
  /** @type {Links | undefined} */
  #links;
  /** @type {Map<number, LinkState>} */
  #linkStates = new Map();
  /** @type {Keyboard | undefined} */
  #keyboard;
  #progress = new Progress();
  /** @type {Float64Array} */
  #values = new Float64Array(0);
  #count = 0;
  /** Signals of pages that heard of the start before this one did. @type {{from: number, data: any}[]} */
  #early = [];
  #sprites = Promise.resolve();
  #leave = () => this.#sayGoodbye();

  /** @param {ConnectionOptions & Handlers} options */
  constructor(options) {
    this.#on = options;
    this.#options = { server: location.origin, proxyChannels: false, ...options };
    this.#picture = new Picture(options.canvas, (text) => this.#warn(text));
    this.#stage({ name: "join", bytes: 0, total: null, start: performance.now(), end: null });
    const entry = new URL("../worker/worker.js", import.meta.url);
    this.#worker = new Worker(entry, { type: "module", name: "pyodide_runtime" });
    this.#worker.onmessage = ({ data }) => this.#fromWorker(data);
    this.#worker.onerror = (event) => {
      event.preventDefault?.();
      this.#fail(`The worker could not run${event.message ? `: ${event.message}` : ""}.`, event.message ?? "");
    };
    this.#worker.onmessageerror = () => console.warn("a message of the worker could not be read");
    this.#socket = new Socket(socketUrl(options.room, options.playerId, this.#options.server), {
      message: (message) => this.#fromServer(message),
      closed: () => this.#lineLost(),
      log: (text) => console.warn(text),
    });
    window.addEventListener("pagehide", this.#leave);
  }

  /** The parts of the start-up, in order; times in milliseconds since the navigation. */
  get stages() {
    return this.#progress.stages;
  }

  /** How each channel reaches the worker: by player and name, "transferred" or "proxied". */
  get channels() {
    return this.#links?.ways ?? {};
  }

  /**
   * The newest numbers of the match, by name; empty until there are any.
   *
   * @returns {Record<string, number>}
   */
  stats() {
    const names = this.about?.stats.slice(0, this.#values.length) ?? [];
    return Object.fromEntries(names.map((name, at) => [name, this.#values[at] ?? NaN]));
  }

  /** Leaves the match for good: the others are told as well as can be, and everything is released. */
  close() {
    this.#leave();
    window.removeEventListener("pagehide", this.#leave);
    this.#keyboard?.stop();
    this.#picture.stop();
    this.#socket.close();
    this.#links?.close();
    this.#worker.terminate();
  }

  /**
   * Tells the worker that this page goes. A worker dies with its page, in Firefox at once, so the page stays for as
   * long as the worker's last tick takes, where the two can share memory.
   */
  #sayGoodbye() {
    if (typeof SharedArrayBuffer === "undefined") {
      this.#post({ type: "leave" });
      return;
    }
    const done = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    this.#post({ type: "leave", done });
    const latest = performance.now() + LONGEST_GOODBYE;
    while (Atomics.load(done, 0) === 0 && performance.now() < latest);
  }

  /**
   * @param {import("../messages.js").ToWorker} message
   * @param {Transferable[]} [transfer]
   */
  #post(message, transfer = []) {
    this.#worker.postMessage(message, transfer);
  }

  /** @param {import("./socket.js").FromServer} message */
  #fromServer(message) {
    switch (message.type) {
      case "joined":
        this.config = message.config;
        this.#count = message.player_count;
        this.#endStage("join");
        this.#post({ type: "load", config: message.config });
        this.#sprites = this.#picture.loadSprites(message.config.sprites);
        break;
      case "roster":
        this.#on.onPlayers?.(message.players, this.#count);
        break;
      case "start":
        this.#begin(message.start);
        break;
      case "signal":
        if (this.#links) this.#links.signal(message.from, message.data);
        else this.#early.push(message);
        break;
      case "left":
        // Whoever has gone says goodbye on the link itself, or falls silent there; only where there is none yet
        // would nobody ever know.
        if (this.#linkStates.get(message.index) === "connecting") {
          this.#post({ type: "link_failed", peer: message.index, error: "the other player left" });
        }
        break;
      case "refused":
        this.#fail(message.error, message.error);
        break;
      case "error":
        console.warn(`the server did not take a message: ${message.error}`);
        break;
    }
  }

  /** @param {any} message */
  #fromWorker(message) {
    const fault = faultOf(TO_PAGE, message);
    if (fault) {
      console.warn(`the worker sent ${fault}`);
      return;
    }
    this.#take(message);
  }

  /** @param {import("../messages.js").ToPage} message */
  #take(message) {
    switch (message.type) {
      case "stage": {
        const { name, bytes, total, start, end } = message;
        const since = performance.timeOrigin;
        this.#stage({ name, bytes, total, start: start - since, end: end === null ? null : end - since });
        break;
      }
      case "ready":
        void this.#ready(message.about);
        break;
      case "view":
        this.#picture.show(message.payload);
        break;
      case "stats":
        this.#values = message.values;
        break;
      case "phase":
        if (message.phase === "failed") {
          this.#fail(message.error ?? message.detail ?? "The match failed.", message.error ?? "", message);
        } else {
          this.#enter(message.phase, message);
        }
        break;
      case "link":
        this.#linkStates.set(message.peer, message.state);
        if (message.error) console.info(`link to player ${message.peer}: ${message.error}`);
        this.#on.onLinks?.(this.#linkStates);
        break;
      case "paused":
        this.#on.onPaused?.(message.players);
        break;
      case "packet":
        this.#links?.send(message.peer, message.channel, message.data);
        break;
      case "log":
        console.info(message.text);
        break;
      case "failed":
        this.#links?.close();
        this.#fail(message.error, message.text);
        this.#worker.terminate();
        break;
    }
  }

  /** @param {About} about */
  async #ready(about) {
    if (this.phase === "failed") return;
    this.about = about;
    this.#on.onAbout?.(about);
    await this.#sprites;
    if (this.phase !== "loading") return;
    this.#enter("waiting");
    this.#socket.send({ type: "ready" });
  }

  /** @param {Start} start */
  #begin(start) {
    const { config, about } = this;
    if (!config || !about || this.start || this.phase === "failed") return;
    this.start = start;
    this.#post({ type: "start", start });
    const peers = start.players.map(({ index }) => index).filter((index) => index !== start.index);
    for (const peer of peers) this.#linkStates.set(peer, "connecting");
    this.#links = new Links({
      index: start.index,
      peers,
      configuration: { iceServers: config.ice_servers ?? [], ...config.rtc_configuration },
      proxy: this.#options.proxyChannels,
      signal: (to, data) => this.#socket.send({ type: "signal", to, data }),
      post: (message, transfer) => this.#post(message, transfer),
      log: (text) => console.info(text),
    });
    for (const { from, data } of this.#early.splice(0)) this.#links.signal(from, data);
    this.#keyboard = new Keyboard(about.keys, {
      key: (key, down) => this.#post({ type: "key", key, down }),
      focus: (focused) => this.#post({ type: "focus", focused }),
      visibility: (hidden) => this.#post({ type: "visibility", hidden }),
    });
    this.#post({ type: "focus", focused: this.#keyboard.focused });
    if (this.#keyboard.hidden) this.#post({ type: "visibility", hidden: true });
    this.#on.onLinks?.(this.#linkStates);
  }

  #lineLost() {
    if (this.phase === "loading" || this.phase === "waiting") {
      this.#fail("The connection to the server was lost. Reload the page to try again.", "the WebSocket closed");
    } else {
      console.info("the connection to the server was lost; the match goes on without it");
    }
  }

  /** @param {string} text */
  #warn(text) {
    console.warn(text);
    this.#on.onWarning?.(text);
  }

  /**
   * @param {string} error
   * @param {string} text in full
   * @param {{outcome?: string, detail?: string}} [more]
   */
  #fail(error, text, more) {
    if (this.phase === "failed") return;
    console.error(text || error);
    this.error = error;
    const full = text.includes(error) ? text : `${error}\n${text}`.trim();
    // With the match's outcome, too: the page may be gone before the worker has uploaded it.
    this.#socket.send({ type: "failed", error: full.slice(0, LONGEST_ERROR), outcome: more?.outcome ?? null });
    this.#enter("failed", more);
  }

  /**
   * @param {Phase} phase
   * @param {{outcome?: string, detail?: string}} [more]
   */
  #enter(phase, { outcome, detail } = {}) {
    if (this.phase === "failed" || (this.phase === "finished" && phase !== "failed")) return;
    this.phase = phase;
    this.outcome = outcome ?? this.outcome;
    this.detail = detail ?? this.detail;
    if (phase === "finished" || phase === "failed") this.#keyboard?.stop();
    this.#on.onPhase?.(phase);
  }

  /** @param {Stage} stage */
  #stage(stage) {
    this.#progress.update(stage);
    const { fraction, label } = this.#progress;
    this.#on.onProgress?.({ fraction, label });
  }

  /** @param {string} name */
  #endStage(name) {
    const stage = this.#progress.stages.find((known) => known.name === name);
    if (stage) this.#stage({ ...stage, end: performance.now() });
  }
}
