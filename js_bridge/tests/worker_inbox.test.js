/**
 * @file The laws of the inbox.
 */

import assert from "node:assert/strict";
import test from "node:test";

import { decodeJson, decodeRecords } from "../records.js";
import { Inbox } from "../worker/inbox.js";

test("everything is handed over once, in order of arrival", () => {
  const inbox = new Inbox();
  inbox.packet(1, 0, new Uint8Array([5, 6]).buffer);
  inbox.event({ type: "key", key: "w", down: true });
  inbox.packet(2, 1, new ArrayBuffer(0));
  const records = decodeRecords(inbox.take());
  assert.deepEqual(records.map(({ kind, peer, channel }) => [kind, peer, channel]), [[1, 1, 0], [2, 0, 0], [1, 2, 1]]);
  assert.deepEqual([...(records[0]?.payload ?? [])], [5, 6]);
  assert.deepEqual(decodeJson(records[1]?.payload ?? new Uint8Array()), { type: "key", key: "w", down: true });
  assert.equal(inbox.take().length, 0);
});

test("every arrival is told of", () => {
  let arrivals = 0;
  const inbox = new Inbox(() => { arrivals += 1; });
  inbox.packet(1, 0, new ArrayBuffer(1));
  inbox.event({ type: "leave" });
  assert.equal(arrivals, 2);
});
