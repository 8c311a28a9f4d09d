/**
 * @file The laws of the control packets that are kept in case a way breaks off.
 */

import assert from "node:assert/strict";
import test from "node:test";

import { KEPT, MOST, Recent } from "../worker/recent.js";

test("packets are recent for a time, in the order in which they were last sent, each once", () => {
  const recent = new Recent();
  recent.add(new Uint8Array([1]), 0);
  recent.add(new Uint8Array([2]), 1);
  recent.add(new Uint8Array([1]), 2);
  assert.deepEqual(recent.since(3).map(([byte]) => byte), [2, 1]);
  assert.deepEqual(recent.since(KEPT + 1).map(([byte]) => byte), [1]);
  assert.deepEqual(recent.since(KEPT + 2), []);
});

test("no more than so many are kept, the newest", () => {
  const recent = new Recent();
  for (let number = 0; number < MOST + 3; number += 1) recent.add(new Uint8Array([number]), 0);
  assert.deepEqual(recent.since(0).map(([byte]) => byte), Array.from({ length: MOST }, (_, number) => number + 3));
});

test("a packet is what it was when it was sent", () => {
  const recent = new Recent();
  const payload = new Uint8Array([1, 2]);
  recent.add(payload, 0);
  payload.fill(9);
  assert.deepEqual(recent.since(0).map((bytes) => [...bytes]), [[1, 2]]);
});
