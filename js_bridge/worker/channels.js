/**
 * @file The ways to the other pages. A link goes directly, over two data channels that are owned by this worker or,
 * where the browser could not transfer them, kept by the page; or it goes through the server, as long as there is no
 * direct way or nothing is heard on it. Packets are the same either way, and those that arrive are taken from either.
 * It never looks into a packet.
 */

import { Holding } from "../holding.js";
import { Channel } from "../records.js";
import { Recent } from "./recent.js";

/** @typedef {import("../messages.js").ChannelName} ChannelName */
/** @typedef {import("../messages.js").Way} Way */

/**
 * @typedef {object} End one channel to one page
 * @property {boolean} open
 * @property {(data: Uint8Array<ArrayBuffer>) => void} send throws where the browser refuses
 * @property {Holding} [holding] of a channel that is owned; the page looks to its own
 * @property {() => void} close
 */

/**
 * @typedef {object} Link all times in milliseconds of the clock
 * @property {(End | undefined)[]} ends of the direct way, by channel number
 * @property {Recent} recent what was sent on the control channel of late
 * @property {"opening" | Way} way
 * @property {boolean} left its page has left; the direct way may outlive that, the server's does not
 * @property {number} parted when it left
 * @property {number} since when it was expected
 * @property {number} heard when something last came directly, or the direct way opened
 * @property {number} unheard when its page last said that it hears nothing from here directly
 * @property {number} sent when something was last to be sent
 * @property {number} sending since when there has been something to be sent without a pause
 */

/**
 * @typedef {object} ChannelHandlers
 * @property {(peer: number, channel: number, data: ArrayBuffer) => void} packet
 * @property {(peer: number, way: Way, reason?: string) => void} link the way has changed; the first is told as well
 * @property {(peer: number, channel: ChannelName, data: ArrayBuffer) => void} proxy sends directly, through the page
 * @property {(peer: number, channel: ChannelName, heard: boolean, data: ArrayBuffer) => void} relay sends through the
 *   server
 * @property {(peer: number, open: boolean) => void} trouble the direct way is silent (`open`), or one of its channels
 *   closed
 * @property {(text: string) => void} log
 */

/** @type {Readonly<Record<ChannelName, number>>} */
const NUMBERS = Object.freeze({ input: Channel.INPUT, control: Channel.CONTROL });
/** @type {readonly ChannelName[]} */
const NAMES = Object.freeze(["input", "control"]);

/** How long a direct way may take to open before packets go through the server, in milliseconds. */
export const PATIENCE = 5000;
/** How long nothing may come directly, while something is sent all the time, before packets go through the server. */
export const SILENCE = 2000;
/** How long nothing may come directly from a page that has left before it is taken to be gone with its links. */
export const FAREWELL = 1500;
/** How long a page's word counts that it hears nothing directly. It repeats it with every packet. */
export const WORD = 500;
/** A pause in sending that is longer than this says nothing about the other side's silence. */
const PAUSE = 1000;

/** All links of this page. */
export class Channels {
  /** @type {Map<number, Link>} */
  #links = new Map();
  #on;
  #now;

  /**
   * @param {ChannelHandlers} handlers
   * @param {() => number} [now] milliseconds of a clock that does not go back
   */
  constructor(handlers, now = () => performance.now()) {
    this.#on = handlers;
    this.#now = now;
  }

  /**
   * A page is there to be connected to; in the place of another one, if there was one.
   *
   * @param {number} peer
   */
  expect(peer) {
    const before = this.#links.get(peer);
    for (const end of before?.ends ?? []) end?.close();
    const now = this.#now();
    this.#links.set(peer, {
      ends: [], recent: new Recent(), way: "opening", left: false, parted: 0,
      since: now, heard: now, unheard: -Infinity, sent: -Infinity, sending: now,
    });
  }

  /**
   * Takes over a transferred channel, in the place of the one before.
   *
   * @param {number} peer
   * @param {ChannelName} name
   * @param {RTCDataChannel} port
   */
  own(peer, name, port) {
    const [send, close, holding] = [port.send.bind(port), port.close.bind(port), new Holding(port, this.#now)];
    const end = { open: false, send, close, holding };
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
   * Takes a packet that came directly, through the page.
   *
   * @param {number} peer
   * @param {ChannelName} name
   * @param {ArrayBuffer} data
   */
  arrived(peer, name, data) {
    this.#arrived(peer, name, data);
  }

  /**
   * Takes a packet that came through the server.
   *
   * @param {number} peer
   * @param {ChannelName} name
   * @param {boolean} heard whether its sender hears this page directly
   * @param {ArrayBuffer} data
   */
  relayed(peer, name, heard, data) {
    const link = this.#links.get(peer);
    if (link) link.unheard = heard ? -Infinity : this.#now();
    this.#on.packet(peer, NUMBERS[name], data);
  }

  /**
   * The page's direct connection is lost; it tries to make another one.
   *
   * @param {number} peer
   * @param {string} reason
   */
  lost(peer, reason) {
    const link = this.#links.get(peer);
    if (link) this.#lose(peer, link, reason);
  }

  /**
   * The other page has left, or closed the link on purpose. What still comes directly is taken, as long as something
   * comes: its line to the server may be all that it lost.
   *
   * @param {number} peer
   * @param {string} reason
   */
  left(peer, reason) {
    const link = this.#links.get(peer);
    if (!link) return;
    if (!link.left) Object.assign(link, { left: true, parted: this.#now() });
    if (!open(link)) this.#enter(peer, link, "closed", reason);
    else this.#enter(peer, link, "direct", reason);
  }

  /**
   * The page that had left, or whose line to the server was lost, is there again, the same as before.
   *
   * @param {number} peer
   */
  back(peer) {
    const link = this.#links.get(peer);
    if (!link) return;
    const now = this.#now();
    if (link.way === "closed") Object.assign(link, { way: "opening", since: now, sending: now });
    link.left = false;
    // What went through the server meanwhile is lost.
    if (link.way === "relay") this.#repeat(peer, link);
  }

  /**
   * Sends a packet. On the input channel a packet that cannot be sent at once is lost, as the network might have lost
   * it; those of the control channel are sent once more whenever the way changes.
   *
   * @param {number} peer
   * @param {number} channel
   * @param {Uint8Array} payload
   */
  send(peer, channel, payload) {
    const link = this.#links.get(peer);
    if (!link) {
      this.#on.log(`a packet for player ${peer}, who has no link`);
      return;
    }
    if (link.way === "closed") return;
    const now = this.#now();
    if (now - link.sent > PAUSE) link.sending = now;
    link.sent = now;
    this.#choose(peer, link);
    if (channel === Channel.CONTROL) link.recent.add(payload, now);
    this.#dispatch(peer, link, channel, payload);
  }

  /**
   * Sends on the way that the link goes. Beside the server's way, the direct one is tried on: by this the other side
   * hears when it is there again.
   *
   * @param {number} peer
   * @param {Link} link
   * @param {number} channel
   * @param {Uint8Array} payload
   */
  #dispatch(peer, link, channel, payload) {
    if (link.way === "relay") {
      this.#on.relay(peer, NAMES[channel] ?? "input", this.#hears(link), payload.slice().buffer);
    }
    const end = link.ends[channel];
    if (!open(link) || !end) return;
    if (channel === Channel.INPUT && end.holding?.back) return;
    try {
      end.send(/** @type {Uint8Array<ArrayBuffer>} */ (payload));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#on.log(`a packet of ${payload.length} bytes for player ${peer} was not sent: ${reason}`);
      if (channel !== Channel.CONTROL) return;
      this.#lose(peer, link, `the control channel refused a packet: ${reason}`);
      this.#on.trouble(peer, false);
    }
  }

  /**
   * @param {number} peer
   * @param {Link} link
   */
  #choose(peer, link) {
    if (link.way === "closed") return;
    const now = this.#now();
    if (link.left) {
      // A page that is loaded again, or killed, does not close its channels: they only fall silent.
      const silent = now - Math.max(link.heard, link.parted) >= FAREWELL;
      if (silent) this.#lose(peer, link, "the other page has left, and nothing comes directly any more");
      return;
    }
    const deaf = now - link.unheard < WORD;
    if (open(link)) {
      const silent = !this.#hears(link);
      if (silent && link.way === "direct") this.#on.trouble(peer, true);
      this.#enter(peer, link, silent || deaf ? "relay" : "direct", silent ? "nothing comes directly" : undefined);
    } else if (link.way !== "opening" || deaf || now - link.since >= PATIENCE) {
      this.#enter(peer, link, "relay", "there is no direct way");
    }
  }

  /** @param {Link} link */
  #hears(link) {
    return open(link) && this.#now() - Math.max(link.heard, link.sending) < SILENCE;
  }

  /**
   * @param {number} peer
   * @param {Link} link
   * @param {Way} way
   * @param {string} [reason]
   */
  #enter(peer, link, way, reason) {
    if (link.way === way) return;
    link.way = way;
    this.#on.link(peer, way, way === "direct" ? undefined : reason);
    if (way === "closed") {
      for (const end of link.ends) end?.close();
      return;
    }
    // What was sent on the other way may be lost with it.
    this.#repeat(peer, link);
  }

  /**
   * @param {number} peer
   * @param {Link} link
   */
  #repeat(peer, link) {
    for (const payload of link.recent.since(this.#now())) this.#dispatch(peer, link, Channel.CONTROL, payload);
  }

  /**
   * @param {number} peer
   * @param {ChannelName} name
   * @param {End} end
   */
  #put(peer, name, end) {
    const link = this.#links.get(peer);
    if (!link) {
      this.#on.log(`a ${name} channel to player ${peer}, who is not expected`);
      end.close();
      return;
    }
    link.ends[NUMBERS[name]]?.close();
    link.ends[NUMBERS[name]] = end;
  }

  /**
   * @param {number} peer
   * @param {End} end
   */
  #opened(peer, end) {
    const link = this.#links.get(peer);
    if (end.open || !link?.ends.includes(end)) return;
    end.open = true;
    if (!open(link)) return;
    link.heard = this.#now();
    this.#choose(peer, link);
  }

  /**
   * @param {number} peer
   * @param {End} end
   * @param {string} reason
   */
  #closed(peer, end, reason) {
    const link = this.#links.get(peer);
    if (!link?.ends.includes(end)) return;
    this.#lose(peer, link, reason);
    if (!link.left) this.#on.trouble(peer, false);
  }

  /**
   * @param {number} peer
   * @param {Link} link
   * @param {string} reason
   */
  #lose(peer, link, reason) {
    const { ends } = link;
    link.ends = [];
    for (const end of ends) end?.close();
    if (link.left) this.#enter(peer, link, "closed", reason);
    else if (link.way === "direct") this.#enter(peer, link, "relay", reason);
  }

  /**
   * @param {number} peer
   * @param {ChannelName} name
   * @param {unknown} data
   */
  #arrived(peer, name, data) {
    const link = this.#links.get(peer);
    if (link) link.heard = this.#now();
    if (data instanceof ArrayBuffer) this.#on.packet(peer, NUMBERS[name], data);
    else this.#on.log(`player ${peer} sent something that is not bytes on the ${name} channel`);
  }
}

/**
 * Whether both channels of the direct way are open.
 *
 * @param {Link} link
 */
function open({ ends }) {
  return NAMES.every((name) => ends[NUMBERS[name]]?.open);
}
