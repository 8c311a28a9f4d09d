/**
 * @file The laws of the line to the server.
 */

import assert from "node:assert/strict";
import test from "node:test";

import { Socket, socketUrl } from "../page/socket.js";
import { FakeSocket, pretend } from "./support/browser.js";

test("a room's address follows the page's, whatever the names hold", () => {
  assert.equal(socketUrl("r1", "A", "http://localhost:8000"), "ws://localhost:8000/api/rooms/r1/socket?player_id=A");
  assert.equal(
    socketUrl("a/b?", "x&y=ü", "https://example.org/anywhere"),
    "wss://example.org/api/rooms/a%2Fb%3F/socket?player_id=x%26y%3D%C3%BC",
  );
});

/** @param {import("node:test").TestContext} context */
function socketing(context) {
  FakeSocket.made = [];
  pretend(context, { WebSocket: FakeSocket });
  const seen = { messages: /** @type {any[]} */ ([]), logs: /** @type {string[]} */ ([]), closed: 0 };
  const socket = new Socket("ws://server/room", {
    message: (message) => seen.messages.push(message),
    closed: () => { seen.closed += 1; },
    log: (text) => seen.logs.push(text),
  });
  const line = FakeSocket.made[0];
  assert.ok(line);
  return { socket, line, seen };
}

test("messages of the server are handed on, what is none is told of and dropped", (context) => {
  const { line, seen } = socketing(context);
  line.say({ type: "left", index: 1 });
  line.say({ type: "left" });
  line.say({ type: "dance" });
  line.onmessage?.({ data: "{" });
  line.onmessage?.({ data: new ArrayBuffer(3) });
  assert.deepEqual(seen.messages, [{ type: "left", index: 1 }]);
  assert.equal(seen.logs.length, 4);
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
