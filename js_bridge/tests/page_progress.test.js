/**
 * @file The laws of the start-up's progress.
 */

import assert from "node:assert/strict";
import test from "node:test";

import { Progress } from "../page/progress.js";

/** @param {string} name @param {{bytes?: number, total?: number | null, end?: number | null}} [more] */
const stage = (name, { bytes = 0, total = null, end = null } = {}) => ({ name, bytes, total, start: 0, end });

test("stages are kept in the order in which they began, in their newest state", () => {
  const progress = new Progress();
  progress.update(stage("join"));
  progress.update(stage("core", { bytes: 1 }));
  progress.update(stage("join", { end: 5 }));
  assert.deepEqual(progress.stages, [stage("join", { end: 5 }), stage("core", { bytes: 1 })]);
});

test("the fraction grows from nothing to all and never goes back", () => {
  const progress = new Progress();
  const fractions = [progress.fraction];
  for (const news of [
    stage("join"), stage("join", { end: 1 }), stage("lock"), stage("lock", { end: 1 }), stage("core"),
    stage("core", { bytes: 10, total: 100 }), stage("core", { bytes: 90, total: 100 }),
    stage("core", { bytes: 90, total: 300 }), stage("core", { bytes: 300, total: 300, end: 2 }),
    stage("runtime"), stage("packages"),
    stage("package numpy", { bytes: 5, total: 10 }), stage("package gymnasium", { bytes: 0, total: 90 }),
    stage("package numpy", { bytes: 10, total: 10, end: 3 }), stage("packages", { end: 4 }), stage("experiment"),
    stage("experiment", { end: 5 }),
  ]) {
    progress.update(news);
    fractions.push(progress.fraction);
  }
  assert.equal(fractions[0], 0);
  assert.equal(fractions.at(-1), 1);
  assert.deepEqual(fractions, fractions.toSorted((one, other) => one - other));
  assert.ok(new Set(fractions).size > 8);
});

test("what was not needed counts as done once a later part begins", () => {
  const progress = new Progress();
  for (const name of ["join", "lock", "core", "packages", "experiment"]) progress.update(stage(name, { end: 1 }));
  assert.equal(progress.fraction, 1);
});

test("what is still on its way does not count as done because something else has begun", () => {
  const progress = new Progress();
  const seen = (/** @type {any} */ news) => {
    progress.update(news);
    return progress.fraction;
  };
  assert.ok(seen(stage("core", { bytes: 12_000_000, total: 12_000_000 })) < 0.3);
  assert.ok(seen(stage("image", { bytes: 4_000_000, total: 44_000_000 })) < 0.35);
  assert.ok(seen(stage("core", { bytes: 12_000_000, total: 12_000_000, end: 5 })) < 0.35);
  assert.ok(seen(stage("waking")) < 0.35, "files of the image are still to come");
  assert.ok(seen(stage("image", { bytes: 44_000_000, total: 44_000_000, end: 6 })) > 0.5);
});

test("a person reads what is loaded, and how much of it", () => {
  const progress = new Progress();
  assert.equal(progress.label, "Loading");
  progress.update(stage("core"));
  assert.equal(progress.label, "Loading Python");
  progress.update(stage("core", { bytes: 2_400_000, total: 12_100_000 }));
  assert.equal(progress.label, "Loading Python: 2.4 of 12.1 MB");
  progress.update(stage("core", { bytes: 12_100_000, total: 12_100_000 }));
  assert.equal(progress.label, "Starting Python");
  progress.update(stage("core", { bytes: 12_100_000, total: 12_100_000, end: 9 }));
  progress.update(stage("packages"));
  progress.update(stage("package numpy", { bytes: 3_000_000, total: null }));
  assert.equal(progress.label, "Loading numpy: 3.0 MB");
  progress.update(stage("package numpy", { bytes: 3_000_000, total: null, end: 9 }));
  assert.equal(progress.label, "Loading packages");
});

test("of what goes on at once a person reads what has most to come", () => {
  const progress = new Progress();
  progress.update(stage("image", { bytes: 9_000_000, total: 46_000_000 }));
  const image = "Loading Python and packages: 9.0 of 46.0 MB";
  assert.equal(progress.label, image);
  progress.update(stage("core"));
  assert.equal(progress.label, image, "the news that something small has begun too hides nothing");
  progress.update(stage("core", { bytes: 2_000_000, total: 12_000_000 }));
  assert.equal(progress.label, image);
  progress.update(stage("image", { bytes: 46_000_000, total: 46_000_000 }));
  assert.equal(progress.label, "Loading Python: 2.0 of 12.0 MB");
});

test("when all is done nothing is said to go on, whatever comes to its end later", () => {
  const progress = new Progress();
  progress.update(stage("image", { bytes: 5, total: 5 }));
  progress.update(stage("experiment", { end: 5 }));
  progress.update(stage("image", { bytes: 5, total: 5, end: 6 }));
  assert.equal(progress.label, "");
  progress.update(stage("picture"));
  assert.equal(progress.label, "Starting the match");
});

test("an end that is not known promises no total", () => {
  const progress = new Progress();
  progress.update(stage("core", { bytes: 2_000_000, total: 1_000_000 }));
  assert.equal(progress.label, "Loading Python: 2.0 MB");
});
