/**
 * @file The page's line to the server: who is in the room, when the match starts, what the other pages need to
 * connect, and packets that go through the server. A line that is lost in a match is opened again, into the same
 * seat. It knows the messages' form and nothing of what follows from them.
 */

import { FROM_SERVER, faultOf } from "../messages.js";

/** @typedef {import("../messages.js").Config} Config */
/** @typedef {import("../messages.js").Start} Start */

/** @typedef {{player_id: string, index: number, ready: boolean}} Player */

/**
 * @typedef {{type: "joined", player_id: string, index: number, player_count: number, key: string,
 *     running: boolean, config: Config}
 *   | {type: "roster", players: Player[]}
 *   | {type: "start", start: Start}
 *   | {type: "signal", from: number, data: any}
 *   | {type: "left", index: number, lost: boolean}
 *   | {type: "rejoined", index: number, incarnation: number}
 *   | {type: "resumed"}
 *   | {type: "verdict", gone: [number, number][], granted: boolean}
 *   | {type: "refused", error: string}
 *   | {type: "error", error: string}} FromServer
 */

/**
 * @typedef {{type: "ready"} | {type: "signal", to: number, data: any}
 *   | {type: "failed", error: string, text: string, outcome: string | null}
 *   | {type: "appeal", gone: [number, number][]}} ToServer
 */

/**
 * @typedef {object} SocketHandlers
 * @property {(message: FromServer) => void} message
 * @property {(data: ArrayBuffer) => void} packet what is binary
 * @property {() => void} [lost] the line broke off, and is being opened again
 * @property {() => void} closed the line is gone for good; called once, unless the page itself closed it
 * @property {(text: string) => void} log
 */

/** How long to wait before a lost line is opened again, in milliseconds, by attempts; the last is repeated. */
export const WAITS = Object.freeze([250, 1000, 2000, 4000, 8000]);
/** How many attempts there are. */
export const ATTEMPTS = 60;

/** The line to the server, for as long as the page lives. */
export class Socket {
  #url;
  #on;
  #socket;
  /** With which the server gives the page its seat back; empty as long as there is nothing to come back to. */
  #key = "";
  #attempts = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {string} url
   * @param {SocketHandlers} on
   */
  constructor(url, on) {
    this.#url = url;
    this.#on = on;
    this.#socket = this.#open(url);
  }

  /**
   * From now on a line that is lost is opened again.
   *
   * @param {string} key as the server told it on joining
   */
  keep(key) {
    this.#key = key;
  }

  /** Whether messages can be sent. */
  get open() {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  /** Bytes that were sent and have not left the browser. */
  get waiting() {
    return this.#socket.bufferedAmount;
  }

  /**
   * Sends a message, where the line is open.
   *
   * @param {ToServer} message
   * @returns {boolean} whether it went out
   */
  send(message) {
    if (!this.open) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  /**
   * Sends a packet to be relayed, where the line is open.
   *
   * @param {Uint8Array<ArrayBuffer>} data
   */
  sendBytes(data) {
    if (this.open) this.#socket.send(data);
  }

  /** Closes the line. */
  close() {
    clearTimeout(this.#timer);
    this.#socket.onclose = null;
    this.#socket.close();
  }

  /** @param {string} url */
  #open(url) {
    const socket = new WebSocket(url);
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => {
      if (data instanceof ArrayBuffer) {
        this.#on.packet(data);
        return;
      }
      const message = parsed(data);
      const fault = faultOf(FROM_SERVER, message);
      if (fault) this.#on.log(`the server sent ${fault}`);
      else this.#take(message);
    };
    socket.onclose = () => this.#lost();
    return socket;
  }

  /** @param {FromServer} message */
  #take(message) {
    if (message.type === "refused") {
      const resuming = this.#attempts > 0;
      this.#key = "";
      // A seat that is not to be had back is no reason to end a match that may go on without the server.
      if (resuming) return;
    }
    if (message.type === "resumed") this.#attempts = 0;
    this.#on.message(message);
  }

  #lost() {
    if (this.#key === "" || this.#attempts >= ATTEMPTS) {
      this.#on.closed();
      return;
    }
    if (this.#attempts === 0) this.#on.lost?.();
    const wait = WAITS[Math.min(this.#attempts, WAITS.length - 1)];
    this.#attempts += 1;
    this.#timer = setTimeout(() => {
      const url = new URL(this.#url);
      url.searchParams.set("resume", this.#key);
      this.#socket = this.#open(url.href);
    }, wait);
  }
}

/**
 * Makes the address where a player joins a room.
 *
 * @param {string} room
 * @param {string} playerId
 * @param {string} server the server's address, such as `https://example.org`
 * @param {boolean} [watch] as a spectator
 * @returns {string}
 */
export function socketUrl(room, playerId, server, watch = false) {
  const url = new URL(`/api/rooms/${encodeURIComponent(room)}/socket`, server);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.searchParams.set("player_id", playerId);
  if (watch) url.searchParams.set("watch", "1");
  return url.href;
}

/** @param {unknown} data */
function parsed(data) {
  try {
    return typeof data === "string" ? JSON.parse(data) : undefined;
  } catch {
    return undefined;
  }
}
