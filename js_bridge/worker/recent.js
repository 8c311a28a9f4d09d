/**
 * @file The packets that were sent on a control channel of late: what a way that breaks off may have taken with it.
 * It sends nothing itself, and never looks into a packet.
 */

/** How long a packet counts as recent, in milliseconds. */
export const KEPT = 10_000;
/** Most packets that are kept. Those of the control channel are few, and repeated where they are not answered. */
export const MOST = 32;

/** The recent packets to one page. */
export class Recent {
  /** @type {{payload: Uint8Array<ArrayBuffer>, at: number}[]} */
  #packets = [];

  /**
   * Keeps a copy of a packet. One that is kept already is not kept twice.
   *
   * @param {Uint8Array} payload
   * @param {number} now milliseconds
   */
  add(payload, now) {
    const known = this.#packets.findIndex((packet) => same(packet.payload, payload));
    const [packet] = known === -1 ? [{ payload: payload.slice(), at: now }] : this.#packets.splice(known, 1);
    if (packet) this.#packets.push({ ...packet, at: now });
    if (this.#packets.length > MOST) this.#packets.shift();
  }

  /**
   * The packets that are recent now, in the order in which they were last sent.
   *
   * @param {number} now milliseconds
   * @returns {Uint8Array<ArrayBuffer>[]}
   */
  since(now) {
    this.#packets = this.#packets.filter(({ at }) => now - at < KEPT);
    return this.#packets.map(({ payload }) => payload);
  }
}

/**
 * @param {Uint8Array} one
 * @param {Uint8Array} other
 */
function same(one, other) {
  return one.length === other.length && one.every((byte, place) => byte === other[place]);
}
