/**
 * @file The laws of packets that go through the server.
 */

import assert from "node:assert/strict";
import test from "node:test";

import { MOST_KEPT, MOST_WAITING_BYTES, Relay, parseRelayed } from "../page/relay.js";

function relaying() {
  const sent = /** @type {number[][]} */ ([]);
  const line = { open: true, waiting: 0, sendBytes: (/** @type {Uint8Array} */ data) => sent.push([...data]) };
  return { relay: new Relay(line), line, sent };
}

/** @param {"input" | "control"} channel @param {number[]} bytes */
const packet = (channel, ...bytes) => ({ peer: 2, channel, heard: false, data: new Uint8Array(bytes).buffer });

test("a packet has a header of three bytes, and comes out of it as it went in", () => {
  const { relay, sent } = relaying();
  const packets = [{ ...packet("input", 9), heard: true }, packet("control", 7, 8)];
  for (const one of packets) relay.send(one);
  assert.deepEqual(sent, [[2, 0, 1, 9], [2, 1, 0, 7, 8]]);
  assert.deepEqual(sent.map((bytes) => parseRelayed(new Uint8Array(bytes).buffer)), packets);
});

test("bytes that are no packet are none", () => {
  for (const bytes of [[], [1], [1, 0, 0], [1, 2, 0, 9], [1, 0, 2, 9], [1, 255, 0, 9]]) {
    assert.equal(parseRelayed(new Uint8Array(bytes).buffer), null);
  }
});

test("where too much waits already, input packets are lost and control packets are not", () => {
  const { relay, line, sent } = relaying();
  line.waiting = MOST_WAITING_BYTES;
  relay.send(packet("input", 1));
  relay.send(packet("control", 2));
  assert.deepEqual(sent, [[2, 1, 0, 2]]);
});

test("without a line input packets are lost; control packets are kept, up to a number, and sent in order", () => {
  const { relay, line, sent } = relaying();
  line.open = false;
  relay.send(packet("input", 1));
  for (let number = 0; number < MOST_KEPT + 2; number += 1) relay.send(packet("control", number));
  line.open = true;
  relay.resume();
  relay.resume();
  assert.deepEqual(sent.map((bytes) => bytes[3]), Array.from({ length: MOST_KEPT }, (_, number) => number + 2));
});
