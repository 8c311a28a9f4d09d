/**
 * @file As much of a browser as the page's modules touch, for tests under Node: every stand-in writes down what was
 * done to it.
 */

/** A 2D context that writes down every call and every property that is set. */
export function recordingContext() {
  /** @type {any[]} */
  const calls = [];
  const context = new Proxy({}, {
    get: (_target, name) => (/** @type {any[]} */ ...values) => { calls.push([name, ...values]); },
    set: (_target, name, value) => { calls.push([name, value]); return true; },
  });
  return { context: /** @type {any} */ (context), calls };
}

/** A window with a document that has the focus. */
export class FakeWindow extends EventTarget {
  document = Object.assign(new EventTarget(), { visibilityState: "visible", hasFocus: () => true });
  location = { reloads: 0, reload() { this.reloads += 1; } };

  /** @param {string} type @param {object} [properties] @returns {Event} the event, after it was heard */
  fire(type, properties = {}) {
    const event = new Event(type, { cancelable: true });
    for (const [name, value] of Object.entries(properties)) Object.defineProperty(event, name, { value });
    (type === "visibilitychange" ? this.document : this).dispatchEvent(event);
    return event;
  }
}

/** An RTCPeerConnection that writes down what it was asked, and answers as the standard says. */
export class FakeConnection {
  /** Every connection that was made. @type {FakeConnection[]} */
  static made = [];
  /** @type {any[]} */
  calls = [];
  /** @type {any[]} */
  channels = [];
  signalingState = "stable";
  connectionState = "new";
  /** @type {any} */
  localDescription = null;
  /** @type {any} */
  remoteDescription = null;
  /** @type {(event: any) => void} */
  onicecandidate = () => {};
  /** @type {() => void} */
  onconnectionstatechange = () => {};

  /** @param {any} configuration */
  constructor(configuration) {
    this.configuration = configuration;
    FakeConnection.made.push(this);
  }

  /** @param {string} label @param {any} options */
  createDataChannel(label, options) {
    const sent = /** @type {any[]} */ ([]);
    const channel = { label, options, readyState: "connecting", binaryType: "blob", bufferedAmount: 0, sent };
    Object.assign(channel, { send: (/** @type {any} */ data) => channel.sent.push(data), close: () => {} });
    this.channels.push(channel);
    return channel;
  }

  async setLocalDescription() {
    const type = this.signalingState === "have-remote-offer" ? "answer" : "offer";
    this.localDescription = { type, sdp: `sdp of an ${type}` };
    this.signalingState = type === "offer" ? "have-local-offer" : "stable";
    this.calls.push(["local", type]);
  }

  /** @param {any} description */
  async setRemoteDescription(description) {
    await new Promise((resolve) => { setImmediate(resolve); });
    if (description.sdp === "nonsense") throw new Error("no SDP");
    this.remoteDescription = description;
    this.signalingState = description.type === "offer" ? "have-remote-offer" : "stable";
    this.calls.push(["remote", description.type]);
  }

  /** @param {any} candidate */
  async addIceCandidate(candidate) {
    if (!this.remoteDescription) throw new Error("no remote description");
    if (candidate.candidate === "nonsense") throw new Error("no candidate");
    this.calls.push(["candidate", candidate.candidate]);
  }

  restartIce() {
    this.calls.push(["restart"]);
  }

  close() {
    this.calls.push(["close"]);
  }

  /** What the browser finds. @param {string} state */
  become(state) {
    this.connectionState = state;
    this.onconnectionstatechange();
  }
}

/** A WebSocket whose server is the test. */
export class FakeSocket {
  static OPEN = 1;
  /** Every socket that was opened. @type {FakeSocket[]} */
  static made = [];
  readyState = 1;
  /** @type {any[]} */
  sent = [];
  binaryType = "blob";
  bufferedAmount = 0;
  /** @type {((event: {data: any}) => void) | null} */
  onmessage = null;
  /** @type {(() => void) | null} */
  onclose = null;

  /** @param {string} url */
  constructor(url) {
    this.url = url;
    FakeSocket.made.push(this);
  }

  /** @param {string | Uint8Array} data */
  send(data) {
    this.sent.push(typeof data === "string" ? JSON.parse(data) : [...data]);
  }

  close() {
    this.readyState = 3;
  }

  /** What the server says. @param {unknown} message */
  say(message) {
    this.onmessage?.({ data: JSON.stringify(message) });
  }

  /** What other pages sent through the server. @param {number[]} bytes */
  relay(bytes) {
    this.onmessage?.({ data: new Uint8Array(bytes).buffer });
  }

  /** The line breaks off. */
  lose() {
    this.readyState = 3;
    this.onclose?.();
  }
}

/** A worker that writes down what it is told. */
export class FakeWorker {
  /** Every worker that was made. @type {FakeWorker[]} */
  static made = [];
  /** @type {any[]} */
  told = [];
  terminated = false;
  /** Whether it lets a page that goes wait in vain. */
  deaf = false;
  /** @type {(event: {data: any}) => void} */
  onmessage = () => {};
  /** @type {(event: any) => void} */
  onerror = () => {};

  /** @param {URL} url @param {any} options */
  constructor(url, options) {
    this.url = url;
    this.options = options;
    FakeWorker.made.push(this);
  }

  /** @param {any} message */
  postMessage(message) {
    this.told.push(message);
    if (message.done && !this.deaf) Atomics.store(message.done, 0, 1);
  }

  terminate() {
    this.terminated = true;
  }

  /** What the worker says. @param {any} message */
  say(message) {
    this.onmessage({ data: message });
  }
}

/**
 * Gives global names these values until the test is over.
 *
 * @param {import("node:test").TestContext} context
 * @param {Record<string, unknown>} values
 */
export function pretend(context, values) {
  for (const [name, value] of Object.entries(values)) {
    const before = Object.getOwnPropertyDescriptor(globalThis, name);
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
    context.after(() => {
      if (before) Object.defineProperty(globalThis, name, before);
      else Reflect.deleteProperty(globalThis, name);
    });
  }
}
