/**
 * @file The laws of the ways between pages, as the worker chooses them.
 */

import assert from "node:assert/strict";
import test from "node:test";

import { Channels, FAREWELL, PATIENCE, SILENCE, WORD } from "../worker/channels.js";

const INPUT = 0;
const CONTROL = 1;

/** As much of an RTCDataChannel as the worker touches. */
class Port {
  binaryType = "blob";
  readyState = "connecting";
  bufferedAmount = 0;
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
  /** @param {number[]} bytes */
  hear(bytes) {
    this.onmessage({ data: new Uint8Array(bytes).buffer });
  }
}

function channels() {
  const seen = {
    packets: /** @type {any[]} */ ([]), links: /** @type {any[]} */ ([]), relayed: /** @type {any[]} */ ([]),
    proxied: /** @type {any[]} */ ([]), trouble: /** @type {any[]} */ ([]), logs: /** @type {string[]} */ ([]),
  };
  const clock = { now: 1000 };
  const all = new Channels({
    packet: (peer, channel, data) => seen.packets.push([peer, channel, [...new Uint8Array(data)]]),
    link: (...link) => seen.links.push(link.filter((part) => part !== undefined)),
    proxy: (peer, channel, data) => seen.proxied.push([peer, channel, [...new Uint8Array(data)]]),
    relay: (peer, channel, heard, data) => seen.relayed.push([peer, channel, heard, [...new Uint8Array(data)]]),
    trouble: (...trouble) => seen.trouble.push(trouble),
    log: (text) => seen.logs.push(text),
  }, () => clock.now);
  all.expect(1);
  const own = (ports = { input: new Port(), control: new Port() }) => {
    all.own(1, "input", /** @type {any} */ (ports.input));
    all.own(1, "control", /** @type {any} */ (ports.control));
    return ports;
  };
  const open = (ports = own()) => {
    ports.input.open();
    ports.control.open();
    return ports;
  };
  const send = (/** @type {number} */ channel, /** @type {number[]} */ ...bytes) => {
    all.send(1, channel, new Uint8Array(bytes));
  };
  /** Sends one packet after the other for so many milliseconds. @param {number} milliseconds */
  const keepSending = (milliseconds) => {
    for (const end = clock.now + milliseconds; clock.now < end;) {
      clock.now += Math.min(100, end - clock.now);
      send(INPUT, 0);
    }
  };
  /** The other page's packets through the server. @param {boolean} heard @param {number[]} bytes */
  const relayed = (heard, ...bytes) => all.relayed(1, "input", heard, new Uint8Array(bytes).buffer);
  const ways = () => seen.links.map(([, way]) => way);
  return { all, seen, clock, own, open, send, keepSending, relayed, ways };
}

// -- the direct way --------------------------------------------------------------------------------------------------

test("a link is direct once both channels are open, and says so once", () => {
  const { seen, own } = channels();
  const ports = own();
  ports.input.open();
  assert.deepEqual(seen.links, []);
  ports.control.open();
  ports.control.open();
  ports.input.open();
  assert.deepEqual(seen.links, [[1, "direct"]]);
  assert.equal(ports.input.binaryType, "arraybuffer");
});

test("a channel that arrives open is open, though it never says so", () => {
  const { seen, own } = channels();
  const ports = { input: new Port(), control: new Port() };
  ports.input.readyState = ports.control.readyState = "open";
  own(ports);
  assert.deepEqual(seen.links, [[1, "direct"]]);
});

test("a message on an open channel is as good as its saying so, and comes after the link", () => {
  const { seen, own, send } = channels();
  const ports = own();
  ports.control.open();
  ports.input.readyState = "open";
  ports.input.hear([4]);
  assert.deepEqual(seen.links, [[1, "direct"]]);
  assert.deepEqual(seen.packets, [[1, INPUT, [4]]]);
  send(INPUT, 8);
  assert.deepEqual(ports.input.sent, [[8]]);
});

test("packets carry the channel that they came on, and leave on the one they are for", () => {
  const { seen, open, send } = channels();
  const ports = open();
  ports.control.hear([1]);
  send(CONTROL, 2);
  send(INPUT, 3);
  assert.deepEqual(seen.packets, [[1, CONTROL, [1]]]);
  assert.deepEqual([ports.input.sent, ports.control.sent, seen.relayed], [[[3]], [[2]], []]);
});

test("a channel that the page keeps behaves as one of the worker's own", () => {
  const { all, seen, send } = channels();
  all.follow(1, "input", "made");
  all.follow(1, "control", "made");
  all.follow(1, "input", "open");
  all.follow(1, "control", "open");
  send(CONTROL, 8);
  all.arrived(1, "input", new Uint8Array([5]).buffer);
  assert.deepEqual(seen.proxied, [[1, "control", [8]]]);
  assert.deepEqual(seen.packets, [[1, INPUT, [5]]]);
  all.follow(1, "control", "closed");
  assert.deepEqual(seen.links, [[1, "direct"], [1, "relay", "the control channel closed"]]);
});

test("one channel may be transferred and the other kept", () => {
  const { all, seen } = channels();
  const input = new Port();
  all.own(1, "input", /** @type {any} */ (input));
  all.follow(1, "control", "made");
  all.follow(1, "control", "open");
  input.open();
  assert.deepEqual(seen.links, [[1, "direct"]]);
});

test("an input packet that cannot be sent is lost; a control packet takes the other way", () => {
  const { seen, own, open, send } = channels();
  const ports = { input: new Port(), control: new Port() };
  ports.input.send = ports.control.send = () => { throw new Error("the buffer is full"); };
  open(own(ports));
  send(INPUT, 1, 2);
  assert.deepEqual(seen.links, [[1, "direct"]]);
  send(CONTROL, 3, 4);
  assert.deepEqual(seen.links[1], [1, "relay", "the control channel refused a packet: the buffer is full"]);
  assert.deepEqual(seen.relayed, [[1, "control", false, [3, 4]]]);
  assert.deepEqual(seen.trouble, [[1, false]]);
  assert.equal(seen.logs.length, 2);
});

// -- the way through the server --------------------------------------------------------------------------------------

test("a direct way has its time to open; then packets go through the server", () => {
  const { seen, clock, send, ways } = channels();
  clock.now += PATIENCE - 1;
  send(INPUT, 1);
  assert.deepEqual([seen.relayed, ways()], [[], []]);
  clock.now += 1;
  send(INPUT, 2);
  assert.deepEqual(seen.relayed, [[1, "input", false, [2]]]);
  assert.deepEqual(seen.links, [[1, "relay", "there is no direct way"]]);
});

test("who is told through the server that the other side hears nothing directly does not wait", () => {
  const { seen, relayed, send, ways } = channels();
  relayed(false, 7);
  assert.deepEqual(seen.packets, [[1, INPUT, [7]]]);
  send(INPUT, 1);
  assert.deepEqual(ways(), ["relay"]);
});

test("a direct way that comes up later is taken", () => {
  const { seen, keepSending, own, open, send, ways } = channels();
  keepSending(PATIENCE);
  const ports = open(own());
  send(INPUT, 9);
  assert.deepEqual(ways(), ["relay", "direct"]);
  assert.deepEqual(ports.input.sent.at(-1), [9]);
  assert.ok(!seen.relayed.some(([, , , [byte]]) => byte === 9));
});

test("silence on the direct way sends packets through the server, and directly on trial", () => {
  const { seen, keepSending, open, send } = channels();
  const ports = open();
  keepSending(SILENCE + 100);
  assert.deepEqual(seen.links[1], [1, "relay", "nothing comes directly"]);
  assert.deepEqual(seen.trouble, [[1, true]]);
  send(INPUT, 9);
  assert.deepEqual(seen.relayed.at(-1), [1, "input", false, [9]]);
  assert.deepEqual(ports.input.sent.at(-1), [9]);
});

test("who sends nothing expects nothing: a pause is no silence", () => {
  const { clock, open, send, ways } = channels();
  open();
  clock.now += 60_000;
  send(INPUT, 1);
  assert.deepEqual(ways(), ["direct"]);
});

test("a silent direct way on which something is heard again is taken again", () => {
  const { keepSending, open, send, ways } = channels();
  const ports = open();
  keepSending(SILENCE + 100);
  ports.input.hear([1]);
  send(INPUT, 9);
  assert.deepEqual(ways(), ["direct", "relay", "direct"]);
});

test("as long as the other side does not hear the direct way, packets go both ways", () => {
  const { seen, clock, keepSending, open, relayed, send, ways } = channels();
  const ports = open();
  keepSending(300);
  ports.input.hear([1]);
  relayed(false, 2);
  send(INPUT, 9);
  assert.deepEqual(ways(), ["direct", "relay"]);
  assert.deepEqual([seen.relayed.at(-1), ports.input.sent.at(-1)], [[1, "input", true, [9]], [9]]);
  relayed(true, 3);
  send(INPUT, 10);
  assert.deepEqual(ways(), ["direct", "relay", "direct"]);
  relayed(false, 4);
  send(INPUT, 11);
  clock.now += WORD;
  ports.input.hear([1]);
  send(INPUT, 12);
  assert.deepEqual(ways().slice(3), ["relay", "direct"], "its word counts for a while only");
});

test("two pages that went through the server find back to the direct way together", () => {
  const [one, other] = [channels(), channels()];
  const [ports, others] = [one.open(), other.open()];
  one.keepSending(SILENCE + 100);
  other.keepSending(SILENCE + 100);
  /** Everything that was sent arrives, on either way. @param {number} round */
  const exchange = (round) => {
    const directions = /** @type {const} */ ([[one, other, ports, others], [other, one, others, ports]]);
    for (const [from, to, sent, heard] of directions) {
      const before = from.seen.relayed.length;
      from.clock.now += 200;
      from.send(INPUT, round);
      heard.input.hear(sent.input.sent.at(-1));
      for (const [, , hears, bytes] of from.seen.relayed.slice(before)) to.relayed(hears, ...bytes);
    }
  };
  for (let round = 0; round < 4; round += 1) exchange(round);
  assert.deepEqual([one.ways().at(-1), other.ways().at(-1)], ["direct", "direct"]);
});

test("whenever the way changes, the recent control packets are sent once more, each once", () => {
  const { seen, clock, open, send } = channels();
  send(CONTROL, 1);
  const ports = open();
  assert.deepEqual(ports.control.sent, [[1]], "what was said before there was any way");
  for (const byte of [2, 3, 2]) send(CONTROL, byte);
  ports.input.onclose();
  const relayed = seen.relayed.map(([, channel, , bytes]) => [channel, ...bytes]);
  assert.deepEqual(relayed, [["control", 1], ["control", 3], ["control", 2]]);
  clock.now += 60_000;
  assert.deepEqual(open().control.sent, [], "they are recent no more");
});

test("a way that is lost is no closed link", () => {
  const { all, seen, open, send } = channels();
  const ports = open();
  all.lost(1, "the network changed");
  assert.deepEqual([ports.input.readyState, ports.control.readyState], ["closed", "closed"]);
  ports.control.onclose();
  send(INPUT, 3);
  assert.deepEqual(seen.links, [[1, "direct"], [1, "relay", "the network changed"]]);
  assert.deepEqual(seen.trouble, [], "the page knows already");
});

test("new channels take the place of those before, which are not listened to any more", () => {
  const { seen, open, own, ways } = channels();
  const first = open();
  const second = own();
  first.input.onclose();
  assert.equal(first.input.readyState, "closed");
  assert.deepEqual(seen.trouble, []);
  open(second);
  assert.equal(ways().at(-1), "direct");
});

// -- pages that leave and come back ----------------------------------------------------------------------------------

test("a page that leaves without a direct way is a closed link, told once, and nothing is sent to it any more", () => {
  const { all, seen, send } = channels();
  all.left(1, "the other page has left");
  all.left(1, "the other page has left");
  send(INPUT, 1);
  assert.deepEqual(seen.links, [[1, "closed", "the other page has left"]]);
  assert.deepEqual(seen.relayed, []);
});

test("what a page that has left still sends directly is taken, until the channels close", () => {
  const { all, seen, open, send, ways } = channels();
  const ports = open();
  all.left(1, "the other page has left");
  ports.control.hear([1]);
  send(INPUT, 2);
  assert.deepEqual([seen.packets.length, ports.input.sent, ways()], [1, [[2]], ["direct"]]);
  ports.control.onclose();
  assert.deepEqual(seen.links.at(-1), [1, "closed", "the control channel closed"]);
});

test("a page that has left and falls silent is gone, though its channels never close", () => {
  const { all, seen, open, send, clock, ways } = channels();
  const ports = open();
  clock.now += FAREWELL;
  all.left(1, "the other page has left");
  clock.now += FAREWELL - 1;
  send(INPUT, 1);
  assert.deepEqual(ways(), ["direct"]);
  ports.input.hear([1]);
  clock.now += FAREWELL - 1;
  send(INPUT, 2);
  assert.deepEqual(ways(), ["direct"]);
  clock.now += 1;
  send(INPUT, 3);
  assert.deepEqual(seen.links.at(-1), [1, "closed", "the other page has left, and nothing comes directly any more"]);
  assert.equal(ports.input.readyState, "closed");
  assert.deepEqual(seen.trouble, []);
});

test("a page that is back over a new line is reached as before", () => {
  const { all, send, clock, ways } = channels();
  all.left(1, "the other page has left");
  all.back(1);
  clock.now += PATIENCE;
  send(INPUT, 1);
  assert.deepEqual(ways(), ["closed", "relay"]);
});

test("what went through the server to a page whose line was lost is sent once more when it is back", () => {
  const { all, seen, keepSending, send } = channels();
  keepSending(PATIENCE);
  send(CONTROL, 7);
  seen.relayed.length = 0;
  all.back(1);
  assert.deepEqual(seen.relayed, [[1, "control", false, [7]]]);
});

test("the next page in a place has a link of its own, and nothing of the one before closes it", () => {
  const { all, seen, open, send, own, ways } = channels();
  const ports = open();
  all.expect(1);
  assert.equal(ports.input.readyState, "closed");
  ports.input.onclose();
  ports.control.onclose();
  send(CONTROL, 1);
  assert.deepEqual([seen.links, seen.relayed, seen.trouble], [[[1, "direct"]], [], []]);
  open(own());
  assert.deepEqual(ways(), ["direct", "direct"]);
});

// -- what is wrong ---------------------------------------------------------------------------------------------------

test("a packet for nobody is told of and dropped", () => {
  const { all, seen } = channels();
  all.send(9, INPUT, new Uint8Array(2));
  assert.match(seen.logs[0] ?? "", /player 9/);
});

test("a channel to somebody who is not expected is told of and closed", () => {
  const { all, seen } = channels();
  const port = new Port();
  all.own(9, "input", /** @type {any} */ (port));
  assert.equal(port.readyState, "closed");
  assert.match(seen.logs[0] ?? "", /not expected/);
});

test("text on a channel is told of and dropped", () => {
  const { seen, own } = channels();
  own().input.onmessage({ data: "hello" });
  assert.deepEqual(seen.packets, []);
  assert.match(seen.logs[0] ?? "", /not bytes/);
});

test("news of a channel that nobody made is told of and hurts nobody", () => {
  const { all, seen } = channels();
  all.follow(1, "input", "open");
  assert.deepEqual(seen.links, []);
  assert.match(seen.logs[0] ?? "", /no input channel/);
});
