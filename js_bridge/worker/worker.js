/**
 * @file The worker's entry: brings Python up when the page says what to load, then runs the loop between the
 * channels, the server and Python. Every message of the page passes through here. It holds no state of a game.
 */

import { explain } from "../failure.js";
import { TO_WORKER, faultOf } from "../messages.js";
import { Channels } from "./channels.js";
import { Handover } from "./handover.js";
import { Loop } from "./loop.js";
import { loadRequirements } from "./packages.js";
import { Stages } from "./stages.js";
import { Starting } from "./starting.js";
import { Uploads } from "./uploads.js";

/** @typedef {import("../messages.js").ToPage} ToPage */
/** @typedef {import("../messages.js").Config} Config */

/** @type {DedicatedWorkerGlobalScope} */
const scope = /** @type {any} */ (self);

/** @type {string[]} */
let files = [];
const stages = new Stages((stage) => post({ type: "stage", ...stage }));
/** @type {Starting | undefined} */
let prepared;
/** @type {Loop | undefined} */
let loop;
/** @type {Uploads | Handover | undefined} */
let uploads;
/** @type {((start: string) => void) | undefined} */
let begin;
/** @type {((rows: Uint8Array) => Uint8Array) | undefined} */
let tabulate;

/**
 * @param {ToPage} message
 * @param {Transferable[]} [transfer]
 */
function post(message, transfer = []) {
  scope.postMessage(message, transfer);
}

/** @param {unknown} error */
function fail(error) {
  loop?.stop();
  const { error: message, text } = explain(error, files);
  post({ type: "failed", error: message, text });
}

const channels = new Channels({
  packet: (peer, channel, data) => loop?.inbox.packet(peer, channel, data),
  link: (peer, state, reason) => {
    const told = reason === undefined ? {} : { reason };
    loop?.inbox.event({ type: "link", peer, state, ...told });
    post({ type: "link", peer, state, ...told });
  },
  proxy: (peer, channel, data) => post({ type: "packet", peer, channel, data }, [data]),
  relay: (peer, channel, heard, data) => post({ type: "relay", peer, channel, heard, data }, [data]),
  trouble: (peer, open) => post({ type: "trouble", peer, open }),
  log: (text) => post({ type: "log", text }),
});

/**
 * Begins to load Python from a distribution, unless that has begun.
 *
 * @param {string} distribution
 * @param {string[]} requirements
 */
function prepare(distribution, requirements) {
  const address = new URL(distribution, scope.location.origin).href;
  if (prepared?.distribution !== address) {
    prepared = new Starting(address, stages, (text) => post({ type: "log", text }), post);
  }
  prepared.choose(requirements);
  return prepared;
}

/** @param {Config} config */
async function load(config) {
  files = Object.keys(config.experiment.files);
  const starting = prepare(prepared?.distribution ?? config.distribution, config.experiment.requirements);
  const stage = stages.run.bind(stages);
  try {
    const { pyodide, lock } = await starting.python();
    const api = await stage("runtime", () => pyodide.pyimport("pyodide_runtime.worker"));
    const plan = JSON.parse(api.plan_requirements(JSON.stringify(config.experiment.requirements), lock));
    starting.name = "install";
    await loadRequirements(pyodide, plan, stage);
    const about = JSON.parse(await stage("experiment", () => api.open(JSON.stringify(config))));
    const stored = (/** @type {import("./uploads.js").Answer} */ answer) => loop?.inbox.event(answer);
    uploads = config.uploads === null
      ? new Handover(post, stored)
      : new Uploads(new URL(config.uploads, scope.location.origin).href, stored);
    const tick = api.tick;
    loop = new Loop((now, inbox) => tick(now, inbox), {
      send: (peer, channel, payload) => channels.send(peer, channel, payload),
      upload: (upload) => uploads?.send(upload),
      post,
      fail,
    });
    begin = (start) => api.start(start);
    tabulate = (rows) => api.export(rows);
    post({ type: "ready", about });
  } catch (error) {
    fail(error);
  } finally {
    starting.done();
  }
}

/**
 * Makes the table of the rows that the page kept. Where Python can no more, the page is told so.
 *
 * @param {ArrayBuffer} rows
 */
function exportRows(rows) {
  try {
    const csv = tabulate?.(new Uint8Array(rows)).slice().buffer ?? null;
    post({ type: "exported", csv: /** @type {ArrayBuffer | null} */ (csv) }, csv ? [csv] : []);
  } catch (error) {
    post({ type: "log", text: `the table could not be made: ${error}` });
    post({ type: "exported", csv: null });
  }
}

/** @param {import("../messages.js").ToWorker} message */
function take(message) {
  switch (message.type) {
    case "prepare":
      prepare(message.distribution, message.requirements);
      break;
    case "load":
      void load(message.config);
      break;
    case "start":
      if (!begin || !loop) throw new Error("the match began before the worker was ready");
      uploads?.begin(message.start.incarnation);
      begin(JSON.stringify(message.start));
      loop.start();
      break;
    case "channel":
      channels.own(message.peer, message.channel, message.port);
      break;
    case "proxied":
      channels.follow(message.peer, message.channel, message.state);
      break;
    case "packet":
      channels.arrived(message.peer, message.channel, message.data);
      break;
    case "relayed":
      channels.relayed(message.peer, message.channel, message.heard, message.data);
      break;
    case "expect":
      channels.expect(message.peer);
      break;
    case "link_lost":
      channels.lost(message.peer, message.reason);
      break;
    case "link_left":
      channels.left(message.peer, message.reason);
      break;
    case "link_back":
      channels.back(message.peer);
      break;
    case "verdict":
      loop?.inbox.event({ type: "verdict", gone: message.gone, granted: message.granted });
      break;
    case "key":
      loop?.inbox.event({ type: "key", key: message.key, down: message.down });
      break;
    case "focus":
      loop?.inbox.event({ type: "focus", focused: message.focused });
      break;
    case "visibility":
      loop?.inbox.event({ type: "visibility", hidden: message.hidden });
      break;
    case "export":
      exportRows(message.rows);
      break;
    case "leave":
      uploads?.leave();
      loop?.inbox.event({ type: "leave" });
      loop?.tickNow();
      if (message.done) Atomics.store(message.done, 0, 1);
      break;
  }
}

scope.onmessage = ({ data }) => {
  const fault = faultOf(TO_WORKER, data);
  if (fault) {
    post({ type: "log", text: `dropped: ${fault}` });
    return;
  }
  try {
    take(data);
  } catch (error) {
    fail(error);
  }
};
