/**
 * @file Whether a browser holds back what a data channel was given. It does while too much is unacknowledged, on a bad
 * line for seconds: what it was given meanwhile leaves all at once, in a packet or two, and where these are lost it
 * waits for twice as long. Each input packet says all that is new, so nothing is given to a channel that holds back:
 * then every frame after such a wait is a packet of its own, and one of them arrives. It never looks into a packet.
 */

/**
 * How long bytes may wait before a channel is said to hold back, in milliseconds: less than a frame, and more than the
 * packets of one frame take.
 */
export const AT_ONCE = 5;

/** What one channel was given and has not sent. */
export class Holding {
  #channel;
  #now;
  #empty = -Infinity;

  /**
   * @param {{readonly bufferedAmount: number}} channel
   * @param {() => number} now milliseconds of a clock that does not go back
   */
  constructor(channel, now) {
    this.#channel = channel;
    this.#now = now;
  }

  /** Whether it holds back; to be asked before each packet. */
  get back() {
    if (this.#channel.bufferedAmount === 0) this.#empty = this.#now();
    return this.#now() - this.#empty > AT_ONCE;
  }
}
