/**
 * @file The laws of memory images: which one is chosen, that libraries get the places that they had, and that what does
 * not fit is refused. That an image wakes up as real Python is proved with the laid-out distribution, in tests/pyodide.
 */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";

import { Image, addLibraries, chooseImage, firstPlace } from "../worker/image.js";

const LOCK = {
  "pyodide-runtime": { depends: [], sha256: "r", version: "0.1.0" },
  "numpy": { depends: [], sha256: "n", version: "2.4.3" },
  "gymnasium": { depends: ["numpy", "typing_extensions"], sha256: "g", version: "1.4.0" },
  "typing-extensions": { depends: [], sha256: "t", version: "4.15.0" },
};

/** @param {string} name @param {Record<string, string>} packages */
const image = (name, packages) => ({
  name, packages, file: `${name}.image`, sha256: "", pieces: [], bytes: 0, head: "",
});

const PLAIN = image("plain", { "pyodide-runtime": "r" });
const FULL = image("full", { "pyodide-runtime": "r", "numpy": "n", "gymnasium": "g", "typing-extensions": "t" });

/** @param {string[]} requirements @param {any[]} [images] */
const chosen = (requirements, images = [PLAIN, FULL]) => chooseImage(images, LOCK, requirements)?.name;

test("the image with the most of what would be loaded is chosen, dependencies included", () => {
  assert.equal(chosen(["gymnasium==1.4.0"]), "full");
  assert.equal(chosen(["Gymnasium", "my_lab @ https://example.org/my_lab-1.0-py3-none-any.whl"]), "full");
});

test("an image that holds more than is required is not chosen", () => {
  assert.equal(chosen([]), "plain");
  assert.equal(chosen(["numpy"]), "plain");
  assert.equal(chosen([], [FULL]), undefined);
});

test("a version that the distribution does not have is no reason for an image", () => {
  assert.equal(chosen(["gymnasium==1.3.0"]), "plain");
  assert.equal(chosen(["gymnasium>=1.4"]), "plain");
});

test("an image that is made of other wheels than the lock names is not chosen", () => {
  assert.equal(chosen(["gymnasium"], [PLAIN, image("old", { ...FULL.packages, numpy: "older" })]), "plain");
});

/**
 * What `addLibraries` needs of Emscripten, with a memory and a table that may be taken already.
 *
 * @param {number} taken bytes of memory
 * @param {number} functions in the table
 */
function pretended(taken, functions) {
  const table = { length: functions, grow: (/** @type {number} */ by) => { table.length += by; } };
  let top = taken;
  const heap = new Uint32Array(1 << 16);
  const module = {
    wasmTable: table,
    HEAPU32: heap,
    stackAlloc: () => 64,
    _malloc: (/** @type {number} */ size) => {
      const at = top + 16;
      top = at + size;
      return at;
    },
    _free: (/** @type {number} */ at) => { top = at - 16; },
    newDSO: () => ({}),
    addFunction: () => 0,
    loadWebAssemblyModule: (/** @type {any} */ compiled, /** @type {any} */ _1, /** @type {any} */ _2,
      /** @type {any} */ _3, /** @type {number} */ told) => {
      heap[(told + 12) >>> 2] = module._malloc(compiled.memory);
      heap[(told + 20) >>> 2] = table.length;
      table.length += compiled.functions;
      return { PyInit_one: () => {} };
    },
  };
  return module;
}

/** @type {any} */
const LIBRARIES = [["one.so", { memory: 2000, functions: 5 }], ["two.so", { memory: 500, functions: 3 }]];

test("libraries get the same places whatever an engine put before them", () => {
  const maker = pretended(100_000, 50);
  const begin = firstPlace(maker);
  const places = addLibraries(maker, "/site", LIBRARIES, begin);
  assert.deepEqual(places[0], begin);
  for (const [taken, functions] of /** @type {const} */ ([[100_000, 50], [101_232, 51], [99_984, 66]])) {
    assert.deepEqual(addLibraries(pretended(taken, functions), "/site", LIBRARIES, begin), places);
  }
});

test("where their place is taken, that is said before anything is put there", () => {
  const begin = firstPlace(pretended(100_000, 50));
  for (const module of [pretended(begin[0], 50), pretended(100_000, begin[1] + 1)]) {
    const length = module.wasmTable.length;
    assert.throws(() => addLibraries(module, "/site", LIBRARIES, begin), /something of its own where its libraries/);
    assert.equal(module.wasmTable.length, length);
  }
});

test("an image is its header, and contents that are not copied", () => {
  const header = new TextEncoder().encode('{"folder": "/site"}   ');
  const bytes = new Uint8Array(4 + header.length + 8);
  new DataView(bytes.buffer).setUint32(0, header.length, true);
  bytes.set(header, 4);
  bytes.set([1, 2, 3], 4 + header.length);
  const opened = new Image(bytes);
  assert.equal(opened.header.folder, "/site");
  assert.deepEqual([...opened.part(1, 2)], [2, 3]);
  assert.equal(opened.part(0, 3).buffer, bytes.buffer);
  assert.throws(() => new Image(new Uint8Array(40).fill(7)));
});

test("of an image on its way the header is waited for, and then each part when it is needed", async () => {
  const header = new TextEncoder().encode('{"folder": "/site", "libraries": []}');
  const bytes = new Uint8Array(4 + header.length + 8);
  new DataView(bytes.buffer).setUint32(0, header.length, true);
  bytes.set(header, 4);
  /** @type {(number | undefined)[]} */
  const waited = [];
  const opened = await Image.read({ bytes, until: async (end) => { waited.push(end); } });
  assert.equal(opened.header.folder, "/site");
  assert.deepEqual(waited, [4, 4 + header.length]);
  await opened.until(5);
  assert.equal(waited.at(-1), 4 + header.length + 5);
});

test("the page preloads every module that it imports, and nothing else", async () => {
  const root = new URL("..", import.meta.url);
  /** @type {Set<string>} */
  const found = new Set();
  const follow = async (/** @type {URL} */ url) => {
    const name = url.href.slice(root.href.length);
    if (found.has(name)) return;
    found.add(name);
    const text = await readFile(url, "utf8");
    await Promise.all([...text.matchAll(/^(?:import|export)[^;]* from "(\.[^"]+)";$/gm)].map(
      ([, path = ""]) => follow(new URL(path, url)),
    ));
  };
  await follow(new URL("page/play.js", root));
  const page = await readFile(new URL("page/play.html", root), "utf8");
  const preloaded = [...page.matchAll(/<link rel="modulepreload" href="\/bridge\/([^"]+)">/g)].map(([, name]) => name);
  assert.deepEqual(preloaded.toSorted(), [...found].sort());
});
