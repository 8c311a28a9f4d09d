/**
 * @file One tick: what arrived goes into Python in one call, and what Python answers goes out to the channels, the
 * server and the page. It knows neither frames nor inputs; it carries records.
 */

import { Kind, decodeJson, decodeOutbox, decodeUpload } from "../records.js";
import { Clock } from "./clock.js";
import { Inbox } from "./inbox.js";

/** @typedef {import("../messages.js").ToPage} ToPage */

/**
 * @typedef {object} Outside where an answer's records go
 * @property {(peer: number, channel: number, payload: Uint8Array) => void} send
 * @property {(upload: import("../records.js").Upload) => void} upload
 * @property {(message: ToPage, transfer?: Transferable[]) => void} post to the page
 * @property {(error: unknown) => void} fail the tick raised, or its answer cannot be read; the loop has stopped
 */

/** The only caller of `tick`. */
export class Loop {
  /** What waits for the next tick. */
  inbox;
  #tick;
  #outside;
  #clock;

  /**
   * @param {(now: number, inbox: Uint8Array) => unknown} tick Python's; returns an outbox as a Uint8Array
   * @param {Outside} outside
   */
  constructor(tick, outside) {
    this.#tick = tick;
    this.#outside = outside;
    this.#clock = new Clock(() => this.#turn());
    // Python that sleeps without end can only be waiting for something to arrive.
    this.inbox = new Inbox(() => this.#running && this.#clock.asleep && this.#clock.wake());
  }

  #running = false;

  /** Begins to tick, at once. */
  start() {
    this.#running = true;
    this.#clock.wake();
  }

  /** Ticks before this returns, rather than at the time that Python asked for. */
  tickNow() {
    if (this.#running) this.#clock.ring();
  }

  /** Ticks no more. */
  stop() {
    this.#running = false;
    this.#clock.stop();
  }

  /** @returns {number} the time to wake at */
  #turn() {
    try {
      const answer = this.#tick(performance.now(), this.inbox.take());
      if (!(answer instanceof Uint8Array)) throw new TypeError("tick() did not return bytes");
      const { wakeAt, records } = decodeOutbox(answer);
      for (const record of records) this.#carry(record);
      return wakeAt;
    } catch (error) {
      this.stop();
      this.#outside.fail(error);
      return Infinity;
    }
  }

  /** @param {import("../records.js").FlatRecord} record */
  #carry({ kind, peer, channel, payload }) {
    if (kind === Kind.PACKET) {
      this.#outside.send(peer, channel, payload);
    } else if (kind === Kind.EVENT) {
      this.#outside.post(decodeJson(payload));
    } else if (kind === Kind.VIEW) {
      const bytes = payload.slice().buffer;
      this.#outside.post({ type: "view", payload: bytes }, [bytes]);
    } else if (kind === Kind.UPLOAD) {
      this.#outside.upload(decodeUpload(payload));
    } else if (kind === Kind.STATS) {
      const values = new Float64Array(payload.slice().buffer);
      this.#outside.post({ type: "stats", values }, [values.buffer]);
    } else {
      this.#outside.post({ type: "log", text: `a record of unknown kind ${kind} was dropped` });
    }
  }
}
