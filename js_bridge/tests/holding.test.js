/**
 * @file The laws of channels that hold back what they were given.
 */

import assert from "node:assert/strict";
import test from "node:test";

import { AT_ONCE, Holding } from "../holding.js";
import { Channels } from "../worker/channels.js";

const INPUT = 0;
const CONTROL = 1;

test("a channel holds back once bytes have waited for longer than the packets of a frame take", () => {
  const channel = { bufferedAmount: 0 };
  const clock = { now: 100 };
  const holding = new Holding(channel, () => clock.now);
  assert.equal(holding.back, false);
  channel.bufferedAmount = 80;
  clock.now += AT_ONCE;
  assert.equal(holding.back, false);
  clock.now += 1;
  assert.equal(holding.back, true);
  channel.bufferedAmount = 0;
  assert.equal(holding.back, false);
});

test("a channel that is not empty when it is first asked holds back", () => {
  assert.equal(new Holding({ bufferedAmount: 1 }, () => 0).back, true);
});

test("an input packet is given up while the channel holds back, a control packet is not", () => {
  const clock = { now: 1000 };
  const quiet = () => {};
  const handlers = { packet: quiet, link: quiet, proxy: quiet, relay: quiet, trouble: quiet, log: quiet };
  const channels = new Channels(handlers, () => clock.now);
  const ports = [INPUT, CONTROL].map(() => ({
    readyState: "open", bufferedAmount: 0, sent: /** @type {number[]} */ ([]), close: quiet,
    /** @param {Uint8Array} bytes */
    send(bytes) {
      this.bufferedAmount += bytes.length;
      this.sent.push(...bytes);
    },
  }));
  channels.expect(1);
  channels.own(1, "input", /** @type {any} */ (ports[INPUT]));
  channels.own(1, "control", /** @type {any} */ (ports[CONTROL]));
  const frame = (/** @type {number} */ number) => {
    clock.now += 33;
    for (const channel of [INPUT, INPUT, CONTROL]) channels.send(1, channel, new Uint8Array([number]));
  };
  frame(1);
  frame(2);
  assert.deepEqual(ports.map(({ sent }) => sent), [[1, 1], [1, 2]]);
  for (const port of ports) port.bufferedAmount = 0;
  frame(3);
  assert.deepEqual(ports.map(({ sent }) => sent), [[1, 1, 3, 3], [1, 2, 3]]);
});
