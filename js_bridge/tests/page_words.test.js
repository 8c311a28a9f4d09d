/**
 * @file The laws of the words for how the other players are reached.
 */

import assert from "node:assert/strict";
import test from "node:test";

import { bannerFor, endingFor, wordsFor } from "../page/words.js";

/** @typedef {import("../page/words.js").Situation} Situation */

const THREE = ["Ada", "Ben", "Cy"].map((name, index) => ({ player_id: name, index }));

/**
 * @param {Record<number, import("../page/connection.js").LinkState>} links
 * @param {object} [more]
 * @param {Record<number, import("../page/words.js").PeerWord>} [more.peers]
 * @param {Situation["line"]} [more.line]
 * @param {Situation["onDrop"]} [more.onDrop]
 * @param {number} [more.count]
 */
function words(links, { peers = {}, line = "open", onDrop = "end", count = 2 } = {}) {
  return wordsFor(situation({ links: map(links), peers: map(peers), line, onDrop, players: THREE.slice(0, count) }));
}

/** @param {object} told */
function map(told) {
  return new Map(Object.entries(told).map(([peer, word]) => [Number(peer), word]));
}

/**
 * @param {Partial<Situation>} told
 * @returns {Situation}
 */
function situation(told) {
  const usual = { links: new Map(), peers: new Map(), paused: [], share: null, players: THREE, perPage: 1, index: 0 };
  return { ...usual, line: "open", onDrop: "end", ...told };
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
    ["absent", "The other player is gone, and the match ends."],
    ["returning", "The other player is back, and catches up."],
    ["here", ""],
  ];
  for (const [word, notice] of told) assert.equal(words({ 1: "direct" }, { peers: { 1: word } }).notice, notice);
});

test("of a player who is away it is said what the match does meanwhile, and nothing else", () => {
  /** @type {[Situation["onDrop"], string, string][]} */
  const told = [
    ["pause", "Paused", "The other player is away. The match waits for them."],
    ["default", "Playing on", "The other player is away. The match goes on without them until they return."],
    ["partner", "Playing on", "The other player is away. The computer plays in their place until they return."],
  ];
  for (const [onDrop, text, notice] of told) {
    const away = { state: "away", text, notice };
    assert.deepEqual(words({ 1: "closed" }, { peers: { 1: "absent" }, onDrop }), away);
  }
});

test("over the picture it is said why it stands still or runs ahead, and for whom", () => {
  assert.equal(bannerFor(situation({})), "");
  assert.equal(bannerFor(situation({ share: 0.409 })), "Catching up: 40 %");
  assert.equal(bannerFor(situation({ paused: ["red"] })), "Paused: red's page is hidden");
  assert.equal(bannerFor(situation({ paused: ["a", "b", "c"] })), "Paused: a's, b's and c's pages are hidden");
  const peers = map({ 1: "absent", 2: "returning" });
  assert.equal(bannerFor(situation({ peers, onDrop: "default" })), "");
  assert.equal(bannerFor(situation({ peers, onDrop: "pause" })), "Paused until Ben and Cy are back");
  const two = { peers, onDrop: /** @type {const} */ ("pause"), players: THREE.slice(0, 2) };
  assert.equal(bannerFor(situation(two)), "Paused until the other player is back");
});

test("several players at the only other page are spoken of as such", () => {
  const two = { players: THREE.slice(0, 2), perPage: 2 };
  const notice = (/** @type {Partial<Situation>} */ told) => wordsFor(situation({ ...two, ...told })).notice;
  const peers = map({ 1: "absent" });
  assert.equal(notice({ peers, onDrop: "pause" }), "The other players are away. The match waits for them.");
  const silent = "The other players are not heard at the moment. The match waits.";
  assert.equal(notice({ peers: map({ 1: "silent" }) }), silent);
  assert.equal(notice({ links: map({ 1: "closed" }) }), "The other players have left the page.");
  assert.equal(bannerFor(situation({ ...two, peers, onDrop: "pause" })), "Paused until the other players are back");
  const connecting = wordsFor(situation({ ...two, links: map({ 1: "connecting" }) }));
  assert.equal(connecting.text, "Connecting to the other players");
});

test("of an end that somebody brought about it is said who that was, as far as that is known", () => {
  const pages = (/** @type {number} */ count) => ({ players: THREE.slice(0, count), perPage: 1 });
  assert.equal(endingFor("peer_left", pages(2))?.[0], "The other player left");
  assert.equal(endingFor("peer_left", pages(3))?.[0], "Another player left");
  assert.equal(endingFor("peer_lost", { ...pages(2), perPage: 2 })?.[0], "The other players were lost");
  assert.match(endingFor("peer_lost", pages(3))?.[1] ?? "", /^The connection to another player broke off/);
  assert.equal(endingFor("completed", pages(2))?.[0], "Thank you!");
  assert.equal(endingFor("desync", pages(2)), undefined);
});

test("what the match knows of a player goes before what the link does", () => {
  assert.match(words({ 1: "closed" }, { peers: { 1: "absent" } }).notice, /^The other player is gone/);
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
