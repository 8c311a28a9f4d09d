/**
 * @file The laws of the messages between page, worker and server.
 */

import assert from "node:assert/strict";
import test from "node:test";

import { FROM_SERVER, TO_PAGE, TO_WORKER, faultOf } from "../messages.js";
import { CONFIG, START } from "./support/session.js";

test("messages as they should be have no fault", () => {
  for (const message of [
    { type: "load", config: CONFIG },
    { type: "start", start: START },
    { type: "key", key: "w", down: true },
    { type: "packet", peer: 1, channel: "input", data: new ArrayBuffer(3) },
    { type: "relayed", peer: 1, channel: "control", heard: false, data: new ArrayBuffer(3) },
    { type: "leave" },
  ]) assert.equal(faultOf(TO_WORKER, message), null);
  for (const message of [
    { type: "stats", values: new Float64Array(3) },
    { type: "phase", phase: "finished", outcome: "completed", detail: "" },
    { type: "phase", phase: "playing" },
    { type: "peers", peers: [{ peer: 1, state: "silent" }], on_drop: "pause" },
    { type: "catching_up", share: 0.5 },
    { type: "catching_up", share: null },
    { type: "rejoin", detail: "the others went on" },
    { type: "link", peer: 1, state: "relay", reason: "nothing comes directly" },
    { type: "stage", name: "core", bytes: 1, total: null, start: 0.5, end: null },
  ]) assert.equal(faultOf(TO_PAGE, message), null);
  for (const message of [
    { type: "joined", player_id: "A", index: 0, player_count: 2, key: "k", running: false, config: CONFIG },
    { type: "rejoined", index: 1, incarnation: 2 },
    { type: "roster", players: [{ player_id: "A", index: 0, ready: false }] },
    { type: "refused", error: "the room is full" },
  ]) assert.equal(faultOf(FROM_SERVER, message), null);
});

test("what is no message has a fault", () => {
  for (const message of [null, undefined, 3, "leave", [], {}, { type: 5 }]) {
    assert.equal(faultOf(TO_WORKER, message), "a message without a type");
  }
});

test("a type that an object inherits is unknown", () => {
  assert.equal(faultOf(TO_PAGE, { type: "toString" }), 'a message of unknown type "toString"');
});

test("a fault names the message and the field", () => {
  assert.equal(faultOf(TO_WORKER, { type: "key", key: "w" }), 'a "key" message whose "down" is missing or wrong');
  assert.equal(
    faultOf(TO_PAGE, { type: "phase", phase: "dancing" }), 'a "phase" message whose "phase" is missing or wrong',
  );
  const wrong = { ...CONFIG, uploads: 1 };
  const joined = { type: "joined", player_id: "A", index: 0, player_count: 2, key: "k", running: false, config: wrong };
  assert.equal(faultOf(FROM_SERVER, joined), 'a "joined" message whose "config" is missing or wrong');
});

test("an index beyond a byte is refused", () => {
  for (const peer of [-1, 256, 0.5, "1", NaN]) {
    assert.notEqual(faultOf(TO_WORKER, { type: "link_lost", peer, reason: "" }), null);
  }
});
