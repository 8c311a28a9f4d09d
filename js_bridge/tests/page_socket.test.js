/**
 * @file The laws of the line to the server.
 */

import assert from "node:assert/strict";
import test from "node:test";

import { ATTEMPTS, Socket, WAITS, socketUrl } from "../page/socket.js";
import { FakeSocket, pretend } from "./support/browser.js";

test("a room's address follows the page's, whatever the names hold", () => {
  assert.equal(socketUrl("r1", "A", "http://localhost:8000"), "ws://localhost:8000/api/rooms/r1/socket?player_id=A");
  assert.equal(
    socketUrl("a/b?", "x&y=ü", "https://example.org/anywhere"),
    "wss://example.org/api/rooms/a%2Fb%3F/socket?player_id=x%26y%3D%C3%BC",
  );
  assert.equal(socketUrl("r1", "A", "http://s", true), "ws://s/api/rooms/r1/socket?player_id=A&watch=1");
});

/** @param {import("node:test").TestContext} context */
function socketing(context) {
  FakeSocket.made = [];
  pretend(context, { WebSocket: FakeSocket });
  const seen = {
    messages: /** @type {any[]} */ ([]), packets: /** @type {any[]} */ ([]), logs: /** @type {string[]} */ ([]),
    closed: 0, lost: 0,
  };
  const socket = new Socket("ws://server/room?player_id=A", {
    message: (message) => seen.messages.push(message),
    packet: (data) => seen.packets.push([...new Uint8Array(data)]),
    lost: () => { seen.lost += 1; },
    closed: () => { seen.closed += 1; },
    log: (text) => seen.logs.push(text),
  });
  const line = FakeSocket.made[0];
  assert.ok(line);
  return { socket, line, seen };
}

test("messages of the server are handed on, what is none is told of and dropped", (context) => {
  const { line, seen } = socketing(context);
  line.say({ type: "left", index: 1, lost: false });
  line.say({ type: "left" });
  line.say({ type: "dance" });
  line.onmessage?.({ data: "{" });
  assert.deepEqual(seen.messages, [{ type: "left", index: 1, lost: false }]);
  assert.equal(seen.logs.length, 3);
});

test("what is sent on a line that is not open is not sent, and that is said", (context) => {
  const { socket, line } = socketing(context);
  assert.equal(socket.send({ type: "ready" }), true);
  line.readyState = 0;
  assert.equal(socket.send({ type: "ready" }), false);
  assert.deepEqual(line.sent, [{ type: "ready" }]);
});

test("a line that the server closes is told of, one that the page closes is not", (context) => {
  const { socket, line, seen } = socketing(context);
  line.onclose?.();
  assert.equal(seen.closed, 1);
  socket.close();
  line.onclose?.();
  assert.equal(seen.closed, 1);
  assert.equal(line.readyState, 3);
});

test("what is binary is a packet, both ways", (context) => {
  const { socket, line, seen } = socketing(context);
  assert.equal(line.binaryType, "arraybuffer");
  line.relay([1, 0, 1, 7]);
  assert.deepEqual(seen.packets, [[1, 0, 1, 7]]);
  socket.sendBytes(new Uint8Array([2, 1, 0, 8]));
  assert.deepEqual(line.sent, [[2, 1, 0, 8]]);
  line.bufferedAmount = 12;
  assert.deepEqual([socket.open, socket.waiting], [true, 12]);
  line.readyState = 2;
  socket.sendBytes(new Uint8Array(4));
  assert.deepEqual([line.sent.length, socket.open], [1, false]);
});

test("a line that is lost once there is a seat to keep is opened again into that seat", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const { socket, line, seen } = socketing(context);
  socket.keep("k&y");
  line.lose();
  assert.deepEqual([seen.lost, seen.closed, FakeSocket.made.length], [1, 0, 1]);
  context.mock.timers.tick(WAITS[0] ?? 0);
  assert.equal(FakeSocket.made[1]?.url, "ws://server/room?player_id=A&resume=k%26y");
  FakeSocket.made[1]?.say({ type: "resumed" });
  socket.send({ type: "ready" });
  assert.deepEqual([seen.messages, FakeSocket.made[1]?.sent], [[{ type: "resumed" }], [{ type: "ready" }]]);
});

test("a seat that is not given back is the end of the line, and no refusal of the page", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const { socket, line, seen } = socketing(context);
  socket.keep("key");
  line.lose();
  context.mock.timers.tick(WAITS[0] ?? 0);
  FakeSocket.made[1]?.say({ type: "refused", error: "another page has this seat" });
  FakeSocket.made[1]?.lose();
  context.mock.timers.tick(60_000);
  assert.deepEqual([seen.messages, seen.closed, FakeSocket.made.length], [[], 1, 2]);
});

test("a page that is refused while its line stands is refused, and does not come back by itself", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const { socket, line, seen } = socketing(context);
  socket.keep("key");
  line.say({ type: "refused", error: "you joined from another window" });
  line.lose();
  context.mock.timers.tick(60_000);
  assert.deepEqual([seen.messages.length, seen.closed, FakeSocket.made.length], [1, 1, 1]);
});

test("a server that is gone is tried for some minutes, and then no more", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const { socket, seen } = socketing(context);
  socket.keep("key");
  for (let attempt = 0; attempt <= ATTEMPTS; attempt += 1) {
    FakeSocket.made[attempt]?.lose();
    context.mock.timers.tick(Math.max(...WAITS));
  }
  assert.deepEqual([seen.lost, seen.closed, FakeSocket.made.length], [1, 1, ATTEMPTS + 1]);
});
