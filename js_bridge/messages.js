/**
 * @file The messages between the page and its worker: their names, their fields, and a check that a message is one
 * of them. A message that is not is reported and dropped by whoever got it. Nothing here sends anything.
 */

/**
 * @typedef {object} Config what the server says about the experiment when a player joins
 * @property {string} session
 * @property {{module: string, files: Record<string, string>, requirements: string[], settings: any}} experiment
 * @property {Record<string, string>} sprites name to URL
 * @property {string} distribution URL of the folder with Pyodide and its packages, ending in a slash
 * @property {any[]} ice_servers
 * @property {any} rtc_configuration
 * @property {string | null} uploads URL that chunks are posted under; null: the page keeps them
 */

/**
 * @typedef {object} Start what the server says once every player is ready
 * @property {string} session
 * @property {number} seed
 * @property {{player_id: string, index: number}[]} players
 * @property {number} index this page's own index; a spectator's is not below the number of players
 * @property {number} incarnation how many pages had this place before in this session
 * @property {boolean} running whether the match goes on already
 * @property {{index: number, incarnation: number}[]} peers the other pages that take part, spectators among them
 */

/**
 * @typedef {object} About what the experiment says of itself once Python has opened it
 * @property {string[]} stats names of the numbers in a stats message, in order
 * @property {number} width of the picture, in its own units
 * @property {number} height
 * @property {string[]} keys values of `KeyboardEvent.key` that the experiment listens to
 * @property {string} instructions
 * @property {string} name
 */

/**
 * @typedef {object} Stage one named part of the start-up; times in milliseconds since the page's navigation began
 * @property {string} name
 * @property {number} bytes that have arrived
 * @property {number | null} total bytes to come, null where nobody knows
 * @property {number} start
 * @property {number | null} end null while it lasts
 */

/** @typedef {"input" | "control"} ChannelName */

/**
 * How packets go to another page: directly, through the server, or no more.
 *
 * @typedef {"direct" | "relay" | "closed"} Way
 */

/**
 * What a match does while a player is gone: it ends, waits, or goes on with the default action or with a partner.
 *
 * @typedef {"end" | "pause" | "default" | "partner"} OnDrop
 */

/**
 * What Python knows of the other players. "silent": nothing has come of late; "absent": it is gone; "returning": it
 * is there again and catches up.
 *
 * @typedef {{peer: number, state: "here" | "silent" | "absent" | "returning"}} PeerState
 */

/**
 * @typedef {{type: "prepare", distribution: string, requirements: string[]}
 *   | {type: "load", config: Config}
 *   | {type: "start", start: Start}
 *   | {type: "channel", peer: number, channel: ChannelName, port: RTCDataChannel}
 *   | {type: "proxied", peer: number, channel: ChannelName, state: "made" | "open" | "closed"}
 *   | {type: "packet", peer: number, channel: ChannelName, data: ArrayBuffer}
 *   | {type: "relayed", peer: number, channel: ChannelName, heard: boolean, data: ArrayBuffer}
 *   | {type: "expect", peer: number}
 *   | {type: "link_lost", peer: number, reason: string}
 *   | {type: "link_left", peer: number, reason: string}
 *   | {type: "link_back", peer: number}
 *   | {type: "verdict", gone: [number, number][], granted: boolean}
 *   | {type: "key", key: string, down: boolean}
 *   | {type: "focus", focused: boolean}
 *   | {type: "visibility", hidden: boolean}
 *   | {type: "export", rows: ArrayBuffer}
 *   | {type: "leave", done?: Int32Array}} ToWorker
 */

/**
 * @typedef {{type: "stage", name: string, bytes: number, total: number | null, start: number, end: number | null}
 *   | {type: "ready", about: About}
 *   | {type: "view", payload: ArrayBuffer}
 *   | {type: "stats", values: Float64Array}
 *   | {type: "phase", phase: Phase, error?: string, outcome?: string, detail?: string}
 *   | {type: "paused", players: string[]}
 *   | {type: "appeal", gone: [number, number][]}
 *   | {type: "rejoin", detail: string}
 *   | {type: "link", peer: number, state: Way, reason?: string}
 *   | {type: "trouble", peer: number, open: boolean}
 *   | {type: "peers", peers: PeerState[], on_drop: OnDrop}
 *   | {type: "catching_up", share: number | null}
 *   | {type: "relay", peer: number, channel: ChannelName, heard: boolean, data: ArrayBuffer}
 *   | {type: "packet", peer: number, channel: ChannelName, data: ArrayBuffer}
 *   | {type: "chunk", kind: string, body: ArrayBuffer}
 *   | {type: "exported", csv: ArrayBuffer | null}
 *   | {type: "fetch", url: string, bytes: number, pieces: string[], port: MessagePort}
 *   | {type: "log", text: string}
 *   | {type: "failed", error: string, text: string}} ToPage
 */

/** @typedef {"loading" | "waiting" | "playing" | "finished" | "failed"} Phase */

/** In the order in which a page goes through them; a page ends in one of the last two. */
export const PHASES = Object.freeze(["loading", "waiting", "playing", "finished", "failed"]);

/** @typedef {(value: any) => boolean} Check */

/** @type {Check} */
const text = (value) => typeof value === "string";
/** @type {Check} */
const flag = (value) => typeof value === "boolean";
/** @type {Check} */
const number = (value) => typeof value === "number" && !Number.isNaN(value);
/** @type {Check} */
const object = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
/** @type {Check} */
const index = (value) => Number.isInteger(value) && value >= 0 && value < 256;
/** @type {Check} */
const count = (value) => Number.isInteger(value) && value >= 0;
/** @type {Check} */
const bytes = (value) => value instanceof ArrayBuffer;
/** @type {(...values: unknown[]) => Check} */
const oneOf = (...values) => (value) => values.includes(value);
/** @type {(check: Check) => Check} */
const optional = (check) => (value) => value === undefined || check(value);
/** @type {(check: Check) => Check} */
const orNull = (check) => (value) => value === null || check(value);
/** @type {(fields: Record<string, Check>) => Check} */
const shape = (fields) => (value) => object(value) && Object.keys(fields).every((name) => fields[name]?.(value[name]));
/** @type {(check: Check) => Check} */
const list = (check) => (value) => Array.isArray(value) && value.every(check);

const channel = oneOf("input", "control");

/** @type {Check} */
const incarnation = (value) => Array.isArray(value) && value.length === 2 && value.every(count);

const config = shape({
  session: text,
  experiment: shape({ module: text, files: object, requirements: list(text), settings: object }),
  sprites: object,
  distribution: text,
  uploads: orNull(text),
});

const start = shape({
  session: text,
  seed: number,
  players: list(shape({ player_id: text, index })),
  index,
  incarnation: count,
  running: flag,
  peers: list(shape({ index, incarnation: count })),
});

const about = shape({
  stats: list(text),
  width: number,
  height: number,
  keys: list(text),
  instructions: text,
  name: text,
});

/** @typedef {Readonly<Record<string, Record<string, Check>>>} Table */

/** @type {Table} */
export const TO_WORKER = Object.freeze({
  prepare: { distribution: text, requirements: list(text) },
  load: { config },
  start: { start },
  channel: { peer: index, channel, port: object },
  proxied: { peer: index, channel, state: oneOf("made", "open", "closed") },
  packet: { peer: index, channel, data: bytes },
  relayed: { peer: index, channel, heard: flag, data: bytes },
  expect: { peer: index },
  link_lost: { peer: index, reason: text },
  link_left: { peer: index, reason: text },
  link_back: { peer: index },
  verdict: { gone: list(incarnation), granted: flag },
  key: { key: text, down: flag },
  focus: { focused: flag },
  visibility: { hidden: flag },
  export: { rows: bytes },
  leave: { done: optional((value) => value instanceof Int32Array) },
});

/** @type {Table} */
export const TO_PAGE = Object.freeze({
  stage: { name: text, bytes: number, total: orNull(number), start: number, end: orNull(number) },
  ready: { about },
  view: { payload: bytes },
  stats: { values: (/** @type {any} */ value) => value instanceof Float64Array },
  phase: { phase: oneOf(...PHASES), error: optional(text), outcome: optional(text), detail: optional(text) },
  paused: { players: list(text) },
  appeal: { gone: list(incarnation) },
  rejoin: { detail: text },
  link: { peer: index, state: oneOf("direct", "relay", "closed"), reason: optional(text) },
  trouble: { peer: index, open: flag },
  peers: {
    peers: list(shape({ peer: index, state: oneOf("here", "silent", "absent", "returning") })),
    on_drop: oneOf("end", "pause", "default", "partner"),
  },
  catching_up: { share: orNull(number) },
  relay: { peer: index, channel, heard: flag, data: bytes },
  packet: { peer: index, channel, data: bytes },
  chunk: { kind: text, body: bytes },
  fetch: { url: text, bytes: count, pieces: list(text), port: object },
  exported: { csv: orNull(bytes) },
  log: { text },
  failed: { error: text, text },
});

/** @type {Table} */
export const FROM_SERVER = Object.freeze({
  joined: { player_id: text, index, player_count: index, key: text, running: flag, config },
  roster: { players: list(shape({ player_id: text, index, ready: flag })) },
  start: { start },
  signal: { from: index, data: object },
  left: { index, lost: flag },
  rejoined: { index, incarnation: count },
  resumed: {},
  verdict: { gone: list(incarnation), granted: flag },
  refused: { error: text },
  error: { error: text },
});

/**
 * Says what is wrong with a message.
 *
 * @param {Table} table {@link TO_WORKER}, {@link TO_PAGE} or {@link FROM_SERVER}
 * @param {any} message
 * @returns {string | null} one sentence, or null where the message is as it should be
 */
export function faultOf(table, message) {
  if (!object(message) || !text(message.type)) return "a message without a type";
  if (!Object.hasOwn(table, message.type)) return `a message of unknown type "${message.type}"`;
  for (const [name, check] of Object.entries(table[message.type] ?? {})) {
    if (!check(message[name])) return `a "${message.type}" message whose "${name}" is missing or wrong`;
  }
  return null;
}
