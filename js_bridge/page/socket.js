/**
 * @file The page's line to the server: who is in the room, when the match starts, and what the other pages need to
 * connect. It knows the messages' form and nothing of what follows from them.
 */

import { FROM_SERVER, faultOf } from "../messages.js";

/** @typedef {import("../messages.js").Config} Config */
/** @typedef {import("../messages.js").Start} Start */

/** @typedef {{player_id: string, index: number, ready: boolean}} Player */

/**
 * @typedef {{type: "joined", player_id: string, index: number, player_count: number, config: Config}
 *   | {type: "roster", players: Player[]}
 *   | {type: "start", start: Start}
 *   | {type: "signal", from: number, data: any}
 *   | {type: "left", index: number}
 *   | {type: "refused", error: string}
 *   | {type: "error", error: string}} FromServer
 */

/**
 * @typedef {{type: "ready"} | {type: "signal", to: number, data: any}
 *   | {type: "failed", error: string, outcome: string | null}} ToServer
 */

/** One WebSocket, for as long as the page lives. */
export class Socket {
  #socket;

  /**
   * @param {string} url
   * @param {{message: (message: FromServer) => void, closed: () => void, log: (text: string) => void}} on `closed` is
   *   called once, unless the page itself closed the line
   */
  constructor(url, on) {
    this.#socket = new WebSocket(url);
    this.#socket.onmessage = ({ data }) => {
      const message = parsed(data);
      const fault = faultOf(FROM_SERVER, message);
      if (fault) on.log(`the server sent ${fault}`);
      else on.message(message);
    };
    this.#socket.onclose = () => on.closed();
  }

  /**
   * Sends a message, where the line is open.
   *
   * @param {ToServer} message
   * @returns {boolean} whether it went out
   */
  send(message) {
    if (this.#socket.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  /** Closes the line. */
  close() {
    this.#socket.onclose = null;
    this.#socket.close();
  }
}

/**
 * Makes the address where a player joins a room.
 *
 * @param {string} room
 * @param {string} playerId
 * @param {string} server the server's address, such as `https://example.org`
 * @returns {string}
 */
export function socketUrl(room, playerId, server) {
  const url = new URL(`/api/rooms/${encodeURIComponent(room)}/socket`, server);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.searchParams.set("player_id", playerId);
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
