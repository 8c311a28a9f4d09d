/**
 * @file Packets that go through the server: their header, and what becomes of them while the line to the server
 * cannot take them. It never looks into a packet, and does not know why one takes this way.
 *
 *     u8 the other page's index    u8 channel    u8 heard (whether the sender hears the receiver directly)    packet
 */

/** @typedef {import("../messages.js").ChannelName} ChannelName */

const HEADER_BYTES = 3;
/** @type {readonly ChannelName[]} */
const NAMES = Object.freeze(["input", "control"]);

/** Bytes that wait in the browser beyond which packets are lost that may be: they would come too late in any case. */
export const MOST_WAITING_BYTES = 64 * 1024;
/** Most control packets that are kept while there is no line. */
export const MOST_KEPT = 64;

/**
 * @typedef {object} Line
 * @property {boolean} open
 * @property {number} waiting bytes that were sent and have not left the browser
 * @property {(data: Uint8Array<ArrayBuffer>) => void} sendBytes
 */

/**
 * @typedef {object} Relayed
 * @property {number} peer
 * @property {ChannelName} channel
 * @property {boolean} heard
 * @property {ArrayBuffer} data
 */

/** The way through the server. */
export class Relay {
  /** @type {Uint8Array<ArrayBuffer>[]} */
  #kept = [];
  #line;

  /** @param {Line} line to the server */
  constructor(line) {
    this.#line = line;
  }

  /**
   * Sends a packet, or keeps it if it is not to be lost and there is no line at the moment.
   *
   * @param {Relayed} packet
   */
  send({ peer, channel, heard, data }) {
    const control = channel === "control";
    const bytes = new Uint8Array(HEADER_BYTES + data.byteLength);
    bytes.set([peer, NAMES.indexOf(channel), Number(heard)]);
    bytes.set(new Uint8Array(data), HEADER_BYTES);
    if (this.#line.open) {
      if (control || this.#line.waiting < MOST_WAITING_BYTES) this.#line.sendBytes(bytes);
    } else if (control) {
      this.#kept.push(bytes);
      if (this.#kept.length > MOST_KEPT) this.#kept.shift();
    }
  }

  /** The line is there again: sends what was kept. */
  resume() {
    for (const bytes of this.#kept.splice(0)) this.#line.sendBytes(bytes);
  }
}

/**
 * Takes a message of the server apart.
 *
 * @param {ArrayBuffer} message
 * @returns {Relayed | null} null where it is none
 */
export function parseRelayed(message) {
  const [peer, channel, heard] = new Uint8Array(message, 0, Math.min(HEADER_BYTES, message.byteLength));
  const name = NAMES[channel ?? -1];
  if (message.byteLength <= HEADER_BYTES || peer === undefined || !name || (heard !== 0 && heard !== 1)) return null;
  return { peer, channel: name, heard: heard === 1, data: message.slice(HEADER_BYTES) };
}
