/**
 * @file The laws of the records that cross between JavaScript and Python.
 */

import assert from "node:assert/strict";
import test from "node:test";

import {
  Kind, RecordError, decodeJson, decodeOutbox, decodeRecords, decodeUpload, decodeView, encodeEvent, encodeOutbox,
  encodeRecords,
} from "../records.js";
import { GOLDENS, fromHex, toHex } from "./support/goldens.js";

/** @typedef {{kind: number, peer: number, channel: number, payload: string}} HexRecord */

/** @param {HexRecord[]} records */
const asRecords = (records) => records.map((record) => ({ ...record, payload: fromHex(record.payload) }));

/** @param {import("../records.js").FlatRecord[]} records */
const asHex = (records) => records.map((record) => ({ ...record, payload: toHex(record.payload) }));

for (const { name, records, bytes } of GOLDENS.inbox) {
  test(`an inbox has its golden bytes: ${name}`, () => {
    assert.equal(toHex(encodeRecords(asRecords(records))), bytes);
    assert.deepEqual(asHex(decodeRecords(fromHex(bytes))), records);
  });
}

for (const { name, wake_at_ms: wakeAt, records, bytes } of GOLDENS.outbox) {
  test(`an outbox has its golden bytes: ${name}`, () => {
    const answer = decodeOutbox(fromHex(bytes));
    assert.equal(answer.wakeAt, Number(wakeAt));
    assert.deepEqual(asHex(answer.records), records);
    assert.equal(toHex(encodeOutbox(Number(wakeAt), asRecords(records))), bytes);
  });
}

for (const { bytes, body, ...upload } of GOLDENS.uploads) {
  test("an upload is read from its golden bytes", () => {
    assert.deepEqual(decodeUpload(fromHex(bytes)), { ...upload, body: fromHex(body) });
  });
}

for (const { bytes, ...view } of GOLDENS.views) {
  test(`a view of ${view.form} is read from its golden bytes`, () => {
    const expected = view.form === "pixels" ? { ...view, pixels: fromHex(view.pixels) } : view;
    assert.deepEqual(decodeView(fromHex(bytes)), expected);
  });
}

for (const [kind, decode] of Object.entries({
  inbox: decodeRecords, outbox: decodeOutbox, views: decodeView, uploads: decodeUpload,
})) {
  for (const { name, bytes } of GOLDENS[`malformed_${kind}`]) {
    test(`malformed ${kind} are refused with a typed error: ${name}`, () => {
      assert.throws(() => decode(fromHex(bytes)), RecordError);
    });
  }
}

test("records are read from a window into a larger buffer", () => {
  const bytes = encodeRecords([{ kind: Kind.PACKET, peer: 2, channel: 1, payload: fromHex("0a0b") }]);
  const larger = new Uint8Array(bytes.length + 11);
  larger.set(bytes, 7);
  const [record] = decodeRecords(larger.subarray(7, 7 + bytes.length));
  assert.deepEqual(record, { kind: 1, peer: 2, channel: 1, payload: fromHex("0a0b") });
});

test("an index that does not fit a byte is refused", () => {
  for (const peer of [256, -1, 1.5]) {
    assert.throws(() => encodeRecords([{ kind: 1, peer, channel: 0, payload: fromHex("") }]), /peer .* a byte/);
  }
});

test("an event comes back as it went in", () => {
  const event = { type: "key", key: "é→", down: true };
  assert.deepEqual(decodeJson(encodeEvent(event)), event);
});

test("bytes that are not UTF-8 are refused", () => {
  assert.throws(() => decodeJson(fromHex("22ff22")), RecordError);
});
