/**
 * @file The ends of the data channels, two for each other player: owned by this worker where the browser could
 * transfer them, else reached through the page. It tells when both channels of a player are open and when the first
 * of them closes, once each. It never looks into a packet.
 */

import { Channel } from "../records.js";

/** @typedef {import("../messages.js").ChannelName} ChannelName */

/**
 * @typedef {object} End one channel to one player
 * @property {boolean} open
 * @property {(data: Uint8Array<ArrayBuffer>) => void} send throws where the browser refuses
 * @property {() => void} close
 */

/**
 * @typedef {object} Link
 * @property {(End | undefined)[]} ends by channel number
 * @property {"opening" | "open" | "closed"} state
 */

/**
 * @typedef {object} ChannelHandlers
 * @property {(peer: number, channel: number, data: ArrayBuffer) => void} packet
 * @property {(peer: number, state: "open" | "closed", error?: string) => void} link
 * @property {(peer: number, channel: ChannelName, data: ArrayBuffer) => void} proxy sends through the page
 * @property {(text: string) => void} log
 */

/** @type {Readonly<Record<ChannelName, number>>} */
const NUMBERS = Object.freeze({ input: Channel.INPUT, control: Channel.CONTROL });
/** @type {readonly ChannelName[]} */
const NAMES = Object.freeze(["input", "control"]);

/** All channels of this player. */
export class Channels {
  /** @type {Map<number, Link>} */
  #links = new Map();
  #on;

  /** @param {ChannelHandlers} handlers */
  constructor(handlers) {
    this.#on = handlers;
  }

  /**
   * Takes over a transferred channel.
   *
   * @param {number} peer
   * @param {ChannelName} name
   * @param {RTCDataChannel} port
   */
  own(peer, name, port) {
    const end = { open: false, send: port.send.bind(port), close: port.close.bind(port) };
    port.binaryType = "arraybuffer";
    // A transferred channel may arrive open, and may say so a second time.
    const opened = () => this.#opened(peer, end);
    port.onopen = opened;
    port.onmessage = ({ data }) => {
      if (port.readyState === "open") opened();
      this.#arrived(peer, name, data);
    };
    port.onclose = () => this.#closed(peer, end, `the ${name} channel closed`);
    this.#put(peer, name, end);
    if (port.readyState === "open") opened();
    if (port.readyState === "closed") this.#closed(peer, end, `the ${name} channel closed`);
  }

  /**
   * Follows a channel that the page keeps.
   *
   * @param {number} peer
   * @param {ChannelName} name
   * @param {"made" | "open" | "closed"} state
   */
  follow(peer, name, state) {
    if (state === "made") {
      this.#put(peer, name, {
        open: false,
        send: (data) => this.#on.proxy(peer, name, data.slice().buffer),
        close: () => {},
      });
      return;
    }
    const end = this.#links.get(peer)?.ends[NUMBERS[name]];
    if (!end) this.#on.log(`no ${name} channel to player ${peer} was made, yet it is ${state}`);
    else if (state === "open") this.#opened(peer, end);
    else this.#closed(peer, end, `the ${name} channel closed`);
  }

  /**
   * Takes a packet that came through the page.
   *
   * @param {number} peer
   * @param {ChannelName} name
   * @param {ArrayBuffer} data
   */
  arrived(peer, name, data) {
    this.#arrived(peer, name, data);
  }

  /**
   * The page's connection to a player is beyond repair.
   *
   * @param {number} peer
   * @param {string} error
   */
  fail(peer, error) {
    const link = this.#links.get(peer) ?? this.#add(peer);
    this.#close(peer, link, error);
  }

  /**
   * Sends a packet. On the input channel a packet that cannot be sent is lost, as the network might have lost it;
   * the control channel promises delivery, so there the link is closed.
   *
   * @param {number} peer
   * @param {number} channel
   * @param {Uint8Array} payload
   */
  send(peer, channel, payload) {
    const link = this.#links.get(peer);
    const end = link?.ends[channel];
    if (!link || !end?.open || link.state === "closed") {
      if (!link) this.#on.log(`a packet for player ${peer}, who has no channel`);
      return;
    }
    try {
      end.send(/** @type {Uint8Array<ArrayBuffer>} */ (payload));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#on.log(`a packet of ${payload.length} bytes for player ${peer} was not sent: ${reason}`);
      if (channel === Channel.CONTROL) this.#close(peer, link, `the control channel refused a packet: ${reason}`);
    }
  }

  /**
   * @param {number} peer
   * @returns {Link}
   */
  #add(peer) {
    /** @type {Link} */
    const link = { ends: [], state: "opening" };
    this.#links.set(peer, link);
    return link;
  }

  /**
   * @param {number} peer
   * @param {ChannelName} name
   * @param {End} end
   */
  #put(peer, name, end) {
    const link = this.#links.get(peer) ?? this.#add(peer);
    if (link.ends[NUMBERS[name]]) this.#on.log(`player ${peer} has a second ${name} channel; the first is forgotten`);
    link.ends[NUMBERS[name]] = end;
  }

  /**
   * @param {number} peer
   * @param {End} end
   */
  #opened(peer, end) {
    end.open = true;
    const link = this.#links.get(peer);
    if (link?.state !== "opening" || !NAMES.every((name) => link.ends[NUMBERS[name]]?.open)) return;
    link.state = "open";
    this.#on.link(peer, "open");
  }

  /**
   * @param {number} peer
   * @param {End} end
   * @param {string} error
   */
  #closed(peer, end, error) {
    end.open = false;
    const link = this.#links.get(peer);
    if (link) this.#close(peer, link, error);
  }

  /**
   * @param {number} peer
   * @param {Link} link
   * @param {string} error
   */
  #close(peer, link, error) {
    if (link.state === "closed") return;
    link.state = "closed";
    for (const end of link.ends) end?.close();
    this.#on.link(peer, "closed", error);
  }

  /**
   * @param {number} peer
   * @param {ChannelName} name
   * @param {unknown} data
   */
  #arrived(peer, name, data) {
    if (data instanceof ArrayBuffer) this.#on.packet(peer, NUMBERS[name], data);
    else this.#on.log(`player ${peer} sent something that is not bytes on the ${name} channel`);
  }
}
