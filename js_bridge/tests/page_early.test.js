/**
 * @file The laws of the worker that is made before the page's modules are there.
 */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";
import { runInNewContext } from "node:vm";

import { takeWorker } from "../page/early.js";
import { FakeWorker, pretend } from "./support/browser.js";

/** @param {any} [early] */
function taken(early) {
  /** @type {any[]} */
  const seen = [];
  const worker = takeWorker(early, (data) => seen.push(data), ({ message }) => seen.push([message]));
  return { seen, worker: /** @type {any} */ (worker) };
}

/** Runs the first lines of the page. @param {Record<string, string>} dataset */
async function firstLines(dataset) {
  const page = await readFile(new URL("../page/play.html", import.meta.url), "utf8");
  const script = /<script>(.*?)<\/script>/s.exec(page)?.[1] ?? assert.fail("the page has no first lines");
  FakeWorker.made = [];
  /** @type {any} */
  const window = {};
  runInNewContext(script, { window, Worker: FakeWorker, JSON, document: { documentElement: { dataset } } });
  return window.pyodideRuntimeEarly;
}

test("where there is no worker yet one is made", (context) => {
  FakeWorker.made = [];
  pretend(context, { Worker: FakeWorker });
  const { worker, seen } = taken();
  assert.match(String(worker.url), /\/worker\/worker\.js$/);
  assert.equal(worker.options.type, "module");
  worker.say("hello");
  assert.deepEqual(seen, ["hello"]);
});

test("the page's first lines make the worker and tell it what is needed, if the server has written that", async () => {
  const early = await firstLines({ distribution: "/pyodide/", requirements: '["cogrid==0.3.2"]' });
  assert.equal(early.worker, FakeWorker.made[0]);
  assert.equal(early.worker.url, "/bridge/worker/worker.js");
  assert.equal(early.worker.options.type, "module");
  assert.deepEqual(JSON.parse(JSON.stringify(early.worker.told)), [
    { type: "prepare", distribution: "/pyodide/", requirements: ["cogrid==0.3.2"] },
  ]);
  assert.equal(await firstLines({ distribution: "/pyodide/", requirements: "" }), undefined);
  assert.deepEqual(FakeWorker.made, []);
});

test("what an early worker said is taken first, in order, and not before the page is ready for it", async () => {
  const early = await firstLines({ distribution: "/pyodide/", requirements: "[]" });
  early.worker.say(1);
  early.worker.onerror({ message: "no such file" });
  early.worker.say(2);
  const { worker, seen } = taken(early);
  assert.equal(worker, early.worker);
  assert.deepEqual(seen, []);
  await Promise.resolve();
  worker.say(3);
  worker.onerror({ message: "stopped" });
  assert.deepEqual(seen, [1, ["no such file"], 2, 3, ["stopped"]]);
  assert.equal(early.heard.length, 0);
});
