/**
 * @file The laws of a player's part in a match, as the public entry gives it: what goes between server, worker, links
 * and page, and in which order.
 */

import assert from "node:assert/strict";
import test from "node:test";

import { connect } from "../index.js";
import { FakeConnection, FakeSocket, FakeWindow, FakeWorker, pretend, recordingContext } from "./support/browser.js";
import { CONFIG, START } from "./support/session.js";

const ABOUT = {
  stats: ["frame", "rollbacks"], width: 4, height: 3, keys: ["ArrowUp"], instructions: "Move.", name: "Two squares",
};
const FIRST = { pair: [0, 0], attempt: 0, round: 1 };
const NOBODY = { player_id: "A", index: 0, ready: false };

/**
 * A page that has just called connect().
 *
 * @param {import("node:test").TestContext} context
 * @param {Partial<import("../index.js").ConnectionOptions>} [options]
 */
function connecting(context, options = {}) {
  context.mock.timers.reset();
  context.mock.timers.enable({ apis: ["setTimeout"] });
  FakeConnection.made = [];
  FakeSocket.made = [];
  FakeWorker.made = [];
  const page = new FakeWindow();
  const quiet = () => {};
  pretend(context, {
    window: page, location: { origin: "http://server" }, WebSocket: FakeSocket, Worker: FakeWorker,
    RTCPeerConnection: FakeConnection, ResizeObserver: class { observe() {} disconnect() {} },
    requestAnimationFrame: () => 1, cancelAnimationFrame: quiet,
    console: { ...console, info: quiet, warn: quiet, error: quiet },
  });
  /** @type {any[]} */
  const seen = [];
  const connection = connect({
    room: "r1", playerId: "A",
    canvas: /** @type {any} */ ({ getContext: () => recordingContext().context }),
    ...options,
    onPhase: (phase) => seen.push(phase),
    onPlayers: (players, count) => seen.push([players.length, count]),
    onLinks: (links) => seen.push(Object.fromEntries(links)),
    onPaused: (players) => seen.push(["paused", ...players]),
    onPeers: (peers, onDrop) => seen.push({ peers: Object.fromEntries(peers), onDrop }),
    onCatchingUp: (share) => seen.push({ share }),
    onJoined: (running) => running && seen.push("running"),
    onRejoin: () => seen.push("rejoin"),
    onLine: (line) => seen.push({ line }),
    onAbout: (about) => seen.push(about.name),
  });
  const [worker] = FakeWorker.made;
  const [server] = FakeSocket.made;
  assert.ok(worker && server);
  return { connection, worker, server, seen, page };
}

/** @param {ReturnType<typeof connecting>} part */
async function ready({ worker, server }) {
  server.say({ type: "joined", player_id: "A", index: 0, player_count: 2, key: "k1", running: false, config: CONFIG });
  worker.say({ type: "ready", about: ABOUT });
  await new Promise((resolve) => { setImmediate(resolve); });
}

/** @param {FakeWorker} worker */
const types = (worker) => worker.told.map(({ type }) => type);

test("the worker is made at once, and loads what the server says", (context) => {
  const { worker, server } = connecting(context);
  assert.match(String(worker.url), /\/worker\/worker\.js$/);
  assert.equal(worker.options.type, "module");
  assert.equal(server.url, "ws://server/api/rooms/r1/socket?player_id=A");
  server.say({ type: "joined", player_id: "A", index: 0, player_count: 2, key: "k1", running: false, config: CONFIG });
  assert.deepEqual(worker.told, [{ type: "load", config: CONFIG }]);
});

test("a player is ready when the worker is, and waits for the others", async (context) => {
  const part = connecting(context);
  await ready(part);
  part.server.say({ type: "roster", players: [NOBODY] });
  assert.deepEqual(part.server.sent, [{ type: "ready" }]);
  assert.equal(part.connection.phase, "waiting");
  assert.deepEqual(part.seen, ["Two squares", "waiting", [1, 2]]);
});

test("no connection is made before the match starts, which the worker hears of first", async (context) => {
  const part = connecting(context);
  part.server.say({ type: "start", start: START });
  await ready(part);
  assert.equal(FakeConnection.made.length, 0);
  part.server.say({ type: "start", start: START });
  part.server.say({ type: "start", start: START });
  assert.equal(FakeConnection.made.length, 1);
  assert.deepEqual(types(part.worker), ["load", "start", "expect", "channel", "channel", "focus"]);
  assert.deepEqual(part.worker.told[1], { type: "start", start: START });
  assert.deepEqual(part.worker.told.at(-1), { type: "focus", focused: true });
});

test("a signal that overtakes the start is kept for it", async (context) => {
  const part = connecting(context);
  await ready(part);
  const description = { type: "offer", sdp: "sdp of an offer" };
  part.server.say({ type: "signal", from: 0, data: { ...FIRST, description } });
  part.server.say({ type: "start", start: { ...START, index: 1, peers: [{ index: 0, incarnation: 0 }] } });
  while (part.server.sent.at(-1).type !== "signal") await new Promise((resolve) => { setImmediate(resolve); });
  assert.deepEqual(part.server.sent.at(-1), {
    type: "signal", to: 0, data: { ...FIRST, description: { type: "answer", sdp: "sdp of an answer" } },
  });
});

test("keys and focus go to the worker while the match lasts", async (context) => {
  const part = connecting(context);
  await ready(part);
  part.page.fire("keydown", { key: "ArrowUp", code: "ArrowUp" });
  part.server.say({ type: "start", start: START });
  part.page.fire("keydown", { key: "ArrowUp", code: "ArrowUp" });
  part.page.fire("blur");
  part.worker.say({ type: "phase", phase: "playing" });
  part.worker.say({ type: "phase", phase: "finished", outcome: "completed", detail: "" });
  part.page.fire("keydown", { key: "ArrowUp", code: "ArrowUp" });
  assert.deepEqual(part.worker.told.slice(6), [
    { type: "key", key: "ArrowUp", down: true }, { type: "key", key: "ArrowUp", down: false },
    { type: "focus", focused: false },
  ]);
  assert.deepEqual([part.connection.phase, part.connection.outcome], ["finished", "completed"]);
});

test("an appeal of the worker goes to the server, whose verdict goes to the worker", async (context) => {
  const part = connecting(context);
  await ready(part);
  part.server.say({ type: "start", start: START });
  part.worker.say({ type: "appeal", gone: [[1, 0]] });
  part.worker.say({ type: "appeal", gone: [[1]] });
  assert.deepEqual(part.server.sent.filter(({ type }) => type === "appeal"), [{ type: "appeal", gone: [[1, 0]] }]);
  part.server.say({ type: "verdict", gone: [[1, 0]], granted: true });
  assert.deepEqual(part.worker.told.at(-1), { type: "verdict", gone: [[1, 0]], granted: true });
});

test("a page that is hidden says so, from the start of the match on, and hears who all wait for", async (context) => {
  const part = connecting(context);
  part.page.document.visibilityState = "hidden";
  await ready(part);
  part.server.say({ type: "start", start: START });
  part.page.document.visibilityState = "visible";
  part.page.fire("visibilitychange");
  assert.deepEqual(part.worker.told.filter(({ type }) => type === "focus" || type === "visibility").slice(-4), [
    { type: "focus", focused: false }, { type: "visibility", hidden: true },
    { type: "focus", focused: true }, { type: "visibility", hidden: false },
  ]);
  part.worker.say({ type: "paused", players: ["player_1"] });
  part.worker.say({ type: "paused", players: [1] });
  part.worker.say({ type: "paused", players: [] });
  assert.deepEqual(part.seen.slice(-2), [["paused", "player_1"], ["paused"]]);
});

test("the newest numbers are there to read at any time, by name", async (context) => {
  const part = connecting(context);
  assert.deepEqual(part.connection.stats(), {});
  await ready(part);
  assert.deepEqual(part.connection.stats(), {});
  part.worker.say({ type: "stats", values: Float64Array.of(1, 0) });
  part.worker.say({ type: "stats", values: Float64Array.of(449, 30) });
  assert.deepEqual(part.connection.stats(), { frame: 449, rollbacks: 30, links: {} });
});

test("an error of the worker is one message for a person, and all of it for the server", async (context) => {
  const part = connecting(context);
  await ready(part);
  part.server.say({ type: "start", start: START });
  part.worker.say({ type: "failed", error: "kitchen.py:5: ValueError: over", text: "Traceback\nValueError: over" });
  assert.deepEqual([part.connection.phase, part.connection.error], ["failed", "kitchen.py:5: ValueError: over"]);
  assert.deepEqual(part.server.sent.at(-1), {
    type: "failed", error: "kitchen.py:5: ValueError: over", text: "Traceback\nValueError: over", outcome: null,
  });
  assert.equal(part.worker.terminated, true);
  assert.deepEqual(FakeConnection.made[0]?.calls.at(-1), ["close"]);
});

test("a match that Python calls failed keeps its worker, which still has data to save", async (context) => {
  const part = connecting(context);
  await ready(part);
  part.server.say({ type: "start", start: START });
  part.worker.say({ type: "phase", phase: "failed", error: "the packages differ", outcome: "refused", detail: "" });
  const { phase, error, outcome } = part.connection;
  assert.deepEqual([phase, error, outcome], ["failed", "the packages differ", "refused"]);
  assert.equal(part.worker.terminated, false);
  assert.deepEqual(part.server.sent.at(-1), { type: "failed", error, text: error, outcome });
});

test("nothing follows a failure", async (context) => {
  const part = connecting(context);
  part.server.say({ type: "refused", error: "the room is full" });
  await ready(part);
  part.worker.say({ type: "failed", error: "another", text: "another" });
  assert.deepEqual([part.connection.phase, part.connection.error], ["failed", "the room is full"]);
  assert.equal(part.seen.filter((phase) => phase === "failed").length, 1);
  assert.deepEqual(part.server.sent.map(({ type }) => type), ["failed"]);
});

test("a worker that cannot run is a failure", (context) => {
  const { worker, connection } = connecting(context);
  worker.onerror({ message: "SyntaxError: unexpected token" });
  assert.equal(connection.error, "The worker could not run: SyntaxError: unexpected token.");
});

test("a lost line to the server is a failure before the match, and none in it", async (context) => {
  const early = connecting(context);
  early.server.onclose?.();
  assert.match(early.connection.error ?? "", /connection to the server was lost/);
  const late = connecting(context);
  await ready(late);
  late.server.say({ type: "start", start: START });
  late.worker.say({ type: "phase", phase: "playing" });
  late.server.onclose?.();
  assert.equal(late.connection.phase, "playing");
});

test("the way of each link is told as it changes, and is among the numbers", async (context) => {
  const part = connecting(context);
  await ready(part);
  part.server.say({ type: "start", start: START });
  assert.deepEqual(part.seen.at(-1), { 1: "connecting" });
  part.worker.say({ type: "link", peer: 1, state: "direct" });
  part.worker.say({ type: "link", peer: 1, state: "relay", reason: "nothing comes directly" });
  assert.deepEqual(part.seen.slice(-2), [{ 1: "direct" }, { 1: "relay" }]);
  part.worker.say({ type: "stats", values: Float64Array.of(1, 0) });
  assert.deepEqual(part.connection.stats().links, { 1: "relay" });
});

test("packets through the server go from the worker to the line, and from the line to the worker", async (context) => {
  const part = connecting(context);
  await ready(part);
  part.server.say({ type: "start", start: START });
  part.worker.say({ type: "relay", peer: 1, channel: "control", heard: true, data: new Uint8Array([7]).buffer });
  assert.deepEqual(part.server.sent.at(-1), [1, 1, 1, 7]);
  part.server.relay([1, 0, 0, 8]);
  const data = new Uint8Array([8]).buffer;
  assert.deepEqual(part.worker.told.at(-1), { type: "relayed", peer: 1, channel: "input", heard: false, data });
  const { length } = part.worker.told;
  part.server.relay([1]);
  assert.equal(part.worker.told.length, length);
});

test("the worker hears of a page that left, and of the one that takes its place", async (context) => {
  const part = connecting(context);
  await ready(part);
  part.server.say({ type: "start", start: START });
  part.server.say({ type: "left", index: 1, lost: false });
  assert.deepEqual(part.worker.told.at(-1), { type: "link_left", peer: 1, reason: "the other page has left" });
  const { length } = part.worker.told;
  part.server.say({ type: "rejoined", index: 1, incarnation: 1 });
  assert.deepEqual(types(part.worker).slice(length), ["expect", "channel", "channel"]);
  assert.deepEqual(part.seen.at(-1), { 1: "connecting" });
  assert.equal(FakeConnection.made.length, 2);
  part.server.say({ type: "rejoined", index: 2, incarnation: 0 });
  assert.deepEqual(part.seen.at(-1), { 1: "connecting", 2: "connecting" });
});

test("a page that comes back connects to those who are there, and says which page it is", async (context) => {
  const part = connecting(context);
  await ready(part);
  part.server.say({ type: "start", start: { ...START, incarnation: 3, running: true, peers: [] } });
  assert.equal(FakeConnection.made.length, 0);
  assert.equal(part.worker.told[1].start.incarnation, 3);
});

test("a page whose place another window took plays no more, and goes without a word", async (context) => {
  const part = connecting(context);
  await ready(part);
  part.server.say({ type: "start", start: START });
  part.server.say({ type: "refused", error: "You joined this room again from another window." });
  assert.deepEqual([part.connection.phase, part.worker.terminated], ["failed", true]);
  assert.ok(!types(part.worker).includes("leave"));
  assert.ok(!part.server.sent.some(({ data }) => data?.closed));
});

test("a spectator watches: it has no keys, and says so to the server", async (context) => {
  const part = connecting(context, { watch: true });
  assert.equal(part.server.url, "ws://server/api/rooms/r1/socket?player_id=A&watch=1");
  await ready(part);
  const peers = [{ index: 0, incarnation: 0 }, { index: 1, incarnation: 0 }];
  part.server.say({ type: "start", start: { ...START, index: 2, running: true, peers } });
  assert.equal(FakeConnection.made.length, 2);
  part.page.fire("keydown", { key: "ArrowUp", code: "ArrowUp" });
  assert.ok(!types(part.worker).some((type) => type === "key" || type === "focus"));
});

test("what the match knows of the other players is told", async (context) => {
  const part = connecting(context);
  await ready(part);
  part.worker.say({ type: "peers", peers: [{ peer: 1, state: "silent" }], on_drop: "pause" });
  assert.deepEqual(part.seen.at(-1), { peers: { 1: "silent" }, onDrop: "pause" });
  part.worker.say({ type: "peers", peers: [{ peer: 1, state: "silent" }], on_drop: "perhaps" });
  assert.deepEqual(part.seen.at(-1), { peers: { 1: "silent" }, onDrop: "pause" });
});

test("a page that comes late hears that the match goes on, and how far it has caught up", async (context) => {
  const part = connecting(context);
  const seat = { player_id: "A", index: 0, player_count: 2, key: "k1" };
  part.server.say({ type: "joined", ...seat, running: true, config: CONFIG });
  assert.deepEqual(part.seen.at(-1), "running");
  for (const share of [0, 0.4, null]) {
    part.worker.say({ type: "catching_up", share });
    assert.deepEqual(part.seen.at(-1), { share });
  }
});

test("a page without which the others went on is loaded again, and does not call that a failure", async (context) => {
  const part = connecting(context);
  await ready(part);
  part.server.say({ type: "start", start: START });
  part.worker.say({ type: "phase", phase: "playing" });
  part.worker.say({ type: "rejoin", detail: "the others went on" });
  part.worker.say({ type: "rejoin", detail: "the others went on" });
  part.worker.say({ type: "phase", phase: "failed", outcome: "dropped", error: "the others went on" });
  assert.equal(part.page.location.reloads, 1);
  assert.equal(part.seen.at(-1), "rejoin");
  assert.equal(part.connection.phase, "playing");
  assert.ok(!part.server.sent.some(({ type }) => type === "failed"));
});

test("a line that is lost in a match is opened again, with the key of the seat", async (context) => {
  const part = connecting(context);
  await ready(part);
  part.server.say({ type: "start", start: START });
  part.server.lose();
  context.mock.timers.tick(1000);
  assert.equal(FakeSocket.made[1]?.url, "ws://server/api/rooms/r1/socket?player_id=A&resume=k1");
  part.worker.say({ type: "relay", peer: 1, channel: "control", heard: true, data: new Uint8Array([7]).buffer });
  FakeSocket.made[1]?.say({ type: "resumed" });
  assert.deepEqual(part.seen.slice(-2), [{ line: "lost" }, { line: "open" }]);
});

test("the policy for ICE is the server's, unless the page has one", async (context) => {
  const part = connecting(context, { iceTransportPolicy: "relay" });
  await ready(part);
  part.server.say({ type: "start", start: START });
  assert.deepEqual(FakeConnection.made[0]?.configuration, { iceServers: [], iceTransportPolicy: "relay" });
});

test("a malformed message of the worker is dropped and hurts nobody", async (context) => {
  const part = connecting(context);
  await ready(part);
  for (const message of [null, "hello", { type: "phase", phase: "dancing" }, { type: "stats", values: [1] }]) {
    part.worker.say(message);
  }
  assert.equal(part.connection.phase, "waiting");
});

test("stages are timed from the page's navigation", (context) => {
  const { worker, connection } = connecting(context);
  const start = performance.timeOrigin + 250;
  worker.say({ type: "stage", name: "core", bytes: 5, total: 10, start, end: null });
  const core = connection.stages.find(({ name }) => name === "core");
  assert.deepEqual(core, { name: "core", bytes: 5, total: 10, start: start - performance.timeOrigin, end: null });
});

test("a page that goes stays until the worker has said goodbye, if that does not take long", async (context) => {
  const part = connecting(context);
  await ready(part);
  part.page.fire("pagehide");
  const { type, done } = part.worker.told.at(-1);
  assert.deepEqual([type, Atomics.load(done, 0)], ["leave", 1]);
  part.worker.deaf = true;
  const began = performance.now();
  part.page.fire("pagehide");
  assert.ok(performance.now() - began >= 150);
});

test("where page and worker share no memory, a page that goes says so and goes", async (context) => {
  const part = connecting(context);
  await ready(part);
  pretend(context, { SharedArrayBuffer: undefined });
  part.page.fire("pagehide");
  assert.deepEqual(part.worker.told.at(-1), { type: "leave" });
});

test("closing says goodbye and releases everything", async (context) => {
  const part = connecting(context);
  await ready(part);
  part.server.say({ type: "start", start: START });
  part.connection.close();
  assert.equal(types(part.worker).at(-1), "leave");
  assert.deepEqual([part.worker.terminated, part.server.readyState], [true, 3]);
  const { length } = part.worker.told;
  part.page.fire("pagehide");
  part.page.fire("keydown", { key: "ArrowUp", code: "ArrowUp" });
  assert.equal(part.worker.told.length, length);
});

test("connect() says which of its options is missing", () => {
  const canvas = /** @type {any} */ ({ getContext: () => null });
  assert.throws(() => connect({ room: "", playerId: "A", canvas }), /name of a room/);
  assert.throws(() => connect({ room: "r", playerId: "", canvas }), /playerId/);
  assert.throws(() => connect({ room: "r", playerId: "A", canvas: /** @type {any} */ (null) }), /canvas/);
});
