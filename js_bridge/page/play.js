/**
 * @file The participant's page: reads room and player from the address, joins, and puts into words what goes on. Its
 * words and looks are all that it adds to `connect`. For scripts that drive the page it keeps the phase on the root
 * element and the connection's numbers at `window.pyodideRuntime`.
 */

import { Bundle, connect } from "../index.js";
import { offerData } from "./download.js";
import { placeInBundle, placeOnServer } from "./place.js";
import { bannerFor, endingFor, wordsFor } from "./words.js";

/** @typedef {import("./connection.js").Connection} Connection */
/** @typedef {import("./place.js").Place} Place */
/** @typedef {import("./socket.js").Player} Player */

/** What they read at the end where the page keeps the data itself. @type {Readonly<Record<string, string>>} */
const KEPT = Object.freeze({
  completed: "You have reached the end. Your data are on this page only: download them before you close it.",
});
const STILL_KEPT = "The data so far are on this page only: download them before you close it.";
const WATCHED = Object.freeze(["The match has ended", "Thank you for watching. You may close this page."]);

const ABOUT_TO_BEGIN = Object.freeze({
  title: "Connecting",
  text: "Everybody is here. The match is about to begin.",
});
/** For whoever comes when the match goes on already, to play again or to watch. */
const COMING_BACK = Object.freeze({
  title: "Coming back",
  text: "The match has begun already. This page catches up with it.",
});
const REJOINING = Object.freeze({
  title: "Coming back",
  text: "The connection was lost for a while, and the match went on. This page is loaded again and catches up.",
});

/** How often the numbers of `?debug=1` are shown anew, in milliseconds. */
const DEBUG_EVERY = 250;

const query = new URLSearchParams(location.search);
/** Python loads since the page's first lines, where the server has written into the page what is required. */
const early = /** @type {any} */ (window).pyodideRuntimeEarly;
const watching = query.get("watch") === "1";

/**
 * @template {HTMLElement} T
 * @param {string} id
 * @returns {T}
 */
function element(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no element "${id}"`);
  return /** @type {any} */ (found);
}

/** @param {Record<string, string>} texts by element id */
function write(texts) {
  for (const [id, text] of Object.entries(texts)) element(id).textContent = text;
}

/** @param {Connection} connection */
function showPhase(connection) {
  const { phase, error, outcome, detail, start } = connection;
  const root = document.documentElement;
  root.dataset.phase = phase;
  if (phase !== "loading") write({ label: "" });
  if (phase === "waiting" && !start) write({ title: "Waiting" });
  if (phase === "playing") element("canvas").focus({ preventScroll: true });
  if (phase !== "finished" && phase !== "failed") return;
  if (outcome) root.dataset.outcome = outcome;
  if (phase === "failed") root.dataset.error = error ?? "";
  const ending = watching && phase === "finished" ? WATCHED : endingFor(outcome ?? "", matchOf(connection));
  const kept = connection.data && !connection.data.empty;
  const plain = phase === "failed" ? ["Something went wrong", error ?? ""] : ["The match has ended", detail];
  const [title = "", text = ""] = ending ?? plain;
  const told = kept ? KEPT[outcome ?? ""] ?? `${text}\n\n${STILL_KEPT}` : text;
  write({ title, text: told, status: "", label: ending && phase === "failed" ? error ?? "" : "" });
  element("data").hidden = !kept;
}

/**
 * @param {readonly Player[]} players
 * @param {number} count
 * @param {Connection} connection
 * @param {Place} place
 */
function showPlayers(players, count, { phase }, { playerId, inviting }) {
  const missing = count - players.length;
  const other = watching ? "" : "other ";
  const others = missing === 1 ? `the ${watching ? "last" : "other"} player` : `${missing} ${other}players`;
  element("invite").hidden = !inviting || missing === 0;
  write({ others: `${others} ${missing === 1 ? "joins" : "join"}`.replace(/^./, (letter) => letter.toUpperCase()) });
  if (phase === "waiting") {
    write(missing > 0 ? {
      title: `Waiting for ${others} (${players.length} of ${count})`,
      text: "The match begins by itself as soon as everybody is here.",
    } : {
      title: "Almost there",
      text: "Everybody is here. The match begins as soon as all are ready.",
    });
  }
  element("players").replaceChildren(...(count > 1 ? players : []).map(({ player_id: id, ready }) => {
    const item = document.createElement("li");
    const state = document.createElement("span");
    item.dataset.ready = String(ready);
    state.textContent = ready ? "ready" : "loading";
    item.append(id === playerId ? `${id} (you)` : id, state);
    return item;
  }));
}

/** @typedef {Omit<import("./words.js").Situation, "players" | "perPage" | "index">} Known */

/** @param {Connection} connection */
function matchOf({ config, start }) {
  const perPage = /** @type {number} */ (config?.experiment.settings.players_per_page ?? 1);
  return { players: start?.players ?? [], perPage };
}

/**
 * @param {Connection} connection
 * @param {Known} known
 */
function showOthers(connection, known) {
  if (!connection.start) return;
  const situation = { ...known, ...matchOf(connection), index: connection.start.index };
  const { state, text, notice } = wordsFor(situation);
  element("status").dataset.state = state;
  element("notice").hidden = notice === "";
  write({ status: text, notice, banner: bannerFor(situation) });
}

/** @param {Connection} connection */
function showNumbers(connection) {
  const { links = {}, ...numbers } = connection.stats();
  const values = Object.entries(numbers).map(([name, value]) => [name, String(Number(value.toFixed(2)))]);
  const ways = Object.entries(links).map(([peer, way]) => [`link ${peer}`, way]);
  const lines = [["phase", connection.phase], ...values, ...ways];
  write({ debug: lines.map(([name = "", value = ""]) => `${name.padEnd(20)} ${value}`).join("\n") });
}

/**
 * Joins, and shows what happens from then on.
 *
 * @param {Place} place
 * @param {Bundle} [bundle]
 */
function play(place, bundle) {
  /** @type {{players: readonly Player[], count: number}} */
  let roster = { players: [], count: 0 };
  /** @type {Known} */
  const known = { links: new Map(), peers: new Map(), onDrop: "end", line: "open", paused: [], share: null };
  /** @param {Partial<Known>} news */
  const learn = (news) => {
    Object.assign(known, news);
    showOthers(connection, known);
  };
  element("watching").hidden = !watching;
  const connection = connect({
    room: place.room,
    playerId: place.playerId,
    canvas: element("canvas"),
    ...(bundle ? { bundle } : {}),
    ...(early ? { early } : {}),
    proxyChannels: query.get("proxy_channels") === "1",
    watch: watching,
    ...(query.get("ice_transport_policy") === "relay" ? { iceTransportPolicy: /** @type {const} */ ("relay") } : {}),
    onPhase: (phase) => {
      showPhase(connection);
      if (phase === "waiting") showPlayers(roster.players, roster.count, connection, place);
    },
    onProgress: ({ fraction, label }) => {
      const percent = Math.round(fraction * 100);
      element("fill").style.width = `${percent}%`;
      element("bar").setAttribute("aria-valuenow", String(percent));
      write({ label });
    },
    onJoined: (running) => {
      write({ name: connection.config?.experiment.settings.name ?? "" });
      if (running) write({ ...COMING_BACK, ...(watching ? { title: "Watching" } : {}) });
    },
    onAbout: ({ name, instructions }) => {
      document.title = name;
      write({ name, instructions });
    },
    onPlayers: (players, count) => {
      roster = { players, count };
      write({ name: connection.about?.name ?? connection.config?.experiment.settings.name ?? "" });
      showPlayers(players, count, connection, place);
    },
    onLinks: (links) => {
      learn({ links });
      if (connection.phase !== "waiting") return;
      const { title, text } = connection.start?.running ? COMING_BACK : ABOUT_TO_BEGIN;
      write({ title: watching ? "Watching" : title, text });
    },
    onPeers: (peers, onDrop) => learn({ peers, onDrop }),
    onLine: (line) => learn({ line }),
    onPaused: (paused) => learn({ paused }),
    onCatchingUp: (share) => learn({ share }),
    onRejoin: () => {
      document.documentElement.dataset.rejoining = "";
      write(REJOINING);
    },
    onWarning: (text) => {
      write({ warning: text });
      element("warning").hidden = false;
    },
  });
  element("address").setAttribute("href", place.address);
  write({ address: place.address });
  offerData(element("data"), connection);
  Object.assign(window, { pyodideRuntime: connection });
  if (query.get("debug") === "1") {
    element("debug").hidden = false;
    setInterval(() => showNumbers(connection), DEBUG_EVERY);
  }
}

/** @param {string} text why nobody can play here */
function refuse(text) {
  Object.assign(document.documentElement.dataset, { phase: "failed", error: text });
  write({ title: "This page cannot be played", text });
}

/**
 * Plays what a static folder holds.
 *
 * @param {string} url of its experiment.json
 */
async function playBundle(url) {
  try {
    const bundle = await Bundle.read(url);
    write({ name: bundle.name });
    if (bundle.fault) {
      refuse(bundle.fault);
      return;
    }
    const place = placeInBundle(new URL(location.href));
    history.replaceState(null, "", place.url);
    play(place, bundle);
  } catch (error) {
    refuse(`A file of this page could not be had: ${error instanceof Error ? error.message : String(error)}`);
  }
}

// A page that comes back from the browser's memory has left its match.
window.addEventListener("pageshow", ({ persisted }) => persisted && location.reload());

const bundled = document.querySelector("meta[name=pyodide-runtime-bundle]")?.getAttribute("content");
if (bundled) void playBundle(new URL(bundled, document.baseURI).href);
else play(placeOnServer(new URL(location.href)));
