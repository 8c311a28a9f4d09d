/**
 * @file The laws of a file that comes in pieces: each is given once it is there and known to be the right one, and none
 * that is not; and the worker has what the page was sent.
 */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import test from "node:test";

import { carry } from "../page/carrying.js";
import { PIECE, readPieces } from "../pieces.js";
import { Download } from "../worker/download.js";

const BYTES = new Uint8Array(2 * PIECE + 100).map((_, at) => (at * 31 + (at >> 8)) & 0xff);
const STARTS = [0, PIECE, 2 * PIECE];
const HASHES = STARTS.map((at) => createHash("sha256").update(BYTES.subarray(at, at + PIECE)).digest("hex"));

/** A server that sends what it is told to. @param {number} [status] */
function server(status = 200) {
  /** @type {any} */
  let controller;
  const body = new ReadableStream({ start: (given) => { controller = given; } });
  return {
    response: Promise.resolve(new Response(body, { status })),
    send: (/** @type {number} */ from, /** @type {number} */ to) => controller.enqueue(BYTES.slice(from, to)),
    close: () => controller.close(),
  };
}

/** What is brought to the worker. @param {{bytes?: number, pieces?: string[], status?: number}} [expected] */
function begun({ bytes = BYTES.length, pieces = HASHES, status = 200 } = {}) {
  const { response, ...rest } = server(status);
  const { port1, port2 } = new MessageChannel();
  /** @type {number[]} */
  const arrived = [];
  const download = new Download(bytes, /** @type {any} */ (port1), (count) => arrived.push(count));
  const carried = carry({ url: "image", bytes, pieces, port: /** @type {any} */ (port2) }, () => response);
  return { ...rest, download, arrived, carried, close: rest.close, done: () => port1.close() };
}

/** Whether a promise has come to its end after a while. @param {Promise<unknown>} promise */
async function settled(promise) {
  let done = false;
  promise.then(() => { done = true; }, () => { done = true; });
  await new Promise((resolve) => { setTimeout(resolve, 20); });
  return done;
}

test("what has arrived can be used while the rest is on its way", async () => {
  const { download, send, close, arrived, carried, done } = begun();
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
  await carried;
  assert.deepEqual(download.bytes, BYTES);
  await settled(all);
  assert.equal(arrived.reduce((sum, count) => sum + count, 0), BYTES.length);
  done();
});

test("of a line that stands still it is told what it has brought", async () => {
  const { send, close, arrived, carried, done } = begun();
  send(0, 5);
  send(5, PIECE + 5);
  const deadline = performance.now() + 5000;
  while (arrived.length < 2 && performance.now() < deadline) await settled(carried);
  assert.deepEqual(arrived, [5, PIECE]);
  send(PIECE + 5, BYTES.length);
  close();
  await carried;
  done();
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

test("pieces are given in order, whole, and with the memory that they are in", async () => {
  for (const size of [1, 1000, PIECE - 1, PIECE, PIECE + 1, BYTES.length]) {
    const { response, send, close } = server();
    /** @type {[number, Uint8Array][]} */
    const given = [];
    const expected = { bytes: BYTES.length, pieces: HASHES };
    const read = readPieces(expected, response, (...piece) => given.push(piece), () => {});
    for (let at = size === 1 ? BYTES.length - 3 : 0, sent = 0; at < BYTES.length; at += size) {
      if (size === 1 && !sent) send(0, at);
      sent += 1;
      send(at, Math.min(BYTES.length, at + size));
    }
    close();
    await read;
    assert.deepEqual(given.map(([number]) => number), [0, 1, 2]);
    for (const [number, piece] of given) {
      assert.equal(piece.buffer.byteLength, piece.length);
      assert.deepEqual(piece, BYTES.slice(number * PIECE, (number + 1) * PIECE));
    }
  }
});

test("a piece that comes out of turn, or is none, ends it", async () => {
  for (const message of [{ piece: 1, bytes: new ArrayBuffer(4) }, { piece: 0, bytes: "bytes" }, {}]) {
    const { port1, port2 } = new MessageChannel();
    const download = new Download(8, /** @type {any} */ (port1), () => {});
    port2.postMessage(message);
    await assert.rejects(download.until());
  }
});
