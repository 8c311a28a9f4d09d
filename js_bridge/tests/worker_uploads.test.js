/**
 * @file The laws of the uploads.
 */

import assert from "node:assert/strict";
import test from "node:test";

import { Uploads } from "../worker/uploads.js";

/**
 * Uploads to a server that the test answers for, request by request.
 *
 * @param {{timeout?: number}} [options]
 */
function uploading(options = {}) {
  /** @type {{url: string, init: any, answer: (response: Response) => void, fail: (error: Error) => void}[]} */
  const requests = [];
  /** @type {any[]} */
  const answers = [];
  /** @type {(() => void)[]} */
  const waiting = [];
  const happened = () => { for (const resolve of waiting.splice(0)) resolve(); };
  const uploads = new Uploads("http://server/chunks", (answer) => { answers.push(answer); happened(); }, {
    ...options,
    fetch: /** @type {any} */ ((/** @type {string} */ url, /** @type {any} */ init) => new Promise((answer, fail) => {
      init.signal.addEventListener("abort", () => fail(init.signal.reason));
      requests.push({ url, init, answer, fail });
      happened();
    })),
  });
  /** @param {() => boolean} condition */
  const until = async (condition) => {
    while (!condition()) await new Promise((resolve) => { waiting.push(() => resolve(undefined)); });
  };
  return { uploads, requests, answers, until };
}

/** @param {number} upload @param {string} kind @param {number} sequence @param {number} [length] */
const chunk = (upload, kind, sequence, length = 2) => ({ upload, kind, sequence, body: new Uint8Array(length) });

test("a chunk goes to its kind's address with its sequence, and is answered as stored", async () => {
  const { uploads, requests, answers, until } = uploading();
  uploads.send({ upload: 5, kind: "rows", sequence: 3, body: new Uint8Array([123, 125]) });
  await until(() => requests.length === 1);
  assert.equal(requests[0]?.url, "http://server/chunks/rows?sequence=3");
  assert.equal(requests[0]?.init.method, "POST");
  assert.deepEqual([...(requests[0]?.init.body ?? [])], [123, 125]);
  requests[0]?.answer(Response.json({ stored: 3 }));
  await until(() => answers.length === 1);
  assert.deepEqual(answers, [{ type: "stored", upload: 5 }]);
});

test("chunks of one kind go one after the other, those of another kind beside them", async () => {
  const { uploads, requests, answers, until } = uploading();
  uploads.send(chunk(1, "rows", 0));
  uploads.send(chunk(2, "rows", 1));
  uploads.send(chunk(3, "record", 0));
  await until(() => requests.length === 2);
  assert.deepEqual(requests.map(({ url }) => url.split("/").at(-1)), ["rows?sequence=0", "record?sequence=0"]);
  requests[0]?.answer(Response.json({ stored: 0 }));
  await until(() => requests.length === 3);
  assert.deepEqual(answers, [{ type: "stored", upload: 1 }]);
  assert.equal(requests[2]?.url.split("/").at(-1), "rows?sequence=1");
});

test("a refusal is unstored, in the server's words, and the next chunk goes all the same", async () => {
  const { uploads, requests, answers, until } = uploading();
  uploads.send(chunk(1, "rows", 4));
  uploads.send(chunk(2, "rows", 5));
  await until(() => requests.length === 1);
  requests[0]?.answer(Response.json({ expected: 3 }, { status: 409 }));
  await until(() => requests.length === 2);
  assert.deepEqual(answers, [{ type: "unstored", upload: 1, error: 'the server answered 409: {"expected":3}' }]);
});

test("chunks of a page that came later say so", async () => {
  const { uploads, requests, until } = uploading();
  uploads.begin(2);
  uploads.send(chunk(1, "rows", 0));
  await until(() => requests.length === 1);
  assert.equal(requests[0]?.url, "http://server/chunks/rows?sequence=0&incarnation=2");
});

test("a server that is not reached is unstored", async () => {
  const { uploads, requests, answers, until } = uploading();
  uploads.send(chunk(1, "rows", 0));
  await until(() => requests.length === 1);
  requests[0]?.fail(new TypeError("fetch failed"));
  await until(() => answers.length === 1);
  assert.deepEqual(answers, [{ type: "unstored", upload: 1, error: "the server was not reached: fetch failed" }]);
});

test("a server that does not answer is unstored in the end", async () => {
  const { uploads, answers, until } = uploading({ timeout: 1 });
  uploads.send(chunk(1, "rows", 0));
  // AbortSignal.timeout() keeps no process alive by itself.
  const alive = setInterval(() => {}, 1000);
  await until(() => answers.length === 1);
  clearInterval(alive);
  assert.match(answers[0].error, /^the server was not reached: .*timeout/);
});

test("when the page goes, nothing waits, and what is small enough outlives it", async () => {
  const { uploads, requests, until } = uploading();
  uploads.send(chunk(1, "rows", 0));
  await until(() => requests.length === 1);
  uploads.leave();
  uploads.send(chunk(2, "rows", 1));
  uploads.send(chunk(3, "record", 0, 70_000));
  assert.deepEqual(requests.map(({ init }) => init.keepalive), [false, true, false]);
});

test("a chunk is what it was when it was sent", async () => {
  const { uploads, requests, until } = uploading();
  const body = new Uint8Array([1, 2]);
  uploads.send({ upload: 1, kind: "rows", sequence: 0, body });
  body.fill(9);
  await until(() => requests.length === 1);
  assert.deepEqual([...(requests[0]?.init.body ?? [])], [1, 2]);
});
