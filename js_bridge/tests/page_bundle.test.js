/**
 * @file The laws of a static folder's page: which files it loads, who it plays with, and where its data go.
 */

import assert from "node:assert/strict";
import test from "node:test";

import { connect } from "../index.js";
import { Bundle } from "../page/bundle.js";
import { Keeping, PATIENCE } from "../page/keeping.js";
import { openLine } from "../page/line.js";
import { placeInBundle, placeOnServer } from "../page/place.js";
import { Solo } from "../page/solo.js";
import { Handover } from "../worker/handover.js";
import { FakeSocket, pretend } from "./support/browser.js";
import { CONFIG } from "./support/session.js";

const BASE = "https://files.example/studies/one/experiment-1/experiment.json";

/** @param {Partial<import("../page/bundle.js").Told>} [more] */
function bundled(more = {}) {
  return new Bundle({
    bundle: 1, pages: 1, seed: null, server: null, distribution: "../pyodide-1/",
    sprites: { chef: "sprite-1.png" }, experiment: CONFIG.experiment, ...more,
  }, BASE);
}

const turn = () => new Promise((resolve) => { setImmediate(resolve); });

test("what the worker loads lies in the bundle, wherever that is, and nothing is uploaded", () => {
  assert.deepEqual(bundled().alone("S9"), {
    session: "S9", ice_servers: [], rtc_configuration: {}, uploads: null, experiment: CONFIG.experiment,
    distribution: "https://files.example/studies/one/pyodide-1/",
    sprites: { chef: "https://files.example/studies/one/experiment-1/sprite-1.png" },
  });
});

test("with a match server the files are the bundle's and the session is the server's", () => {
  const bundle = bundled({ pages: 2, server: "https://match.example" });
  const told = { ...CONFIG, ice_servers: [{ urls: "stun:s" }], rtc_configuration: { iceTransportPolicy: "relay" } };
  const config = bundle.with(told);
  assert.equal(config.uploads, "https://match.example/api/sessions/S1/players/A/chunks");
  assert.equal(config.distribution, "https://files.example/studies/one/pyodide-1/");
  assert.deepEqual([config.session, config.ice_servers], ["S1", told.ice_servers]);
  assert.deepEqual(config.rtc_configuration, told.rtc_configuration);
});

test("a server that has another experiment is refused by what differs, the order of fields aside", () => {
  const bundle = bundled({ pages: 2, server: "https://match.example" });
  const { files, module, requirements, settings } = CONFIG.experiment;
  assert.ok(bundle.with({ ...CONFIG, experiment: { settings, requirements, module, files } }));
  for (const [experiment, what] of /** @type {[any, RegExp][]} */ ([
    [{ ...CONFIG.experiment, files: { ...files, "more.py": "" } }, /\(more\.py\)/],
    [{ ...CONFIG.experiment, files: { "squares.py": "other" } }, /\(squares\.py\)/],
    [{ ...CONFIG.experiment, settings: { name: "Three squares" } }, /\(settings\)/],
  ])) {
    assert.throws(() => bundle.with({ ...CONFIG, experiment }), what);
  }
});

test("only a bundle for several browsers without a server cannot be played, and connect says so", () => {
  assert.equal(bundled().fault, "");
  assert.equal(bundled({ pages: 2, server: "https://match.example" }).fault, "");
  const lacking = bundled({ pages: 3 });
  assert.match(lacking.fault, /3 browsers.*\n\n.*--server https:\/\/HOST/s);
  const canvas = /** @type {any} */ ({ getContext: () => ({}) });
  assert.throws(() => connect({ room: "r", playerId: "A", canvas, bundle: lacking }), /match server/);
});

test("a bundle that cannot be read says which file it is and why", async (context) => {
  pretend(context, { fetch: async () => new Response("no", { status: 404 }) });
  await assert.rejects(Bundle.read(BASE), /experiment\.json: the server answered 404/);
  pretend(context, { fetch: async () => Response.json({ bundle: 2 }) });
  await assert.rejects(Bundle.read(BASE), /not of a bundle that this page knows/);
  const { experiment } = CONFIG;
  pretend(context, { fetch: async () => Response.json({ bundle: 1, server: null, seed: 5, experiment }) });
  assert.equal((await Bundle.read(BASE)).seed, 5);
});

test("who is alone joins at once, and starts when ready, with the seed of the experiment", async () => {
  /** @type {any[]} */
  const said = [];
  const solo = new Solo("Ada", bundled({ seed: 5 }), (message) => said.push(message));
  assert.equal(said.length, 0, "nobody is spoken to before they know the line");
  await turn();
  assert.deepEqual(said.map(({ type }) => type), ["joined", "roster"]);
  assert.match(said[0].config.session, /^\d{8}-\d{6}-[0-9a-f]{8}$/);
  solo.send({ type: "ready" });
  await turn();
  const start = said[2]?.start;
  assert.deepEqual([start.seed, start.players, start.index], [5, [{ player_id: "Ada", index: 0 }], 0]);
  assert.equal(start.session, said[0].config.session);
});

test("seeds that are drawn are whole numbers below 2^31, and differ", async () => {
  const seeds = new Set();
  for (let count = 0; count < 20; count += 1) {
    /** @type {any[]} */
    const said = [];
    const solo = new Solo("Ada", bundled(), (message) => said.push(message));
    solo.send({ type: "ready" });
    await turn();
    const { seed } = said.find(({ type }) => type === "start").start;
    assert.ok(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 31);
    seeds.add(seed);
  }
  assert.ok(seeds.size > 15);
});

test("a line that was closed says nothing any more", async () => {
  /** @type {any[]} */
  const said = [];
  const solo = new Solo("Ada", bundled(), (message) => said.push(message));
  solo.close();
  assert.equal(solo.send({ type: "ready" }), false);
  await turn();
  assert.deepEqual(said, []);
});

/** @param {import("node:test").TestContext} context */
function lining(context) {
  FakeSocket.made = [];
  pretend(context, { WebSocket: FakeSocket });
  const seen = { messages: /** @type {any[]} */ ([]), closed: 0 };
  openLine({
    room: "r", playerId: "A", server: "https://page.example", watch: false,
    bundle: bundled({ pages: 2, server: "https://match.example" }),
  }, {
    message: (message) => seen.messages.push(message), packet: () => {}, log: () => {},
    closed: () => { seen.closed += 1; },
  });
  const [server] = FakeSocket.made;
  assert.ok(server);
  return { server, seen };
}

const JOINED = { type: "joined", player_id: "A", index: 0, player_count: 2, key: "k", running: false };

test("a bundle's page joins at its match server, and hears the bundle's configuration", (context) => {
  const { server, seen } = lining(context);
  assert.equal(server.url, "wss://match.example/api/rooms/r/socket?player_id=A");
  server.say({ ...JOINED, config: CONFIG });
  assert.equal(seen.messages[0].config.distribution, "https://files.example/studies/one/pyodide-1/");
  server.lose();
  assert.equal(seen.closed, 1);
});

test("a server with another experiment is left before the page is told why", (context) => {
  const { server, seen } = lining(context);
  server.say({ ...JOINED, config: { ...CONFIG, experiment: { ...CONFIG.experiment, module: "circles" } } });
  assert.equal(server.readyState, 3);
  assert.deepEqual(seen.messages.map(({ type }) => type), ["refused"]);
  assert.match(seen.messages[0].error, /different versions/);
});

test("a match server that is never heard is told of with what may help", (context) => {
  const { server, seen } = lining(context);
  server.lose();
  assert.equal(seen.closed, 0);
  assert.match(seen.messages[0].error, /https:\/\/match\.example is not reached.*--allow-origin/s);
});

test("chunks that were handed over are stored, and become files in their order", async () => {
  /** @type {any[]} */
  const answers = [];
  /** @type {any[]} */
  const asked = [];
  const keeping = new Keeping((message) => asked.push(message));
  assert.equal(keeping.empty, true);
  const take = (/** @type {any} */ message) => keeping.take(message);
  const handover = new Handover(take, (answer) => answers.push(answer));
  const chunk = (/** @type {number} */ upload, /** @type {string} */ kind, /** @type {string} */ text) => {
    handover.send({ upload, kind, sequence: 0, body: new TextEncoder().encode(text) });
  };
  chunk(1, "rows", "a\n");
  assert.deepEqual(answers, [], "not while it is being sent");
  chunk(2, "record", "r\n");
  chunk(3, "rows", "b\n");
  await turn();
  assert.deepEqual(answers, [1, 2, 3].map((upload) => ({ type: "stored", upload })));
  const collecting = keeping.collect();
  await turn();
  assert.equal(new TextDecoder().decode(asked[0].rows), "a\nb\n");
  keeping.take({ type: "exported", csv: /** @type {any} */ (new TextEncoder().encode("x,y\n").buffer) });
  const files = await collecting;
  const names = ["export.csv", "record.ndjson", "diagnostics.ndjson", "outcome.json"];
  assert.deepEqual(files.map(({ name }) => name), names);
  assert.deepEqual(await Promise.all(files.map(({ blob }) => blob.text())), ["x,y\n", "r\n", "", ""]);
});

test("where Python is no more the rows are given out as they are", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const keeping = new Keeping(() => {});
  keeping.take({ type: "chunk", kind: "rows", body: new ArrayBuffer(3) });
  for (const end of [() => keeping.take({ type: "exported", csv: null }), () => context.mock.timers.tick(PATIENCE)]) {
    const collecting = keeping.collect();
    await turn();
    end();
    const [rows] = await collecting;
    assert.deepEqual([rows?.name, rows?.blob.size], ["rows.ndjson", 3]);
  }
});

test("a server's page has its room in the path, a bundle's in the query", () => {
  const served = placeOnServer(new URL("https://s.example/play/mako?player_id=A&invite=1"));
  assert.deepEqual(served, { room: "mako", playerId: "A", address: "https://s.example/play/mako", inviting: true });
  const named = placeInBundle(new URL("https://f.example/x/?player_id=A&room=mako&debug=1"));
  assert.deepEqual([named.room, named.playerId, named.inviting], ["mako", "A", false]);
  assert.equal(named.address, "https://f.example/x/?room=mako");
  assert.equal(named.url.href, "https://f.example/x/?player_id=A&room=mako&debug=1");
});

test("a bundle's page makes the names that its address lacks, and an address that keeps them", () => {
  const made = placeInBundle(new URL("https://f.example/x/index.html?debug=1"));
  assert.match(made.room, /^([bdfgklmnprstvz][aeiou]){2}-([bdfgklmnprstvz][aeiou]){2}$/);
  assert.match(made.playerId, /^player-[0-9a-f]{8}$/);
  assert.equal(made.inviting, true);
  const again = placeInBundle(made.url);
  assert.deepEqual([again.room, again.playerId, again.inviting], [made.room, made.playerId, true]);
  assert.equal(again.url.searchParams.get("debug"), "1");
});
