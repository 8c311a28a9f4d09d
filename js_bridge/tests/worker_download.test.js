/**
 * @file The laws of an image on its way: what is needed first can be used first, and nothing is used that is not what
 * was named.
 */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import test from "node:test";

import { Download, PIECE } from "../worker/download.js";

const BYTES = new Uint8Array(2 * PIECE + 100).map((_, at) => (at * 31 + (at >> 8)) & 0xff);
const STARTS = [0, PIECE, 2 * PIECE];
const HASHES = STARTS.map((at) => createHash("sha256").update(BYTES.subarray(at, at + PIECE)).digest("hex"));

/** A server that sends what it is told to. @param {{bytes?: number, pieces?: string[], status?: number}} [expected] */
function begun({ bytes = BYTES.length, pieces = HASHES, status = 200 } = {}) {
  /** @type {any} */
  let controller;
  const body = new ReadableStream({ start: (given) => { controller = given; } });
  /** @type {number[]} */
  const arrived = [];
  const response = Promise.resolve(new Response(body, { status }));
  const download = new Download({ bytes, pieces }, response, (count) => arrived.push(count));
  return { download, arrived, send: (/** @type {number} */ from, /** @type {number} */ to) => controller.enqueue(
    BYTES.slice(from, to),
  ), close: () => controller.close() };
}

/** Whether a promise has come to its end after a while. @param {Promise<unknown>} promise */
async function settled(promise) {
  let done = false;
  promise.then(() => { done = true; }, () => { done = true; });
  await new Promise((resolve) => { setTimeout(resolve, 20); });
  return done;
}

test("what has arrived can be used while the rest is on its way", async () => {
  const { download, send, close, arrived } = begun();
  const [first, second, all] = [download.until(10), download.until(PIECE + 1), download.until()];
  assert.equal(await settled(first), false);
  send(0, PIECE + 5);
  await first;
  assert.equal(await settled(second), false);
  send(PIECE + 5, 2 * PIECE);
  await second;
  assert.equal(await settled(all), false);
  send(2 * PIECE, BYTES.length);
  close();
  await all;
  assert.deepEqual(download.bytes, BYTES);
  assert.equal(arrived.reduce((sum, count) => sum + count, 0), BYTES.length);
});

test("a piece that is not what was named is refused, and so is all that needs it", async () => {
  const { download, send, close } = begun({ pieces: [HASHES[0] ?? "", "0".repeat(64), HASHES[2] ?? ""] });
  send(0, BYTES.length);
  close();
  await download.until(PIECE);
  await assert.rejects(download.until(PIECE + 1), /its hash is not the one that is named/);
  await assert.rejects(download.until(), /its hash is not the one that is named/);
});

test("where too little comes, or too much, or nothing at all, that is said", async () => {
  const little = begun();
  little.send(0, PIECE);
  little.close();
  await little.download.until(PIECE);
  await assert.rejects(little.download.until(), /it has 1048576 bytes, not 2097252/);
  const much = begun({ bytes: PIECE, pieces: HASHES.slice(0, 1) });
  much.send(0, PIECE + 1);
  await assert.rejects(much.download.until(), /more than 1048576 bytes/);
  await assert.rejects(begun({ status: 404 }).download.until(4), /the server answered 404/);
});
