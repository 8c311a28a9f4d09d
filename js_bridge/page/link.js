/**
 * @file The direct connection to one other page: an RTCPeerConnection with two data channels that go to the worker at
 * once, or are kept by the page where they cannot. It is repaired by an ICE restart where it is interrupted, and made
 * anew, ever more patiently, where it failed. It reads no packet.
 *
 * Of two pages the one with the lower index makes every offer, so that offers never cross; the other one asks for
 * them. Each RTCPeerConnection of a pair of pages has a number on which both agree, each offer another within it;
 * what belongs to an earlier one, or to a page that had one of the two places before, is dropped.
 */

import { Holding } from "../holding.js";

/** @typedef {import("../messages.js").ChannelName} ChannelName */
/** @typedef {import("./links.js").LinksOptions} LinksOptions */

/**
 * An input packet that is lost is sent once more, although the next one says all that it said: what is never sent again
 * must be announced as given up, and where these announcements are lost as well, as they are not repeated at once, the
 * browser falls silent for seconds.
 *
 * @type {Readonly<Record<ChannelName, RTCDataChannelInit>>}
 */
const CHANNELS = Object.freeze({
  input: { negotiated: true, id: 1, ordered: false, maxRetransmits: 1 },
  control: { negotiated: true, id: 2, ordered: true },
});

/** How long a connection may take to come up, and a repair to help, in milliseconds. */
export const ATTEMPT = 15_000;
export const REPAIR = 8000;
/** How long to wait before the next attempt, by the number of those that failed; the last one is repeated. */
export const WAITS = Object.freeze([500, 1000, 2000, 4000, 8000, 15_000]);
/** The page that asks waits a little longer than the one that offers, and so need not ask as a rule. */
export const POLITE = 1000;

/** The connection to one page. */
export class Link {
  /** How each channel reaches the worker. @type {Record<string, "transferred" | "proxied">} */
  ways = {};
  #peer;
  #pair;
  #options;
  #offers;
  #attempt = 0;
  #round = 0;
  #failures = 0;
  /** Whether the other page is away. */
  #away = false;
  #connection;
  /** @type {Map<ChannelName, {channel: RTCDataChannel, holding: Holding}>} */
  #kept = new Map();
  #work = Promise.resolve();
  /** What is to happen if nothing else does. @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {"connecting" | "connected" | "repairing" | "waiting" | "paused" | "closed"} */
  #state = "connecting";

  /**
   * @param {number} peer
   * @param {number} incarnation of the other page
   * @param {LinksOptions} options
   */
  constructor(peer, incarnation, options) {
    this.#peer = peer;
    this.#options = options;
    this.#offers = options.index < peer;
    this.#pair = this.#offers ? [options.incarnation, incarnation] : [incarnation, options.incarnation];
    this.#connection = this.#connect();
    if (this.#offers) this.#offer();
  }

  /**
   * Takes a signal of the other page. One after the other, in the order in which they came: a candidate is never
   * added before the description that it belongs to.
   *
   * @param {any} data
   */
  signal(data) {
    if (this.#state === "closed" || String(data.pair) !== String(this.#pair)) return;
    if (data.closed === true) {
      this.pause();
      this.#options.post({ type: "link_left", peer: this.#peer, reason: "the other page closed the connection" });
    } else if (data.again === true) {
      this.#asked(data.attempt);
    } else if (data.description || data.candidate) {
      if (data.attempt > this.#attempt && data.description?.type === "offer") this.#follow(data.attempt);
      if (data.attempt === this.#attempt) this.#take(data);
    } else {
      this.#options.log(`player ${this.#peer} sent a signal that is neither a description nor a candidate`);
    }
  }

  /**
   * @param {ChannelName} name
   * @param {ArrayBuffer} data
   */
  send(name, data) {
    const kept = this.#kept.get(name);
    if (kept?.channel.readyState !== "open" || (name === "input" && kept.holding.back)) return;
    try {
      kept.channel.send(data);
    } catch (error) {
      const reason = messageOf(error);
      this.#options.log(`a packet of ${data.byteLength} bytes for player ${this.#peer} was not sent: ${reason}`);
      if (name === "control") this.#fail(`the control channel refused a packet: ${reason}`);
    }
  }

  /**
   * The worker has trouble with the channels: they are silent (`open`), or one of them closed.
   *
   * @param {boolean} open
   */
  trouble(open) {
    if (this.#state !== "connected") return;
    if (open) this.#repair();
    else this.#fail("a channel closed");
  }

  /** The other page, or the line to the server, was away and is back. */
  resume() {
    this.#away = false;
    if (this.#state === "closed" || this.#state === "connected") return;
    this.#failures = 0;
    this.#again();
  }

  /** The other page is away: there is nobody to make a connection with. One that stands may go on. */
  pause() {
    this.#away = true;
    if (this.#state === "closed" || this.#state === "connected") return;
    clearTimeout(this.#timer);
    this.#state = "paused";
  }

  /** Closes the connection for good, and tells the other page. */
  leave() {
    if (this.#state !== "closed") this.#signal({ closed: true });
    this.close();
  }

  /** Closes the connection for good. */
  close() {
    this.#state = "closed";
    clearTimeout(this.#timer);
    this.#release();
  }

  // -- attempts -------------------------------------------------------------------------------------------------------

  #connect() {
    const connection = new RTCPeerConnection(this.#options.configuration);
    this.#state = "connecting";
    connection.onicecandidate = ({ candidate }) => {
      if (candidate && connection === this.#connection) this.#signal({ candidate: candidate.toJSON() });
    };
    connection.onconnectionstatechange = () => {
      if (connection === this.#connection) this.#changed(connection.connectionState);
    };
    for (const name of /** @type {ChannelName[]} */ (Object.keys(CHANNELS))) this.#open(connection, name);
    this.#after(ATTEMPT, () => this.#fail("no way through the network was found"));
    return connection;
  }

  /** @param {RTCPeerConnectionState} state */
  #changed(state) {
    if (this.#state === "closed") return;
    if (state === "connected") {
      clearTimeout(this.#timer);
      this.#failures = 0;
      this.#state = "connected";
    } else if (state === "disconnected" && this.#state === "connected") {
      this.#repair();
    } else if (state === "failed") {
      this.#fail("the way through the network was lost");
    }
  }

  /** An ICE restart: the same connection looks for another way through the network. */
  #repair() {
    this.#state = "repairing";
    this.#after(REPAIR, () => {
      if (this.#connection.connectionState === "connected") this.#state = "connected";
      else this.#fail("the way through the network was lost");
    });
    if (this.#offers) this.#offer(true);
    else this.#signal({ again: true });
  }

  /**
   * The other page, which makes no offers, needs one; so it is there.
   *
   * @param {number} attempt the connection that it has trouble with
   */
  #asked(attempt) {
    if (!this.#offers || attempt !== this.#attempt) return;
    this.#away = false;
    if (this.#state === "connected") this.#repair();
    else if (this.#state === "waiting" || this.#state === "paused") this.#again();
  }

  /** @param {string} reason */
  #fail(reason) {
    if (this.#state === "closed" || this.#state === "waiting" || this.#state === "paused") return;
    clearTimeout(this.#timer);
    this.#state = this.#away ? "paused" : "waiting";
    this.#options.log(`no direct connection to player ${this.#peer}: ${reason}`);
    this.#options.post({ type: "link_lost", peer: this.#peer, reason });
    if (!this.#away) this.#wait();
  }

  #wait() {
    const wait = WAITS[Math.min(this.#failures, WAITS.length - 1)] ?? 0;
    this.#failures += 1;
    this.#after(wait + (this.#offers ? 0 : POLITE), () => this.#again());
  }

  /** The next attempt: a new connection is offered, or asked for. */
  #again() {
    if (this.#offers) {
      this.#follow(this.#attempt + 1);
      this.#offer();
    } else {
      this.#state = "waiting";
      this.#signal({ again: true });
      this.#wait();
    }
  }

  /** @param {number} attempt */
  #follow(attempt) {
    this.#release();
    this.#away = false;
    this.#attempt = attempt;
    this.#round = 0;
    this.#connection = this.#connect();
  }

  #release() {
    for (const { channel } of this.#kept.values()) channel.onopen = channel.onclose = channel.onmessage = null;
    this.#kept.clear();
    this.#connection.close();
  }

  /**
   * @param {number} milliseconds
   * @param {() => void} step
   */
  #after(milliseconds, step) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(step, milliseconds);
  }

  // -- signals --------------------------------------------------------------------------------------------------------

  /** @param {any} data */
  #signal(data) {
    this.#options.signal(this.#peer, { pair: this.#pair, attempt: this.#attempt, ...data });
  }

  #offer(restart = false) {
    this.#round += 1;
    const round = this.#round;
    this.#queue(async (connection) => {
      if (restart) connection.restartIce();
      await connection.setLocalDescription();
      this.#signal({ round, description: description(connection) });
    });
  }

  /** @param {any} data */
  #take(data) {
    this.#queue(async (connection) => {
      if (data.candidate) {
        await connection.addIceCandidate(data.candidate);
        return;
      }
      const { type } = data.description;
      if ((type === "offer") === this.#offers || (type !== "offer" && data.round !== this.#round)) return;
      await connection.setRemoteDescription(data.description);
      if (type !== "offer") return;
      await connection.setLocalDescription();
      this.#signal({ round: data.round, description: description(connection) });
    });
  }

  /** @param {(connection: RTCPeerConnection) => Promise<void>} step */
  #queue(step) {
    const connection = this.#connection;
    const stale = () => connection !== this.#connection || this.#state === "closed";
    this.#work = this.#work.then(() => (stale() ? undefined : step(connection))).catch((error) => {
      if (stale()) return;
      if (connection.signalingState === "stable" && connection.remoteDescription) {
        // A candidate that this browser cannot use; another one may do.
        this.#options.log(`a signal of player ${this.#peer} was of no use: ${messageOf(error)}`);
      } else {
        this.#fail(`the connection could not be negotiated: ${messageOf(error)}`);
      }
    });
  }

  // -- channels -------------------------------------------------------------------------------------------------------

  /**
   * @param {RTCPeerConnection} connection
   * @param {ChannelName} name
   */
  #open(connection, name) {
    const channel = connection.createDataChannel(name, CHANNELS[name]);
    if (!this.#options.proxy) {
      try {
        // Nothing may touch the channel before it is transferred.
        const port = /** @type {any} */ (channel);
        this.#options.post({ type: "channel", peer: this.#peer, channel: name, port }, [port]);
        this.ways[name] = "transferred";
        return;
      } catch (error) {
        const uncloneable = error instanceof DOMException && error.name === "DataCloneError";
        if (!uncloneable && !(error instanceof TypeError)) throw error;
        this.#options.log(`this browser does not transfer data channels (${error.message}); the page keeps them`);
      }
    }
    this.#keep(name, channel);
  }

  /**
   * @param {ChannelName} name
   * @param {RTCDataChannel} channel
   */
  #keep(name, channel) {
    const { post } = this.#options;
    const place = { peer: this.#peer, channel: name };
    this.ways[name] = "proxied";
    this.#kept.set(name, { channel, holding: new Holding(channel, () => performance.now()) });
    channel.binaryType = "arraybuffer";
    channel.onopen = () => post({ type: "proxied", ...place, state: "open" });
    channel.onclose = () => post({ type: "proxied", ...place, state: "closed" });
    channel.onmessage = ({ data }) => {
      if (data instanceof ArrayBuffer) post({ type: "packet", ...place, data }, [data]);
      else this.#options.log(`player ${this.#peer} sent something that is not bytes on the ${name} channel`);
    };
    post({ type: "proxied", ...place, state: "made" });
  }
}

/** @param {unknown} error */
function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}

/** @param {RTCPeerConnection} connection */
function description({ localDescription }) {
  return { type: localDescription?.type, sdp: localDescription?.sdp };
}
