/**
 * @file What arrived since the last tick: packets and events, in order of arrival. Emptied by every tick; it keeps
 * no history and never looks into a packet.
 */

import { Kind, encodeEvent, encodeRecords } from "../records.js";

/**
 * @typedef {{type: "key", key: string, down: boolean}
 *   | {type: "focus", focused: boolean}
 *   | {type: "visibility", hidden: boolean}
 *   | {type: "link", peer: number, state: import("../messages.js").Way, reason?: string}
 *   | {type: "stored", upload: number}
 *   | {type: "unstored", upload: number, error: string}
 *   | {type: "verdict", gone: [number, number][], granted: boolean}
 *   | {type: "leave"}} InboxEvent
 */

/** The records that wait for the next tick. */
export class Inbox {
  /** @type {import("../records.js").FlatRecord[]} */
  #records = [];
  #arrived;

  /** @param {() => void} [arrived] called after each record */
  constructor(arrived = () => {}) {
    this.#arrived = arrived;
  }

  /**
   * Adds a packet of another player.
   *
   * @param {number} peer
   * @param {number} channel
   * @param {ArrayBuffer} data
   */
  packet(peer, channel, data) {
    this.#records.push({ kind: Kind.PACKET, peer, channel, payload: new Uint8Array(data) });
    this.#arrived();
  }

  /**
   * Adds an event.
   *
   * @param {InboxEvent} event
   */
  event(event) {
    this.#records.push({ kind: Kind.EVENT, peer: 0, channel: 0, payload: encodeEvent(event) });
    this.#arrived();
  }

  /**
   * Hands over everything, and is empty.
   *
   * @returns {Uint8Array<ArrayBuffer>}
   */
  take() {
    const records = this.#records;
    this.#records = [];
    return encodeRecords(records);
  }
}
