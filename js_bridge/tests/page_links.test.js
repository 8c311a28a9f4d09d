/**
 * @file The laws of the direct connections between pages.
 */

import assert from "node:assert/strict";
import test from "node:test";

import { ATTEMPT, POLITE, REPAIR, WAITS } from "../page/link.js";
import { GRACE, Links } from "../page/links.js";
import { FakeConnection, pretend } from "./support/browser.js";

const FIRST = { pair: [0, 0], attempt: 0 };
const OFFER = { ...FIRST, round: 1, description: { type: "offer", sdp: "sdp of an offer" } };
const ANSWER = { ...FIRST, round: 1, description: { type: "answer", sdp: "sdp of an answer" } };

/** As many turns of the event loop as the longest chain of answers in these tests takes. */
async function settled() {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => { setImmediate(resolve); });
}

/**
 * @param {import("node:test").TestContext} context
 * @param {number} index
 * @param {{proxy?: boolean, transfer?: () => void, peers?: number[], incarnation?: number}} [options]
 */
function linking(context, index, { proxy = false, transfer = () => {}, peers = [1 - index], incarnation = 0 } = {}) {
  FakeConnection.made = [];
  pretend(context, { RTCPeerConnection: FakeConnection });
  context.mock.timers.reset();
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const seen = {
    signals: /** @type {any[]} */ ([]), posts: /** @type {any[]} */ ([]), logs: /** @type {string[]} */ ([]),
  };
  const links = new Links({
    index, proxy, incarnation,
    configuration: { iceServers: [{ urls: "stun:server" }] },
    signal: (to, data) => seen.signals.push([to, data]),
    post: (message, ports) => {
      if (message.type === "channel") transfer();
      seen.posts.push([message, ports]);
    },
    log: (text) => seen.logs.push(text),
  });
  for (const peer of peers) links.add(peer, 0);
  const pass = async (/** @type {number} */ milliseconds) => {
    context.mock.timers.tick(milliseconds);
    await settled();
  };
  const told = () => seen.posts.map(([message]) => message).filter(({ type }) => type.startsWith("link_"));
  const { made } = FakeConnection;
  const newest = () => { const found = made.at(-1); assert.ok(found); return found; };
  return { links, seen, pass, told, newest, connections: made };
}

test("every other page has one connection with two negotiated channels", (context) => {
  const { connections } = linking(context, 0, { peers: [1, 2] });
  assert.equal(connections.length, 2);
  for (const { channels, configuration } of connections) {
    assert.deepEqual(configuration, { iceServers: [{ urls: "stun:server" }] });
    assert.deepEqual(channels.map(({ label, options }) => [label, options]), [
      ["input", { negotiated: true, id: 1, ordered: false, maxRetransmits: 1 }],
      ["control", { negotiated: true, id: 2, ordered: true }],
    ]);
  }
});

test("a page is expected, then its channels go to the worker untouched, before anything is negotiated", (context) => {
  const { seen, connections, links } = linking(context, 0);
  const [input, control] = connections[0]?.channels ?? [];
  assert.deepEqual(seen.posts.map(([message]) => message), [
    { type: "expect", peer: 1 },
    { type: "channel", peer: 1, channel: "input", port: input },
    { type: "channel", peer: 1, channel: "control", port: control },
  ]);
  assert.deepEqual(seen.posts.slice(1).map(([, ports]) => ports), [[input], [control]]);
  assert.equal(input.binaryType, "blob");
  assert.deepEqual(connections[0]?.calls, []);
  assert.deepEqual(links.ways, { 1: { input: "transferred", control: "transferred" } });
});

test("the page with the lower index makes the offer, the other one answers", async (context) => {
  const lower = linking(context, 0);
  await settled();
  assert.deepEqual(lower.seen.signals, [[1, OFFER]]);
  const higher = linking(context, 1);
  await settled();
  assert.deepEqual(higher.seen.signals, []);
  higher.links.signal(0, OFFER);
  await settled();
  assert.deepEqual(higher.seen.signals, [[0, ANSWER]]);
  lower.links.signal(1, ANSWER);
  await settled();
  assert.deepEqual(lower.connections[0]?.calls, [["local", "offer"], ["remote", "answer"]]);
});

test("a candidate is never added before the description that it belongs to", async (context) => {
  const { links, connections, seen } = linking(context, 1);
  links.signal(0, OFFER);
  links.signal(0, { ...FIRST, candidate: { candidate: "one" } });
  links.signal(0, { ...FIRST, candidate: { candidate: "two" } });
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
  assert.deepEqual(seen.signals, [[0, { ...FIRST, candidate: { candidate: "mine" } }]]);
});

test("a candidate of no use is told of and hurts nobody", async (context) => {
  const { links, seen, connections, told } = linking(context, 1);
  links.signal(0, OFFER);
  links.signal(0, { ...FIRST, candidate: { candidate: "nonsense" } });
  links.signal(0, { ...FIRST, candidate: { candidate: "one" } });
  links.signal(0, { ...FIRST, surprise: true });
  await settled();
  assert.deepEqual(told(), []);
  assert.equal(seen.logs.length, 2);
  assert.deepEqual(connections[0]?.calls.at(-1), ["candidate", "one"]);
});

test("what belongs to a page that had one of the two places before is dropped", async (context) => {
  const { links, connections, seen } = linking(context, 1);
  for (const pair of [[1, 0], [0, 1], undefined, "0,0,0"]) links.signal(0, { ...OFFER, pair });
  await settled();
  assert.deepEqual([connections[0]?.calls, seen.signals, seen.logs], [[], [], []]);
});

// -- repairs and new attempts ----------------------------------------------------------------------------------------

test("an interrupted connection is repaired by an ICE restart, offered by the lower index", async (context) => {
  const lower = linking(context, 0);
  await settled();
  lower.links.signal(1, ANSWER);
  await settled();
  lower.newest().become("connected");
  lower.newest().become("disconnected");
  await settled();
  assert.deepEqual(lower.newest().calls.slice(2), [["restart"], ["local", "offer"]]);
  assert.equal(lower.seen.signals.at(-1)[1].round, 2);
  const higher = linking(context, 1);
  higher.newest().become("connected");
  higher.newest().become("disconnected");
  assert.deepEqual(higher.seen.signals, [[0, { ...FIRST, again: true }]]);
  assert.deepEqual([...lower.told(), ...higher.told()], [], "meanwhile the direct way may still come back");
});

test("a page that is asked repairs, too, once", async (context) => {
  const { links, newest } = linking(context, 0);
  await settled();
  newest().become("connected");
  links.signal(1, { ...FIRST, again: true });
  links.signal(1, { ...FIRST, again: true });
  await settled();
  assert.deepEqual(newest().calls, [["local", "offer"], ["restart"], ["local", "offer"]]);
});

test("an answer to an earlier offer is dropped", async (context) => {
  const { links, newest } = linking(context, 0);
  await settled();
  newest().become("connected");
  links.trouble(1, true);
  links.signal(1, ANSWER);
  await settled();
  assert.ok(!newest().calls.some(([call]) => call === "remote"));
  links.signal(1, { ...ANSWER, round: 2 });
  await settled();
  assert.deepEqual(newest().calls.at(-1), ["remote", "answer"]);
});

test("a repair that does not help is a lost way, and a new connection is tried", async (context) => {
  const { newest, pass, told, connections, seen } = linking(context, 0);
  newest().become("connected");
  newest().become("disconnected");
  await pass(REPAIR - 1);
  assert.deepEqual(told(), []);
  await pass(1);
  assert.deepEqual(told().map(({ type, peer }) => [type, peer]), [["link_lost", 1]]);
  await pass(WAITS[0] ?? 0);
  assert.equal(connections.length, 2);
  assert.deepEqual(connections[0]?.calls.at(-1), ["close"]);
  assert.deepEqual(seen.signals.at(-1)[1], { ...OFFER, attempt: 1 });
});

test("a repair that helps is over", async (context) => {
  const { newest, pass, told, connections } = linking(context, 0);
  newest().become("connected");
  newest().become("disconnected");
  newest().become("connected");
  await pass(10 * REPAIR);
  assert.deepEqual([told(), connections.length], [[], 1]);
});

test("a connection that does not come up is tried anew, ever more patiently", async (context) => {
  const { connections, pass, told } = linking(context, 0);
  for (const [failed, wait] of [...WAITS, ...WAITS.slice(-1)].entries()) {
    await pass(ATTEMPT);
    assert.equal(told().length, failed + 1);
    await pass(wait - 1);
    assert.equal(connections.length, failed + 1);
    await pass(1);
    assert.equal(connections.length, failed + 2);
  }
});

test("the page with the higher index asks for a new connection until one is offered", async (context) => {
  const { newest, pass, seen, links, connections } = linking(context, 1);
  newest().become("failed");
  await pass((WAITS[0] ?? 0) + POLITE);
  await pass((WAITS[1] ?? 0) + POLITE);
  assert.deepEqual(seen.signals, [[0, { ...FIRST, again: true }], [0, { ...FIRST, again: true }]]);
  assert.equal(connections.length, 1);
  links.signal(0, { ...OFFER, attempt: 3 });
  await settled();
  assert.equal(connections.length, 2);
  assert.deepEqual(seen.signals.at(-1), [0, { ...ANSWER, attempt: 3 }]);
  links.signal(0, { ...FIRST, candidate: { candidate: "of the first attempt" } });
  links.signal(0, OFFER);
  await settled();
  assert.deepEqual(newest().calls, [["remote", "offer"], ["local", "answer"]]);
});

test("an offer that cannot be read is a lost way, told once", async (context) => {
  const { links, told } = linking(context, 1);
  links.signal(0, { ...OFFER, description: { type: "offer", sdp: "nonsense" } });
  links.signal(0, { ...FIRST, candidate: { candidate: "one" } });
  await settled();
  assert.deepEqual(told(), [
    { type: "link_lost", peer: 0, reason: "the connection could not be negotiated: no SDP" },
  ]);
});

test("silence on open channels is a reason to repair, a channel that closed to connect anew", async (context) => {
  const { links, newest, pass, told, connections } = linking(context, 0);
  newest().become("connected");
  links.trouble(1, true);
  await settled();
  assert.deepEqual(newest().calls.at(-2), ["restart"]);
  assert.deepEqual(told(), []);
  newest().become("connected");
  links.trouble(1, false);
  assert.equal(told().length, 1);
  await pass(WAITS[0] ?? 0);
  assert.equal(connections.length, 2);
});

test("nobody connects to a page that has left, until it is back", async (context) => {
  const { links, pass, connections, told } = linking(context, 0);
  links.left(1, false);
  await pass(10 * ATTEMPT);
  assert.equal(connections.length, 1);
  assert.equal(links.add(1, 0), false);
  assert.deepEqual(told().map(({ type }) => type), ["link_left", "link_back"]);
  assert.equal(connections.length, 2);
});

test("a connection that outlives its page's line is not made anew when it breaks in the end", async (context) => {
  const { links, newest, pass, connections, told } = linking(context, 0);
  newest().become("connected");
  links.left(1, false);
  newest().become("failed");
  await pass(10 * ATTEMPT);
  assert.deepEqual([connections.length, told().map(({ type }) => type)], [1, ["link_left", "link_lost"]]);
  links.add(1, 0);
  assert.equal(connections.length, 2);
});

test("a page whose line broke off has some time to come back", async (context) => {
  const { links, pass, told } = linking(context, 0);
  links.left(1, true);
  await pass(GRACE - 1);
  links.add(1, 0);
  await pass(GRACE);
  assert.deepEqual(told().map(({ type }) => type), ["link_back"]);
  links.left(1, true);
  await pass(GRACE);
  assert.deepEqual(told().map(({ type }) => type), ["link_back", "link_left"]);
});

test("the next page in a place is connected to anew, and the one before is forgotten", async (context) => {
  const { links, connections, seen } = linking(context, 0);
  await settled();
  assert.equal(links.add(1, 1), true);
  await settled();
  assert.deepEqual(connections.map(({ calls }) => calls.at(-1)?.[0]), ["close", "local"]);
  assert.deepEqual(seen.posts.filter(([{ type }]) => type === "expect").length, 2);
  assert.deepEqual(seen.signals.at(-1)[1], { ...OFFER, pair: [0, 1] });
  links.signal(1, ANSWER);
  await settled();
  assert.deepEqual(connections[1]?.calls, [["local", "offer"]], "an answer of the page before");
});

test("a line to the server that is there again brings the next attempt forward", async (context) => {
  const { links, newest, connections } = linking(context, 0);
  newest().become("failed");
  links.resume();
  assert.equal(connections.length, 2);
  newest().become("connected");
  links.resume();
  assert.equal(connections.length, 2);
});

test("closing closes every connection, and the other pages are told that it is for good", async (context) => {
  const { links, connections, seen, pass } = linking(context, 0, { peers: [1, 2] });
  await settled();
  links.close();
  assert.deepEqual(connections.map(({ calls }) => calls.at(-1)), [["close"], ["close"]]);
  assert.deepEqual(seen.signals.slice(-2), [[1, { ...FIRST, closed: true }], [2, { ...FIRST, closed: true }]]);
  await pass(10 * ATTEMPT);
  assert.equal(connections.length, 2);
  const other = linking(context, 1);
  other.links.signal(0, { ...FIRST, closed: true });
  assert.deepEqual(other.told().map(({ type }) => type), ["link_left"]);
});

test("a page whose place another one has goes without a word", async (context) => {
  const { links, connections, seen } = linking(context, 1);
  links.abandon();
  assert.deepEqual([connections[0]?.calls.at(-1), seen.signals], [["close"], []]);
});

// -- channels that the page keeps ------------------------------------------------------------------------------------

for (const [browser, error] of Object.entries({
  "refuses to clone it": new DOMException("a channel could not be cloned", "DataCloneError"),
  "knows no such transfer": new TypeError("the value does not have a transferable type"),
})) {
  test(`where the browser ${browser}, the page keeps the channel`, (context) => {
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

test("the page keeps every channel where it was asked to", (context) => {
  const { links, seen } = linking(context, 0, { proxy: true });
  assert.deepEqual(links.ways, { 1: { input: "proxied", control: "proxied" } });
  assert.ok(!seen.posts.some(([message]) => message.type === "channel"));
});

test("kept channels of an attempt before say nothing any more", async (context) => {
  const { links, connections, pass, newest } = linking(context, 0, { proxy: true });
  const before = connections[0]?.channels[0];
  newest().become("failed");
  await pass(WAITS[0] ?? 0);
  assert.deepEqual([before.onopen, before.onclose, before.onmessage], [null, null, null]);
  const after = newest().channels[0];
  before.readyState = after.readyState = "open";
  links.send(1, "input", new ArrayBuffer(1));
  assert.deepEqual([before.sent.length, after.sent.length], [0, 1]);
});

test("a packet for a channel that is not open is lost, as the network might have lost it", (context) => {
  const { links, connections } = linking(context, 0, { proxy: true });
  links.send(1, "input", new ArrayBuffer(1));
  links.send(5, "input", new ArrayBuffer(1));
  assert.deepEqual(connections[0]?.channels[0].sent, []);
});

test("a control packet that the browser refuses is a lost way", (context) => {
  const { links, told, connections } = linking(context, 0, { proxy: true });
  const control = connections[0]?.channels[1];
  control.readyState = "open";
  control.send = () => { throw new Error("the buffer is full"); };
  links.send(1, "control", new ArrayBuffer(1));
  assert.deepEqual(told(), [
    { type: "link_lost", peer: 1, reason: "the control channel refused a packet: the buffer is full" },
  ]);
});

test("a signal of somebody else is told of and dropped", (context) => {
  const { links, seen } = linking(context, 0);
  links.signal(9, { candidate: {} });
  assert.match(seen.logs[0] ?? "", /player 9/);
});
