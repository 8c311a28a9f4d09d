/**
 * @file The laws of the clock. Time is the test's own; only "at once" is the event loop's.
 */

import assert from "node:assert/strict";
import test from "node:test";

import { Clock } from "../worker/clock.js";

/**
 * A clock over a time that the test moves, and the times at which it rang.
 *
 * @param {import("node:test").TestContext} context
 * @param {(now: number, turn: number) => number} answer the time to wake at next
 */
function ringing(context, answer) {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const world = { now: 0, rings: /** @type {number[]} */ ([]), next: deferred() };
  const clock = new Clock(() => {
    world.rings.push(world.now);
    const wakeAt = answer(world.now, world.rings.length);
    const { resolve } = world.next;
    world.next = deferred();
    resolve();
    return wakeAt;
  }, () => world.now);
  context.after(() => clock.stop());
  const pass = (/** @type {number} */ milliseconds) => {
    world.now += milliseconds;
    context.mock.timers.tick(milliseconds);
  };
  return { clock, world, pass };
}

/** @returns {{promise: Promise<void>, resolve: () => void}} */
function deferred() {
  let resolve = () => {};
  /** @type {Promise<void>} */
  const promise = new Promise((settle) => { resolve = settle; });
  return { promise, resolve };
}

test("it rings at the time that the tick asked for, not before", async (context) => {
  const { clock, world, pass } = ringing(context, (now) => now + 33);
  const first = world.next.promise;
  clock.wake();
  await first;
  assert.deepEqual(world.rings, [0]);
  pass(32);
  assert.deepEqual(world.rings, [0]);
  pass(1);
  pass(33);
  assert.deepEqual(world.rings, [0, 33, 66]);
});

test("it never rings early by a fraction of a millisecond", async (context) => {
  const { clock, world, pass } = ringing(context, (now, turn) => (turn === 1 ? 33.4 : now + 1000));
  const first = world.next.promise;
  clock.wake();
  await first;
  pass(33);
  assert.equal(world.rings.length, 1);
  pass(1);
  assert.deepEqual(world.rings, [0, 34]);
});

test("a time that is past rings at once", async (context) => {
  const { clock, world } = ringing(context, (now, turn) => (turn < 3 ? now - 5 : Infinity));
  clock.wake();
  while (world.rings.length < 3) await world.next.promise;
  assert.deepEqual(world.rings, [0, 0, 0]);
});

test("a wake takes the place of the time that was asked for", async (context) => {
  const { clock, world, pass } = ringing(context, (now) => now + 100);
  const first = world.next.promise;
  clock.wake();
  await first;
  pass(40);
  const second = world.next.promise;
  clock.wake();
  clock.wake();
  await second;
  assert.deepEqual(world.rings, [0, 40]);
  pass(99);
  assert.equal(world.rings.length, 2);
  pass(1);
  assert.deepEqual(world.rings, [0, 40, 140]);
});

test("never means until it is woken", async (context) => {
  const { clock, world, pass } = ringing(context, () => Infinity);
  assert.equal(clock.asleep, true);
  const first = world.next.promise;
  clock.wake();
  assert.equal(clock.asleep, false);
  await first;
  assert.equal(clock.asleep, true);
  pass(1e9);
  assert.equal(world.rings.length, 1);
});

test("a wait longer than a timer can hold does not ring at once", async (context) => {
  const { clock, world, pass } = ringing(context, () => 2 ** 40);
  const first = world.next.promise;
  clock.wake();
  await first;
  pass(1000);
  assert.equal(world.rings.length, 1);
});

test("a clock that was stopped rings no more", async (context) => {
  const { clock, world, pass } = ringing(context, (now) => now + 10);
  const first = world.next.promise;
  clock.wake();
  await first;
  clock.stop();
  clock.wake();
  pass(100);
  assert.equal(world.rings.length, 1);
});

test("a tick that stops the clock is the last one", async (context) => {
  const { clock, world, pass } = ringing(context, (now, turn) => {
    if (turn === 2) clock.stop();
    return now + 10;
  });
  const first = world.next.promise;
  clock.wake();
  await first;
  pass(10);
  pass(100);
  assert.equal(world.rings.length, 2);
});

test("it can be rung at once, and the time that was asked for then counts from there", async (context) => {
  const { clock, world, pass } = ringing(context, (now) => now + 100);
  clock.ring();
  pass(40);
  clock.ring();
  assert.deepEqual(world.rings, [0, 40]);
  pass(99);
  assert.deepEqual(world.rings, [0, 40]);
  pass(1);
  assert.deepEqual(world.rings, [0, 40, 140]);
});

test("a tick that rings its own clock is called once", (context) => {
  const { clock, world } = ringing(context, () => {
    clock.ring();
    return Infinity;
  });
  clock.ring();
  assert.deepEqual(world.rings, [0]);
});
