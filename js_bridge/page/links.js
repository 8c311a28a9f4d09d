/**
 * @file The connections to the other players: one RTCPeerConnection each, with two data channels that go to the
 * worker at once, or are relayed by the page where they cannot. The player with the lower index makes the offer. It
 * reads no packet.
 */

/** @typedef {import("../messages.js").ChannelName} ChannelName */
/** @typedef {import("../messages.js").ToWorker} ToWorker */

/** @type {Readonly<Record<ChannelName, RTCDataChannelInit>>} */
const CHANNELS = Object.freeze({
  input: { negotiated: true, id: 1, ordered: false, maxRetransmits: 0 },
  control: { negotiated: true, id: 2, ordered: true },
});

/**
 * @typedef {object} LinksOptions
 * @property {number} index this player's
 * @property {number[]} peers the other players' indices
 * @property {RTCConfiguration} configuration
 * @property {boolean} proxy relay every channel, even where it could be transferred
 * @property {(to: number, data: any) => void} signal
 * @property {(message: ToWorker, transfer?: Transferable[]) => void} post to the worker
 * @property {(text: string) => void} log
 */

/** All connections of this player. */
export class Links {
  /** @type {Map<number, Link>} */
  #links = new Map();
  #log;

  /** @param {LinksOptions} options */
  constructor(options) {
    this.#log = options.log;
    for (const peer of options.peers) this.#links.set(peer, new Link(peer, options));
  }

  /**
   * Takes what another player's page sent for this one.
   *
   * @param {number} from
   * @param {any} data
   */
  signal(from, data) {
    const link = this.#links.get(from);
    if (link) link.signal(data);
    else this.#log(`a signal of player ${from}, who is not in this match`);
  }

  /**
   * Sends a packet of the worker on a channel that the page kept.
   *
   * @param {number} peer
   * @param {ChannelName} channel
   * @param {ArrayBuffer} data
   */
  send(peer, channel, data) {
    this.#links.get(peer)?.send(channel, data);
  }

  /** How the channels reach the worker, by player: "transferred" or "proxied". */
  get ways() {
    return Object.fromEntries([...this.#links].map(([peer, link]) => [peer, link.ways]));
  }

  /** Closes every connection. */
  close() {
    for (const link of this.#links.values()) link.close();
  }
}

/** The connection to one player. */
class Link {
  /** @type {Record<string, "transferred" | "proxied">} */
  ways = {};
  #peer;
  #options;
  #connection;
  /** @type {Map<ChannelName, RTCDataChannel>} */
  #kept = new Map();
  #work = Promise.resolve();
  #failed = false;

  /**
   * @param {number} peer
   * @param {LinksOptions} options
   */
  constructor(peer, options) {
    this.#peer = peer;
    this.#options = options;
    this.#connection = new RTCPeerConnection(options.configuration);
    this.#connection.onicecandidate = ({ candidate }) => {
      if (candidate) options.signal(peer, { candidate: candidate.toJSON() });
    };
    this.#connection.onconnectionstatechange = () => {
      if (this.#connection.connectionState !== "failed") return;
      this.#fail("no way through the network was found, or it was lost");
    };
    for (const name of /** @type {ChannelName[]} */ (Object.keys(CHANNELS))) this.#open(name);
    if (options.index < peer) {
      this.#queue(async () => {
        await this.#connection.setLocalDescription();
        options.signal(peer, { description: description(this.#connection) });
      });
    }
  }

  /**
   * One after the other, in the order in which they came: a candidate is never added before the description that it
   * belongs to.
   *
   * @param {any} data
   */
  signal(data) {
    this.#queue(async () => {
      if (data.description) {
        await this.#connection.setRemoteDescription(data.description);
        if (data.description.type !== "offer") return;
        await this.#connection.setLocalDescription();
        this.#options.signal(this.#peer, { description: description(this.#connection) });
      } else if (data.candidate) {
        await this.#connection.addIceCandidate(data.candidate);
      } else {
        this.#options.log(`player ${this.#peer} sent a signal that is neither a description nor a candidate`);
      }
    });
  }

  /**
   * @param {ChannelName} name
   * @param {ArrayBuffer} data
   */
  send(name, data) {
    const channel = this.#kept.get(name);
    if (channel?.readyState !== "open") return;
    try {
      channel.send(data);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#options.log(`a packet of ${data.byteLength} bytes for player ${this.#peer} was not sent: ${reason}`);
      if (name === "control") this.#fail(`the control channel refused a packet: ${reason}`);
    }
  }

  close() {
    this.#connection.close();
  }

  /** @param {ChannelName} name */
  #open(name) {
    const channel = this.#connection.createDataChannel(name, CHANNELS[name]);
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
        this.#options.log(`this browser does not transfer data channels (${error.message}); the page relays them`);
      }
    }
    this.#relay(name, channel);
  }

  /**
   * @param {ChannelName} name
   * @param {RTCDataChannel} channel
   */
  #relay(name, channel) {
    const { post } = this.#options;
    const place = { peer: this.#peer, channel: name };
    this.ways[name] = "proxied";
    this.#kept.set(name, channel);
    channel.binaryType = "arraybuffer";
    channel.onopen = () => post({ type: "proxied", ...place, state: "open" });
    channel.onclose = () => post({ type: "proxied", ...place, state: "closed" });
    channel.onmessage = ({ data }) => {
      if (data instanceof ArrayBuffer) post({ type: "packet", ...place, data }, [data]);
      else this.#options.log(`player ${this.#peer} sent something that is not bytes on the ${name} channel`);
    };
    post({ type: "proxied", ...place, state: "made" });
  }

  /** @param {() => Promise<void>} step */
  #queue(step) {
    this.#work = this.#work.then(step).catch((error) => {
      const reason = error instanceof Error ? error.message : String(error);
      if (this.#connection.signalingState === "stable" && this.#connection.remoteDescription) {
        // A candidate that this browser cannot use; another one may do.
        this.#options.log(`a signal of player ${this.#peer} was of no use: ${reason}`);
      } else {
        this.#fail(`the connection could not be negotiated: ${reason}`);
      }
    });
  }

  /** @param {string} error */
  #fail(error) {
    if (this.#failed) return;
    this.#failed = true;
    this.#options.post({ type: "link_failed", peer: this.#peer, error });
  }
}

/** @param {RTCPeerConnection} connection */
function description({ localDescription }) {
  return { type: localDescription?.type, sdp: localDescription?.sdp };
}
