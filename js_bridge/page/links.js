/**
 * @file The direct connections to the other pages, one `Link` each, for as long as these pages take part. What goes
 * over them, and whether it goes another way meanwhile, is the worker's matter.
 */

import { Link } from "./link.js";

/** @typedef {import("../messages.js").ChannelName} ChannelName */
/** @typedef {import("../messages.js").ToWorker} ToWorker */

/**
 * @typedef {object} LinksOptions
 * @property {number} index this page's
 * @property {number} incarnation this page's
 * @property {RTCConfiguration} configuration
 * @property {boolean} proxy keep every channel in the page, even where it could be transferred
 * @property {(to: number, data: any) => void} signal
 * @property {(message: ToWorker, transfer?: Transferable[]) => void} post to the worker
 * @property {(text: string) => void} log
 */

/**
 * How long a page whose line to the server broke off may take to open another one, in milliseconds. It is less than
 * three quarters of a player's patience (`disconnect_after_ms`), so that a page that crashed is surely gone to the
 * others.
 */
export const GRACE = 3000;

/** All direct connections of this page. */
export class Links {
  /** @type {Map<number, {incarnation: number, link: Link}>} */
  #links = new Map();
  /** Those whose line broke off. @type {Map<number, ReturnType<typeof setTimeout>>} */
  #graces = new Map();
  #options;

  /** @param {LinksOptions} options */
  constructor(options) {
    this.#options = options;
  }

  /**
   * Connects to a page that takes part from now on. The one that had its place before is forgotten; one that is known
   * already, and was away, is connected to again where need be.
   *
   * @param {number} peer
   * @param {number} incarnation
   * @returns {boolean} whether it is a page that was not known
   */
  add(peer, incarnation) {
    clearTimeout(this.#graces.get(peer));
    const known = this.#links.get(peer);
    if (known?.incarnation === incarnation) {
      this.#options.post({ type: "link_back", peer });
      known.link.resume();
      return false;
    }
    known?.link.close();
    this.#options.post({ type: "expect", peer });
    this.#links.set(peer, { incarnation, link: new Link(peer, incarnation, this.#options) });
    return true;
  }

  /**
   * A page has left: there is nobody to make a connection with, as long as it does not come back.
   *
   * @param {number} peer
   * @param {boolean} lost its line to the server broke off; then it has some time to come back
   */
  left(peer, lost) {
    this.#links.get(peer)?.link.pause();
    clearTimeout(this.#graces.get(peer));
    const tell = () => this.#options.post({ type: "link_left", peer, reason: "the other page has left" });
    if (lost) this.#graces.set(peer, setTimeout(tell, GRACE));
    else tell();
  }

  /** The line to the server is there again: connections that broke meanwhile can be made anew. */
  resume() {
    for (const { link } of this.#links.values()) link.resume();
  }

  /**
   * The worker has trouble with the direct way.
   *
   * @param {number} peer
   * @param {boolean} open whether the channels are open, though nothing comes
   */
  trouble(peer, open) {
    this.#links.get(peer)?.link.trouble(open);
  }

  /**
   * Takes what another page sent for this one.
   *
   * @param {number} from
   * @param {any} data
   */
  signal(from, data) {
    const link = this.#links.get(from)?.link;
    if (link) link.signal(data);
    else this.#options.log(`a signal of player ${from}, who is not in this match`);
  }

  /**
   * Sends a packet of the worker on a channel that the page kept.
   *
   * @param {number} peer
   * @param {ChannelName} channel
   * @param {ArrayBuffer} data
   */
  send(peer, channel, data) {
    this.#links.get(peer)?.link.send(channel, data);
  }

  /** How the channels reach the worker, by player: "transferred" or "proxied". */
  get ways() {
    return Object.fromEntries([...this.#links].map(([peer, { link }]) => [peer, link.ways]));
  }

  /** Closes every connection, and tells the other pages that this is for good. */
  close() {
    this.#forget();
    for (const { link } of this.#links.values()) link.leave();
  }

  /** Closes every connection without a word: the other pages have somebody else in this one's place. */
  abandon() {
    this.#forget();
    for (const { link } of this.#links.values()) link.close();
  }

  #forget() {
    for (const grace of this.#graces.values()) clearTimeout(grace);
  }
}
