/**
 * @file One player's part in one match, from joining the room to the end: it holds the line to the server, the
 * worker, the links, the keys and the picture together, and hands messages from one to the other. It knows the
 * phases and nothing of the game; the page's looks are play.js's.
 */

import { TO_PAGE, faultOf } from "../messages.js";
import { Picture } from "./canvas.js";
import { carry } from "./carrying.js";
import { takeWorker } from "./early.js";
import { sayGoodbye } from "./goodbye.js";
import { Keeping } from "./keeping.js";
import { Keyboard } from "./keyboard.js";
import { openLine } from "./line.js";
import { Links } from "./links.js";
import { Progress } from "./progress.js";
import { Relay, parseRelayed } from "./relay.js";

/** @typedef {import("../messages.js").About} About */
/** @typedef {import("../messages.js").Config} Config */
/** @typedef {import("../messages.js").Phase} Phase */
/** @typedef {import("../messages.js").Start} Start */
/** @typedef {import("./handlers.js").ConnectionOptions} ConnectionOptions */
/** @typedef {import("./handlers.js").Handlers} Handlers */

/**
 * How packets go to another page: not yet, directly, through the server, or no more, because it has left.
 *
 * @typedef {"connecting" | import("../messages.js").Way} LinkState
 */

/** @typedef {Record<string, number> & {links?: Record<string, LinkState>}} Stats */

/** Most characters of an error that the server is told: for people, and in full. */
const LONGEST = Object.freeze({ error: 4000, text: 16_000 });

const { begun, ended } = Progress;

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
  #relay;
  /** @type {Map<number, LinkState>} */
  #linkStates = new Map();
  #keeping = new Keeping((message, transfer) => this.#post(message, transfer));
  #key = "";
  #rejoining = false;
  /** @type {Keyboard | undefined} */
  #keyboard;
  #progress = new Progress();
  /** @type {Float64Array} */
  #values = new Float64Array(0);
  #count = 0;
  /** Signals of pages that heard of the start first. @type {{from: number, data: any}[]} */
  #early = [];
  #sprites = Promise.resolve();
  #leave = () => sayGoodbye((message) => this.#post(message));

  /** @param {ConnectionOptions & Handlers} options */
  constructor(options) {
    this.#on = options;
    this.#options = { server: location.origin, proxyChannels: false, watch: false, ...options };
    this.#picture = new Picture(options.canvas, (text) => this.#warn(text), () => this.#stage(ended("picture")));
    for (const news of [begun("page", 0), ended("page"), begun("join")]) this.#stage(news);
    this.#worker = takeWorker(options.early, (data) => this.#fromWorker(data), ({ message = "" }) => {
      this.#fail(`The worker could not run${message ? `: ${message}` : ""}.`, message);
    });
    this.#socket = openLine(this.#options, {
      message: (message) => this.#fromServer(message),
      packet: (data) => this.#relayed(data),
      lost: () => this.#on.onLine?.("lost"),
      closed: () => this.#lineLost(),
      log: (text) => console.warn(text),
    });
    this.#relay = new Relay(this.#socket);
    window.addEventListener("pagehide", this.#leave);
  }

  /**
   * The parts of the start-up, in the order in which they began; times in milliseconds since the navigation. The last,
   * "picture", goes from the moment when all are ready to the first playable frame on the canvas.
   */
  get stages() {
    return this.#progress.stages;
  }

  /** How each channel reaches the worker: by player and name, "transferred" or "proxied". */
  get channels() {
    return this.#links?.ways ?? {};
  }

  /** Whether this page only watches. */
  get watching() {
    return this.#options.watch;
  }

  /**
   * The newest numbers of the match, by name, and in `links` how packets go to each other page, by its index; empty
   * until there are any.
   *
   * @returns {Stats}
   */
  stats() {
    const names = this.about?.stats.slice(0, this.#values.length) ?? [];
    const numbers = Object.fromEntries(names.map((name, at) => [name, this.#values[at] ?? NaN]));
    const links = names.length > 0 && { links: Object.fromEntries(this.#linkStates) };
    return /** @type {Stats} */ (/** @type {unknown} */ ({ ...numbers, ...links }));
  }

  /** The data that the page keeps where no server does; null elsewhere. */
  get data() {
    return this.config?.uploads === null ? this.#keeping : null;
  }

  /** Leaves the match for good: the others are told as well as can be, and everything is released. */
  close() {
    this.#leave();
    window.removeEventListener("pagehide", this.#leave);
    this.#keyboard?.stop();
    this.#picture.stop();
    this.#links?.close();
    this.#socket.close();
    this.#worker.terminate();
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
        this.#key = message.key;
        this.#stage(ended("join"));
        this.#on.onJoined?.(message.running);
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
        this.#links?.left(message.index, message.lost);
        break;
      case "rejoined":
        this.#expect(message.index, message.incarnation);
        break;
      case "resumed":
        this.#relay.resume();
        this.#links?.resume();
        this.#on.onLine?.("open");
        break;
      case "verdict":
        this.#post(message);
        break;
      case "refused":
        this.#links?.abandon();
        this.#fail(message.error, message.error);
        if (this.start) this.#worker.terminate();
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
    if (!this.#rejoining) this.#take(message); // what follows is of a match that goes on elsewhere
  }

  /** @param {import("../messages.js").ToPage} message */
  #take(message) {
    switch (message.type) {
      case "stage": {
        const { name, bytes, total, start, end } = message;
        const since = performance.timeOrigin;
        const times = { start: start - since, end: end === null ? null : end - since };
        this.#stage((all) => all.update({ name, bytes, total, ...times }));
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
        console.info(`link to player ${message.peer}: ${message.state}${message.reason ? `, ${message.reason}` : ""}`);
        this.#on.onLinks?.(this.#linkStates);
        break;
      case "rejoin":
        console.info(`the page is loaded again: ${message.detail}`);
        this.#rejoining = true;
        this.#on.onRejoin?.();
        window.location.reload();
        break;
      case "fetch":
        void carry(message);
        break;
      case "appeal":
        this.#socket.send(message);
        break;
      case "paused":
        this.#on.onPaused?.(message.players);
        break;
      case "trouble":
        this.#links?.trouble(message.peer, message.open);
        break;
      case "peers":
        this.#on.onPeers?.(new Map(message.peers.map(({ peer, state }) => [peer, state])), message.on_drop);
        break;
      case "catching_up":
        this.#on.onCatchingUp?.(message.share);
        break;
      case "relay":
        this.#relay.send(message);
        break;
      case "packet":
        this.#links?.send(message.peer, message.channel, message.data);
        break;
      case "chunk":
      case "exported":
        this.#keeping.take(message);
        break;
      case "log":
        console.info(message.text);
        break;
      case "failed":
        this.#links?.close();
        this.#fail(message.error, message.text);
        // What is kept here is made a table of there.
        if (this.#keeping.empty) this.#worker.terminate();
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
    const { config, about } = this, { iceTransportPolicy: policy } = this.#options;
    if (!config || !about || this.start || this.phase === "failed") return;
    this.start = start;
    this.#stage(begun("picture"));
    this.#socket.keep(this.#key);
    this.#post({ type: "start", start });
    this.#links = new Links({
      index: start.index,
      incarnation: start.incarnation,
      configuration: {
        iceServers: config.ice_servers ?? [],
        ...config.rtc_configuration,
        ...(policy && { iceTransportPolicy: policy }),
      },
      proxy: this.#options.proxyChannels,
      signal: (to, data) => this.#socket.send({ type: "signal", to, data }),
      post: (message, transfer) => this.#post(message, transfer),
      log: (text) => console.info(text),
    });
    for (const { index, incarnation } of start.peers) this.#expect(index, incarnation);
    for (const { from, data } of this.#early.splice(0)) this.#links.signal(from, data);
    this.#on.onLinks?.(this.#linkStates);
    if (this.watching) return;
    this.#keyboard = new Keyboard(about.keys, {
      key: (key, down) => this.#post({ type: "key", key, down }),
      focus: (focused) => this.#post({ type: "focus", focused }),
      visibility: (hidden) => this.#post({ type: "visibility", hidden }),
    });
    this.#post({ type: "focus", focused: this.#keyboard.focused });
    if (this.#keyboard.hidden) this.#post({ type: "visibility", hidden: true });
  }

  /**
   * @param {number} index
   * @param {number} incarnation
   */
  #expect(index, incarnation) {
    if (!this.#links?.add(index, incarnation)) return;
    this.#linkStates.set(index, "connecting");
    this.#on.onLinks?.(this.#linkStates);
  }

  /** @param {ArrayBuffer} data */
  #relayed(data) {
    const packet = parseRelayed(data);
    if (packet) this.#post({ type: "relayed", ...packet }, [packet.data]);
    else console.warn("the server sent bytes that are no packet");
  }

  #lineLost() {
    if (this.phase === "loading" || this.phase === "waiting") {
      this.#fail("The connection to the server was lost. Reload the page to try again.", "the WebSocket closed");
    } else {
      console.info("the connection to the server was lost; the match goes on without it");
      this.#on.onLine?.("closed");
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
    // With the match's outcome, too: the page may be gone before the worker has uploaded it.
    const [short, full] = [error.slice(0, LONGEST.error), text.slice(0, LONGEST.text)];
    this.#socket.send({ type: "failed", error: short, text: full, outcome: more?.outcome ?? null });
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

  /** @param {(progress: Progress) => void} news */
  #stage(news) {
    news(this.#progress);
    const { fraction, label } = this.#progress;
    this.#on.onProgress?.({ fraction, label });
  }
}
