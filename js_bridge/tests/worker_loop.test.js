/**
 * @file The laws of the loop: one call per tick, and every record of the answer goes where it belongs.
 */

import assert from "node:assert/strict";
import test from "node:test";

import { Kind, decodeJson, decodeRecords, encodeOutbox } from "../records.js";
import { Loop } from "../worker/loop.js";
import { GOLDENS, fromHex } from "./support/goldens.js";

/**
 * A loop whose ticks give these answers in turn, and everything that left it.
 *
 * @param {import("node:test").TestContext} context
 * @param {unknown[]} answers after the last, it sleeps for ever
 */
function looping(context, ...answers) {
  const left = {
    inboxes: /** @type {Uint8Array[]} */ ([]),
    sent: /** @type {any[]} */ ([]),
    uploads: /** @type {any[]} */ ([]),
    posts: /** @type {any[]} */ ([]),
    failures: /** @type {any[]} */ ([]),
  };
  /** @type {(() => void)[]} */
  const waiting = [];
  const happened = () => { for (const resolve of waiting.splice(0)) resolve(); };
  const loop = new Loop((_now, inbox) => {
    left.inboxes.push(inbox);
    // What the answer holds is carried out right after this returns.
    queueMicrotask(happened);
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    return answer ?? encodeOutbox(Infinity, []);
  }, {
    send: (...packet) => left.sent.push(packet),
    upload: (upload) => left.uploads.push(upload),
    post: (message, transfer) => left.posts.push({ message, transfer }),
    fail: (error) => left.failures.push(error),
  });
  context.after(() => loop.stop());
  /** @param {number} ticks */
  const until = async (ticks) => {
    while (left.inboxes.length < ticks) await new Promise((resolve) => { waiting.push(() => resolve(undefined)); });
  };
  return { loop, left, until };
}

test("every record of an answer goes where it belongs", async (context) => {
  const answer = fromHex(GOLDENS.outbox.find((/** @type {any} */ { name }) => name === "one of each").bytes);
  const { loop, left, until } = looping(context, answer);
  loop.start();
  await until(1);
  assert.deepEqual(left.failures, []);
  assert.deepEqual(left.sent, [[1, 0, fromHex("0102")]]);
  assert.equal(left.uploads[0].upload, 4294967295);
  const [phase, scene, pixels, stats] = left.posts;
  assert.deepEqual(phase.message, { type: "phase", phase: "playing" });
  assert.deepEqual(new Uint8Array(scene.message.payload), fromHex(GOLDENS.views[0].bytes));
  assert.deepEqual(new Uint8Array(pixels.message.payload), fromHex(GOLDENS.views[1].bytes));
  assert.deepEqual([...stats.message.values], GOLDENS.stats[0].values);
  assert.deepEqual([scene.transfer, stats.transfer], [[scene.message.payload], [stats.message.values.buffer]]);
});

test("what arrived goes in with the next tick, once", async (context) => {
  const { loop, left, until } = looping(context, encodeOutbox(Infinity, []), encodeOutbox(0, []));
  loop.inbox.event({ type: "focus", focused: false });
  loop.start();
  await until(1);
  loop.inbox.packet(1, 0, new Uint8Array([9]).buffer);
  await until(3);
  const seen = left.inboxes.map((inbox) => decodeRecords(inbox).map(({ kind }) => kind));
  assert.deepEqual(seen, [[Kind.EVENT], [Kind.PACKET], []]);
});

test("an arrival ends a sleep without end, and no other sleep", async (context) => {
  const far = performance.now() + 1e8;
  const { loop, left, until } = looping(context, encodeOutbox(Infinity, []), encodeOutbox(far, []));
  loop.start();
  await until(1);
  loop.inbox.event({ type: "stored", upload: 1 });
  await until(2);
  loop.inbox.event({ type: "stored", upload: 2 });
  await new Promise((resolve) => { setImmediate(resolve); });
  assert.equal(left.inboxes.length, 2);
  loop.tickNow();
  const [third, ...more] = decodeRecords(left.inboxes[2] ?? new Uint8Array());
  assert.deepEqual(third && decodeJson(third.payload), { type: "stored", upload: 2 });
  assert.deepEqual(more, []);
});

test("nothing ticks before the start", async (context) => {
  const { loop, left } = looping(context);
  loop.inbox.event({ type: "leave" });
  loop.tickNow();
  await new Promise((resolve) => { setImmediate(resolve); });
  assert.equal(left.inboxes.length, 0);
});

for (const [what, answer] of Object.entries({
  "a tick that raises": new Error("the pot boiled over"),
  "an answer that is not bytes": "nothing",
  "an answer that is cut off": new Uint8Array(7),
})) {
  test(`${what} is reported once and ends the loop`, async (context) => {
    const { loop, left, until } = looping(context, answer);
    loop.start();
    await until(1);
    loop.inbox.event({ type: "leave" });
    loop.tickNow();
    await new Promise((resolve) => { setImmediate(resolve); });
    assert.equal(left.inboxes.length, 1);
    assert.equal(left.failures.length, 1);
  });
}

test("a record of unknown kind is told of and hurts nobody", async (context) => {
  const payload = new Uint8Array(1);
  const { loop, left, until } = looping(context, encodeOutbox(Infinity, [
    { kind: 77, peer: 0, channel: 0, payload }, { kind: Kind.PACKET, peer: 1, channel: 1, payload },
  ]));
  loop.start();
  await until(1);
  assert.match(left.posts[0].message.text, /unknown kind 77/);
  assert.equal(left.sent.length, 1);
});
