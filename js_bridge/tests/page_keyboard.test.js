/**
 * @file The laws of the keys and of the player's attention.
 */

import assert from "node:assert/strict";
import test from "node:test";

import { Keyboard } from "../page/keyboard.js";
import { FakeWindow } from "./support/browser.js";

/** @param {string[]} keys */
function listening(...keys) {
  const page = new FakeWindow();
  /** @type {any[]} */
  const heard = [];
  const keyboard = new Keyboard(keys, {
    key: (key, down) => heard.push([key, down]),
    focus: (focused) => heard.push(focused),
    visibility: (hidden) => heard.push(hidden ? "hidden" : "seen"),
  }, /** @type {any} */ (page));
  return { page, heard, keyboard };
}

const UP = { key: "ArrowUp", code: "ArrowUp" };

test("a key that is listened to is heard going down and up, and does nothing else", () => {
  const { page, heard } = listening("ArrowUp");
  assert.equal(page.fire("keydown", UP).defaultPrevented, true);
  assert.equal(page.fire("keyup", UP).defaultPrevented, true);
  assert.deepEqual(heard, [["ArrowUp", true], ["ArrowUp", false]]);
});

test("a key that nobody listens to is the browser's", () => {
  const { page, heard } = listening("ArrowUp");
  assert.equal(page.fire("keydown", { key: "F5", code: "F5" }).defaultPrevented, false);
  assert.equal(page.fire("keyup", { key: "F5", code: "F5" }).defaultPrevented, false);
  assert.deepEqual(heard, []);
});

test("a key that repeats by itself is heard once, and still does nothing else", () => {
  const { page, heard } = listening("ArrowUp");
  page.fire("keydown", UP);
  assert.equal(page.fire("keydown", { ...UP, repeat: true }).defaultPrevented, true);
  assert.deepEqual(heard, [["ArrowUp", true]]);
});

test("shift pressed or released in between neither makes another key nor leaves one stuck", () => {
  const { page, heard } = listening("w");
  page.fire("keydown", { key: "W", code: "KeyW", shiftKey: true });
  page.fire("keyup", { key: "w", code: "KeyW" });
  assert.deepEqual(heard, [["w", true], ["w", false]]);
});

test("two buttons for one key are one key", () => {
  const { page, heard } = listening("1");
  page.fire("keydown", { key: "1", code: "Digit1" });
  page.fire("keydown", { key: "1", code: "Numpad1" });
  page.fire("keyup", { key: "1", code: "Digit1" });
  assert.deepEqual(heard, [["1", true]]);
  page.fire("keyup", { key: "1", code: "Numpad1" });
  assert.deepEqual(heard, [["1", true], ["1", false]]);
});

test("a shortcut of the browser is no key of the experiment", () => {
  const { page, heard } = listening("w");
  for (const modifier of ["ctrlKey", "metaKey", "altKey"]) {
    assert.equal(page.fire("keydown", { key: "w", code: "KeyW", [modifier]: true }).defaultPrevented, false);
  }
  assert.deepEqual(heard, []);
});

test("what is written into a field is no key of the experiment", () => {
  const { page, heard } = listening("w");
  page.fire("keydown", { key: "w", code: "KeyW", target: { tagName: "INPUT" } });
  assert.deepEqual(heard, []);
});

test("losing the focus releases every key, then says so", () => {
  const { page, heard } = listening("ArrowUp", "w");
  page.fire("keydown", UP);
  page.fire("keydown", { key: "w", code: "KeyW" });
  page.fire("blur");
  assert.deepEqual(heard.slice(2), [["ArrowUp", false], ["w", false], false]);
  page.fire("keyup", UP);
  page.fire("focus");
  assert.deepEqual(heard.slice(5), [true]);
});

test("a page is attended while it is both seen and focused", () => {
  const { page, heard, keyboard } = listening();
  page.document.visibilityState = "hidden";
  page.fire("visibilitychange");
  page.fire("blur");
  page.document.visibilityState = "visible";
  page.fire("visibilitychange");
  assert.equal(keyboard.focused, false);
  page.fire("focus");
  assert.deepEqual(heard, [false, "hidden", "seen", true]);
});

test("hidden is more than without the focus, and is told once, after every key was released", () => {
  const { page, heard, keyboard } = listening("ArrowUp");
  page.fire("blur");
  assert.deepEqual([heard, keyboard.hidden], [[false], false]);
  page.fire("focus");
  page.fire("keydown", UP);
  page.document.visibilityState = "hidden";
  page.fire("visibilitychange");
  page.fire("visibilitychange");
  assert.deepEqual([heard.slice(2), keyboard.hidden], [[["ArrowUp", true], ["ArrowUp", false], false, "hidden"], true]);
  page.document.visibilityState = "visible";
  page.fire("visibilitychange");
  assert.deepEqual([heard.slice(6), keyboard.hidden], [[true, "seen"], false]);
});

test("a keyboard that was stopped does not tell of a page that is hidden", () => {
  const { page, heard, keyboard } = listening();
  keyboard.stop();
  page.document.visibilityState = "hidden";
  page.fire("visibilitychange");
  assert.deepEqual(heard, []);
});

test("the same news is told once", () => {
  const { page, heard } = listening();
  page.fire("focus");
  page.fire("blur");
  page.fire("blur");
  assert.deepEqual(heard, [false]);
});

test("a keyboard that was stopped releases what is down and hears no more", () => {
  const { page, heard, keyboard } = listening("ArrowUp");
  page.fire("keydown", UP);
  keyboard.stop();
  assert.equal(page.fire("keydown", UP).defaultPrevented, false);
  page.fire("blur");
  assert.deepEqual(heard, [["ArrowUp", true], ["ArrowUp", false]]);
});
