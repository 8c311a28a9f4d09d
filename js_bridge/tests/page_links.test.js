/**
 * @file The laws of the connections between pages.
 */

import assert from "node:assert/strict";
import test from "node:test";

import { Links } from "../page/links.js";
import { FakeConnection, pretend } from "./support/browser.js";

/** As many turns of the event loop as the longest chain of answers in these tests takes. */
async function settled() {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => { setImmediate(resolve); });
}

/**
 * @param {import("node:test").TestContext} context
 * @param {number} index
 * @param {{proxy?: boolean, transfer?: () => void, peers?: number[]}} [options]
 */
function linking(context, index, { proxy = false, transfer = () => {}, peers = [1 - index] } = {}) {
  FakeConnection.made = [];
  pretend(context, { RTCPeerConnection: FakeConnection });
  const seen = {
    signals: /** @type {any[]} */ ([]), posts: /** @type {any[]} */ ([]), logs: /** @type {string[]} */ ([]),
  };
  const links = new Links({
    index, peers, proxy,
    configuration: { iceServers: [{ urls: "stun:server" }] },
    signal: (to, data) => seen.signals.push([to, data]),
    post: (message, ports) => {
      if (message.type === "channel") transfer();
      seen.posts.push([message, ports]);
    },
    log: (text) => seen.logs.push(text),
  });
  return { links, seen, connections: FakeConnection.made };
}

test("every other player has one connection with two negotiated channels", (context) => {
  const { connections } = linking(context, 0, { peers: [1, 2] });
  assert.equal(connections.length, 2);
  for (const { channels, configuration } of connections) {
    assert.deepEqual(configuration, { iceServers: [{ urls: "stun:server" }] });
    assert.deepEqual(channels.map(({ label, options }) => [label, options]), [
      ["input", { negotiated: true, id: 1, ordered: false, maxRetransmits: 0 }],
      ["control", { negotiated: true, id: 2, ordered: true }],
    ]);
  }
});

test("channels go to the worker untouched, before anything is negotiated", (context) => {
  const { seen, connections, links } = linking(context, 0);
  const [input, control] = connections[0]?.channels ?? [];
  assert.deepEqual(seen.posts.map(([message]) => message), [
    { type: "channel", peer: 1, channel: "input", port: input },
    { type: "channel", peer: 1, channel: "control", port: control },
  ]);
  assert.deepEqual(seen.posts.map(([, ports]) => ports), [[input], [control]]);
  assert.equal(input.binaryType, "blob");
  assert.deepEqual(connections[0]?.calls, []);
  assert.deepEqual(links.ways, { 1: { input: "transferred", control: "transferred" } });
});

test("the player with the lower index makes the offer, the other one answers", async (context) => {
  const lower = linking(context, 0);
  await settled();
  assert.deepEqual(lower.seen.signals, [[1, { description: { type: "offer", sdp: "sdp of an offer" } }]]);
  const higher = linking(context, 1);
  await settled();
  assert.deepEqual(higher.seen.signals, []);
  higher.links.signal(0, lower.seen.signals[0]?.[1]);
  await settled();
  assert.deepEqual(higher.seen.signals, [[0, { description: { type: "answer", sdp: "sdp of an answer" } }]]);
  lower.links.signal(1, higher.seen.signals[0]?.[1]);
  await settled();
  assert.deepEqual(lower.connections[0]?.calls, [["local", "offer"], ["remote", "answer"]]);
});

test("a candidate is never added before the description that it belongs to", async (context) => {
  const { links, connections, seen } = linking(context, 1);
  links.signal(0, { description: { type: "offer", sdp: "sdp of an offer" } });
  links.signal(0, { candidate: { candidate: "one" } });
  links.signal(0, { candidate: { candidate: "two" } });
  await settled();
  assert.deepEqual(connections[0]?.calls, [
    ["remote", "offer"], ["local", "answer"], ["candidate", "one"], ["candidate", "two"],
  ]);
  assert.deepEqual(seen.logs, []);
});

test("candidates of this side are told to the other", (context) => {
  const { seen, connections } = linking(context, 1);
  connections[0]?.onicecandidate({ candidate: { toJSON: () => ({ candidate: "mine" }) } });
  connections[0]?.onicecandidate({ candidate: null });
  assert.deepEqual(seen.signals, [[0, { candidate: { candidate: "mine" } }]]);
});

test("a candidate of no use is told of and hurts nobody", async (context) => {
  const { links, seen, connections } = linking(context, 1);
  links.signal(0, { description: { type: "offer", sdp: "sdp of an offer" } });
  links.signal(0, { candidate: { candidate: "nonsense" } });
  links.signal(0, { candidate: { candidate: "one" } });
  links.signal(0, { surprise: true });
  await settled();
  assert.equal(seen.posts.length, 2);
  assert.equal(seen.logs.length, 2);
  assert.deepEqual(connections[0]?.calls.at(-1), ["candidate", "one"]);
});

test("an offer that cannot be read is a failed link, told once", async (context) => {
  const { links, seen } = linking(context, 1);
  links.signal(0, { description: { type: "offer", sdp: "nonsense" } });
  links.signal(0, { candidate: { candidate: "one" } });
  await settled();
  assert.deepEqual(seen.posts.slice(2).map(([message]) => message), [
    { type: "link_failed", peer: 0, error: "the connection could not be negotiated: no SDP" },
  ]);
});

test("a connection beyond repair is a failed link; one that is interrupted is not", (context) => {
  const { seen, connections } = linking(context, 0);
  const [connection] = connections;
  assert.ok(connection);
  connection.connectionState = "disconnected";
  connection.onconnectionstatechange();
  assert.equal(seen.posts.length, 2);
  connection.connectionState = "failed";
  connection.onconnectionstatechange();
  connection.onconnectionstatechange();
  assert.deepEqual(seen.posts.slice(2).map(([message]) => message.type), ["link_failed"]);
});

for (const [browser, error] of Object.entries({
  "refuses to clone it": new DOMException("a channel could not be cloned", "DataCloneError"),
  "knows no such transfer": new TypeError("the value does not have a transferable type"),
})) {
  test(`where the browser ${browser}, the page relays the channel`, (context) => {
    const { links, seen, connections } = linking(context, 0, { transfer: () => { throw error; } });
    const input = connections[0]?.channels[0];
    assert.deepEqual(links.ways, { 1: { input: "proxied", control: "proxied" } });
    assert.equal(input.binaryType, "arraybuffer");
    input.readyState = "open";
    input.onopen();
    const data = new ArrayBuffer(2);
    input.onmessage({ data });
    links.send(1, "input", data);
    input.onclose();
    assert.deepEqual(seen.posts.filter(([message]) => message.channel === "input"), [
      [{ type: "proxied", peer: 1, channel: "input", state: "made" }, undefined],
      [{ type: "proxied", peer: 1, channel: "input", state: "open" }, undefined],
      [{ type: "packet", peer: 1, channel: "input", data }, [data]],
      [{ type: "proxied", peer: 1, channel: "input", state: "closed" }, undefined],
    ]);
    assert.deepEqual(input.sent, [data]);
  });
}

test("any other error of a transfer is nobody's to hide", (context) => {
  assert.throws(() => linking(context, 0, { transfer: () => { throw new RangeError("no memory"); } }), /no memory/);
});

test("the page relays every channel where it was asked to", (context) => {
  const { links, seen } = linking(context, 0, { proxy: true });
  assert.deepEqual(links.ways, { 1: { input: "proxied", control: "proxied" } });
  assert.ok(!seen.posts.some(([message]) => message.type === "channel"));
});

test("a packet for a channel that is not open is lost, as the network might have lost it", (context) => {
  const { links, connections } = linking(context, 0, { proxy: true });
  links.send(1, "input", new ArrayBuffer(1));
  links.send(5, "input", new ArrayBuffer(1));
  assert.deepEqual(connections[0]?.channels[0].sent, []);
});

test("a control packet that the browser refuses is a failed link", (context) => {
  const { links, seen, connections } = linking(context, 0, { proxy: true });
  const control = connections[0]?.channels[1];
  control.readyState = "open";
  control.send = () => { throw new Error("the buffer is full"); };
  links.send(1, "control", new ArrayBuffer(1));
  assert.deepEqual(seen.posts.at(-1)[0], {
    type: "link_failed", peer: 1, error: "the control channel refused a packet: the buffer is full",
  });
});

test("a signal of somebody else is told of and dropped", (context) => {
  const { links, seen } = linking(context, 0);
  links.signal(9, { candidate: {} });
  assert.match(seen.logs[0] ?? "", /player 9/);
});

test("closing closes every connection", (context) => {
  const { links, connections } = linking(context, 0, { peers: [1, 2] });
  links.close();
  assert.deepEqual(connections.map(({ calls }) => calls.at(-1)), [["close"], ["close"]]);
});
