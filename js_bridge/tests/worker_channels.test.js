/**
 * @file The laws of the channels' ends in the worker.
 */

import assert from "node:assert/strict";
import test from "node:test";

import { Channels } from "../worker/channels.js";

/** As much of an RTCDataChannel as the worker touches. */
class Port {
  binaryType = "blob";
  readyState = "connecting";
  /** @type {any[]} */
  sent = [];
  onopen = () => {};
  onclose = () => {};
  /** @type {(event: {data: unknown}) => void} */
  onmessage = () => {};
  /** @param {Uint8Array} data */
  send(data) {
    if (this.readyState !== "open") throw new Error("the channel is not open");
    this.sent.push([...data]);
  }
  close() {
    this.readyState = "closed";
  }
  open() {
    this.readyState = "open";
    this.onopen();
  }
}

function channels() {
  const seen = {
    packets: /** @type {any[]} */ ([]), links: /** @type {any[]} */ ([]),
    proxied: /** @type {any[]} */ ([]), logs: /** @type {string[]} */ ([]),
  };
  const all = new Channels({
    packet: (peer, channel, data) => seen.packets.push([peer, channel, [...new Uint8Array(data)]]),
    link: (...link) => seen.links.push(link),
    proxy: (peer, channel, data) => seen.proxied.push([peer, channel, [...new Uint8Array(data)]]),
    log: (text) => seen.logs.push(text),
  });
  const ports = { input: new Port(), control: new Port() };
  const own = () => {
    all.own(1, "input", /** @type {any} */ (ports.input));
    all.own(1, "control", /** @type {any} */ (ports.control));
  };
  return { all, seen, ports, own };
}

test("a link is open once both channels are, and says so once", () => {
  const { seen, ports, own } = channels();
  own();
  ports.input.open();
  assert.deepEqual(seen.links, []);
  ports.control.open();
  ports.control.open();
  ports.input.open();
  assert.deepEqual(seen.links, [[1, "open"]]);
  assert.equal(ports.input.binaryType, "arraybuffer");
});

test("a channel that arrives open is open, though it never says so", () => {
  const { seen, ports, own } = channels();
  ports.input.readyState = ports.control.readyState = "open";
  own();
  assert.deepEqual(seen.links, [[1, "open"]]);
});

test("a message on an open channel is as good as its saying so, and comes after the link", () => {
  const { all, seen, ports, own } = channels();
  own();
  ports.control.open();
  ports.input.readyState = "open";
  ports.input.onmessage({ data: new Uint8Array([4]).buffer });
  assert.deepEqual(seen.links, [[1, "open"]]);
  assert.deepEqual(seen.packets, [[1, 0, [4]]]);
  all.send(1, 0, new Uint8Array([8]));
  assert.deepEqual(ports.input.sent, [[8]]);
});

test("packets carry the channel that they came on, and leave on the one they are for", () => {
  const { all, seen, ports, own } = channels();
  own();
  ports.input.open();
  ports.control.open();
  ports.control.onmessage({ data: new Uint8Array([1]).buffer });
  all.send(1, 1, new Uint8Array([2]));
  all.send(1, 0, new Uint8Array([3]));
  assert.deepEqual(seen.packets, [[1, 1, [1]]]);
  assert.deepEqual([ports.input.sent, ports.control.sent], [[[3]], [[2]]]);
});

test("a link closes once, with the first reason, and both its channels with it", () => {
  const { all, seen, ports, own } = channels();
  own();
  ports.input.open();
  ports.control.open();
  ports.input.onclose();
  ports.control.onclose();
  all.fail(1, "no way through the network");
  assert.deepEqual(seen.links, [[1, "open"], [1, "closed", "the input channel closed"]]);
  assert.equal(ports.control.readyState, "closed");
});

test("a connection that fails before it had channels is a closed link", () => {
  const { all, seen } = channels();
  all.fail(3, "no way through the network");
  assert.deepEqual(seen.links, [[3, "closed", "no way through the network"]]);
});

test("an input packet that cannot be sent is lost; a control packet closes the link", () => {
  const { all, seen, ports, own } = channels();
  ports.input.send = ports.control.send = () => { throw new Error("the buffer is full"); };
  own();
  ports.input.open();
  ports.control.open();
  all.send(1, 0, new Uint8Array(2));
  assert.deepEqual(seen.links, [[1, "open"]]);
  all.send(1, 1, new Uint8Array(2));
  assert.deepEqual(seen.links[1], [1, "closed", "the control channel refused a packet: the buffer is full"]);
  assert.equal(seen.logs.length, 2);
});

test("a packet before the channel is open, or for nobody, is dropped", () => {
  const { all, seen, ports, own } = channels();
  own();
  all.send(1, 0, new Uint8Array(2));
  all.send(9, 0, new Uint8Array(2));
  assert.deepEqual([ports.input.sent, seen.links], [[], []]);
  assert.match(seen.logs[0] ?? "", /player 9/);
});

test("a channel that the page keeps behaves as one of the worker's own", () => {
  const { all, seen } = channels();
  all.follow(1, "input", "made");
  all.follow(1, "control", "made");
  all.send(1, 0, new Uint8Array([1]));
  all.follow(1, "input", "open");
  all.follow(1, "control", "open");
  all.send(1, 1, new Uint8Array([7, 8]).subarray(1));
  all.arrived(1, "input", new Uint8Array([5]).buffer);
  all.follow(1, "control", "closed");
  assert.deepEqual(seen.proxied, [[1, "control", [8]]]);
  assert.deepEqual(seen.packets, [[1, 0, [5]]]);
  assert.deepEqual(seen.links, [[1, "open"], [1, "closed", "the control channel closed"]]);
});

test("one channel may be transferred and the other kept", () => {
  const { all, seen, ports } = channels();
  all.own(1, "input", /** @type {any} */ (ports.input));
  all.follow(1, "control", "made");
  all.follow(1, "control", "open");
  ports.input.open();
  assert.deepEqual(seen.links, [[1, "open"]]);
});

test("text on a channel is told of and dropped", () => {
  const { seen, ports, own } = channels();
  own();
  ports.input.onmessage({ data: "hello" });
  assert.deepEqual(seen.packets, []);
  assert.match(seen.logs[0] ?? "", /not bytes/);
});

test("news of a channel that nobody made is told of and hurts nobody", () => {
  const { all, seen } = channels();
  all.follow(1, "input", "open");
  assert.deepEqual(seen.links, []);
  assert.match(seen.logs[0] ?? "", /no input channel/);
});
