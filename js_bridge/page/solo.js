/**
 * @file The room of a player who is alone in a bundle without a server: it says what a server would, in the same
 * words. It knows nothing of what follows from them.
 */

/** @typedef {import("../messages.js").Config} Config */
/** @typedef {import("./socket.js").FromServer} FromServer */
/** @typedef {import("./socket.js").ToServer} ToServer */

/** Seeds that are drawn lie below, as a server's do. */
const SEEDS = 2 ** 31;

/** A line to nobody, which is never lost. */
export class Solo {
  open = true;
  waiting = 0;
  #playerId;
  #session;
  #seed;
  #take;

  /**
   * @param {string} playerId
   * @param {import("./bundle.js").Bundle} bundle
   * @param {(message: FromServer) => void} take gets what a server would say, the first of it after this has returned
   */
  constructor(playerId, bundle, take) {
    this.#playerId = playerId;
    this.#session = newSession(new Date());
    this.#seed = bundle.seed ?? random() % SEEDS;
    this.#take = take;
    queueMicrotask(() => {
      if (!this.open) return;
      const config = bundle.alone(this.#session);
      const place = { player_id: playerId, index: 0 };
      take({ type: "joined", ...place, player_count: 1, key: "", running: false, config });
      take({ type: "roster", players: [{ ...place, ready: false }] });
    });
  }

  /**
   * Takes a message, of which only that the page is ready means anything here.
   *
   * @param {ToServer} message
   * @returns {boolean} whether it was taken
   */
  send(message) {
    if (message.type === "ready" && this.open) {
      queueMicrotask(() => this.#take({ type: "start", start: {
        session: this.#session,
        seed: this.#seed,
        players: [{ player_id: this.#playerId, index: 0 }],
        index: 0,
        incarnation: 0,
        running: false,
        peers: [],
      } }));
    }
    return this.open;
  }

  /** There is nobody to send a packet to. */
  sendBytes() {}

  /** There is no seat to come back to. */
  keep() {}

  /** Says no more. */
  close() {
    this.open = false;
  }
}

/**
 * A name for a session, of the form that a server gives; names sort by time (UTC).
 *
 * @param {Date} now
 * @returns {string}
 */
function newSession(now) {
  const [day, time] = now.toISOString().slice(0, 19).replace(/[-:]/g, "").split("T");
  return `${day}-${time}-${random().toString(16).padStart(8, "0")}`;
}

/** A whole number below 2^32, by chance. */
function random() {
  return crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
}
