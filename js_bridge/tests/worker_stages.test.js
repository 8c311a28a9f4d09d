/**
 * @file The laws of the start-up's stages.
 */

import assert from "node:assert/strict";
import test from "node:test";

import { Stages, countingFetch } from "../worker/stages.js";

function staging() {
  /** @type {any[]} */
  const reports = [];
  const time = { now: 0 };
  return { reports, time, stages: new Stages((stage) => reports.push(stage), () => time.now) };
}

test("a stage is reported when it begins and when it ends", async () => {
  const { stages, reports, time } = staging();
  const result = await stages.run("core", () => { time.now = 40; return "python"; });
  assert.equal(result, "python");
  assert.deepEqual(reports, [
    { name: "core", bytes: 0, total: null, start: 0, end: null },
    { name: "core", bytes: 0, total: null, start: 0, end: 40 },
  ]);
});

test("a stage whose work fails does not end", async () => {
  const { stages, reports } = staging();
  await assert.rejects(stages.run("core", () => { throw new Error("no memory"); }), /no memory/);
  assert.equal(reports.at(-1).end, null);
});

test("growth is reported now and then, not with every part", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const { stages, reports, time } = staging();
  time.now = 1000;
  stages.begin("core");
  for (let part = 0; part < 100; part += 1) {
    time.now += 1;
    stages.add("core", 10);
  }
  assert.deepEqual(reports.map(({ bytes }) => bytes), [0, 10, 510]);
});

test("what comes first is reported at once, for the worker may then be busy", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const { stages, reports } = staging();
  stages.begin("core");
  stages.add("core", 10);
  assert.deepEqual(reports.map(({ bytes }) => bytes), [0, 10]);
});

test("of a line that stands still it is known what it has brought", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const { stages, reports, time } = staging();
  time.now = 1000;
  stages.begin("core");
  for (let part = 0; part < 3; part += 1) stages.add("core", 10);
  context.mock.timers.tick(1000);
  assert.deepEqual(reports.map(({ bytes }) => bytes), [0, 10, 30]);
});

test("what is fetched is counted in its stage and arrives untouched", async () => {
  const { stages, reports } = staging();
  const bytes = new Uint8Array(5000).fill(7);
  const headers = { "content-length": "5000", "content-type": "application/wasm" };
  const inner = async () => new Response(bytes, { headers });
  const counted = countingFetch(/** @type {any} */ (inner), stages, () => ({ name: "package numpy", whole: true }));
  const response = await counted("http://server/numpy.whl");
  assert.equal(response.headers.get("content-type"), "application/wasm");
  assert.deepEqual(new Uint8Array(await response.arrayBuffer()), bytes);
  while (reports.at(-1).end === null) await new Promise((resolve) => { setImmediate(resolve); });
  assert.deepEqual(reports.at(-1), { name: "package numpy", bytes: 5000, total: 5000, start: 0, end: 0 });
});

test("the length of a compressed answer is not taken for that of its contents", async () => {
  const { stages, reports } = staging();
  const headers = { "content-length": "10", "content-encoding": "gzip" };
  const inner = async () => new Response(new Uint8Array(100), { headers });
  await countingFetch(/** @type {any} */ (inner), stages, () => ({ name: "a", whole: true }))("http://server/a");
  while (reports.at(-1).end === null) await new Promise((resolve) => { setImmediate(resolve); });
  assert.deepEqual([reports.at(-1).bytes, reports.at(-1).total], [100, null]);
});

test("a download of many files is one stage that does not end with the first", async () => {
  const { stages, reports } = staging();
  const inner = async () => new Response(new Uint8Array(4), { headers: { "content-length": "4" } });
  const counted = countingFetch(/** @type {any} */ (inner), stages, () => ({ name: "core", whole: false }));
  await stages.run("core", async () => {
    await (await counted("http://server/one")).arrayBuffer();
    await (await counted("http://server/two")).arrayBuffer();
  });
  assert.deepEqual([reports.at(-1).total, reports.filter(({ end }) => end !== null).length], [8, 1]);
});
