/**
 * @file The laws of the words for how the other players are reached.
 */

import assert from "node:assert/strict";
import test from "node:test";

import { wordsFor } from "../page/words.js";

/** @typedef {import("../page/words.js").Situation} Situation */

const THREE = ["Ada", "Ben", "Cy"].map((name, index) => ({ player_id: name, index }));

/**
 * @param {Record<number, import("../page/connection.js").LinkState>} links
 * @param {object} [more]
 * @param {Record<number, import("../page/words.js").PeerWord>} [more.peers]
 * @param {Situation["line"]} [more.line]
 * @param {number} [more.count]
 */
function words(links, { peers = {}, line = "open", count = 2 } = {}) {
  const map = (/** @type {object} */ told) => new Map(Object.entries(told).map(([peer, word]) => [Number(peer), word]));
  return wordsFor({ links: map(links), peers: map(peers), line, players: THREE.slice(0, count), index: 0 });
}

test("a player alone is told nothing", () => {
  assert.deepEqual(words({}, { count: 1 }), { state: "", text: "", notice: "" });
});

test("a link that is well is one word, whichever way it goes", () => {
  assert.deepEqual(words({ 1: "direct" }), { state: "open", text: "Connected", notice: "" });
  assert.deepEqual(words({ 1: "relay" }), { state: "open", text: "Connected through the server", notice: "" });
  const connecting = { state: "connecting", text: "Connecting to the other player", notice: "" };
  assert.deepEqual(words({ 1: "connecting" }), connecting);
});

test("a player who is silent, away or back again is told of in plain words", () => {
  /** @type {[import("../page/words.js").PeerWord, string][]} */
  const told = [
    ["silent", "The other player is not heard at the moment. The match waits."],
    ["absent", "The other player is away. The match goes on without them until they return."],
    ["returning", "The other player is back, and catches up."],
    ["here", ""],
  ];
  for (const [word, notice] of told) assert.equal(words({ 1: "direct" }, { peers: { 1: word } }).notice, notice);
});

test("what the match knows of a player goes before what the link does", () => {
  assert.match(words({ 1: "closed" }, { peers: { 1: "absent" } }).notice, /^The other player is away/);
  assert.match(words({ 1: "closed" }).notice, /^The other player has left the page/);
});

test("of several players those are named of whom there is something to say", () => {
  const { state, text, notice } = words({ 1: "direct", 2: "relay" }, { count: 3, peers: { 1: "silent" } });
  assert.deepEqual([state, text], ["open", "Connected through the server"]);
  assert.equal(notice, "Ben is not heard at the moment. The match waits. Cy is reached through the server.");
});

test("a player who was away from the start has no link, and is told of as gone", () => {
  assert.equal(words({ 1: "direct" }, { count: 3 }).text, "Connection lost");
});

test("spectators come and go without a word", () => {
  assert.deepEqual(words({ 1: "direct", 2: "closed" }), { state: "open", text: "Connected", notice: "" });
});

test("a lost line to the server is told of as long as it is being opened again", () => {
  assert.match(words({ 1: "direct" }, { line: "lost" }).notice, /line to the server was lost/);
  assert.equal(words({ 1: "direct" }, { line: "closed" }).notice, "");
});
