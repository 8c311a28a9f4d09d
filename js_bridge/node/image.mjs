#!/usr/bin/env node
/**
 * @file Makes a memory image: starts Python, imports modules, and writes its memory together with the files it came
 * from: `node image.mjs --dist DIR --site FOLDER --import MODULES --out FILE`. SITE holds packages as they are
 * installed; MODULES are parted by commas. What the image is to be called, and which wheels are in it, is known to
 * whoever calls; on standard output come the size of the image, and what its entry in `images.json` needs of it.
 */

import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

import { PIECE } from "../pieces.js";
import { Image, PAGE, addLibraries, alikeEverywhere, firstPlace, placeFiles, sumOf } from "../worker/image.js";
import { ENVIRONMENT } from "../worker/loading.js";
import { UsageError, command, option } from "./loading.mjs";

const USAGE = "usage: node image.mjs --dist DIR --site FOLDER --import MODULES --out FILE";

/** Files that nobody reads where there is neither a compiler nor a type checker. */
const FOR_COMPILERS = /\.(?:a|c|h|pxd|pyi)$/;

/** What Python is called in a browser. */
const PROGRAM = "./this.program";

/** Bytes one after the other, each part beginning at a multiple of eight. */
class Contents {
  length = 0;
  /** @type {[number, Uint8Array][]} */
  #parts = [];

  /**
   * @param {string} path
   * @param {Uint8Array} bytes
   * @returns {[string, number, number]} the path, the offset and the length
   */
  add(path, bytes) {
    const offset = this.length;
    this.#parts.push([offset, bytes]);
    this.length = Math.ceil((offset + bytes.length) / 8) * 8;
    return [path, offset, bytes.length];
  }

  /**
   * @param {number} offset
   * @param {number} length
   * @returns {Uint8Array<ArrayBuffer>} a copy
   */
  part(offset, length) {
    const found = this.#parts.find(([start]) => start === offset)?.[1];
    if (!found) throw new Error(`no part begins at ${offset}`);
    return new Uint8Array(found.subarray(0, length));
  }

  /**
   * @param {Uint8Array} into
   */
  write(into) {
    for (const [offset, bytes] of this.#parts) into.set(bytes, offset);
  }
}

/**
 * @param {object} header
 * @param {Contents} contents
 */
function packed(header, contents) {
  const text = new TextEncoder().encode(JSON.stringify(header));
  const length = Math.ceil((4 + text.length) / 8) * 8 - 4;
  const bytes = new Uint8Array(4 + length + contents.length).fill(0x20, 0, 4 + length);
  new DataView(bytes.buffer).setUint32(0, length, true);
  bytes.set(text, 4);
  contents.write(bytes.subarray(4 + length));
  return bytes;
}

/**
 * @param {(options: object) => Promise<any>} loadPyodide
 * @param {object} settings for it
 * @param {(core: object) => Promise<any>} beginning
 * @returns {Promise<Uint8Array>} memory before Python starts, in a Pyodide that goes no further
 */
async function memoryOf(loadPyodide, settings, beginning) {
  /** @type {Uint8Array | undefined} */
  let found;
  const enough = new Error("enough was seen");
  await loadPyodide({
    ...settings,
    createPyodideModule: async (/** @type {object} */ core) => {
      found = (await beginning(core)).HEAPU8.slice();
      throw enough;
    },
  }).catch((error) => {
    if (error !== enough) throw error;
  });
  if (!found) throw new Error("Pyodide started without its core");
  return found;
}

/**
 * Starts Python, as Emscripten would have done right after the core's instantiation.
 *
 * @param {any} module
 */
function startPython(module) {
  const list = module.stackAlloc(8);
  module.HEAPU32[list >>> 2] = module.stringToUTF8OnStack(PROGRAM);
  module.HEAPU32[(list >>> 2) + 1] = 0;
  const status = module._main(1, list);
  if (status !== 0) throw new Error(`Python did not start: ${status}`);
}

/**
 * Writes zeros into memory that was freed, which holds what no one reads again and what would make the image larger.
 *
 * @param {any} module
 */
function emptyFreeMemory(module) {
  const top = module._sbrk(0) >>> 0;
  /** @type {number[]} */
  const taken = [];
  for (let size = 1 << 22; size >= 512; size >>= 1) {
    for (;;) {
      const at = module._malloc(size) >>> 0;
      if (at === 0 || at + size > top) {
        if (at !== 0) module._free(at);
        break;
      }
      module.HEAPU8.fill(0, at, at + size);
      taken.push(at);
    }
  }
  for (const at of taken) module._free(at);
}

/**
 * @param {Uint8Array} bytes
 * @returns {Uint8Array[]} parts of 1 MiB, and the rest
 */
function pieces(bytes) {
  const count = Math.ceil(bytes.length / PIECE);
  return Array.from({ length: count }, (_, at) => bytes.subarray(at * PIECE, (at + 1) * PIECE));
}

/** @param {Uint8Array} bytes */
function sha256(bytes) {
  return createHash("sha256").update(bytes).digest();
}

/**
 * @param {Uint8Array} memory
 * @param {(page: number, bytes: Uint8Array) => boolean} wanted
 * @returns {[number, number][]} runs of pages that are wanted, of those that are not empty: the first, and how many
 */
function runs(memory, wanted) {
  /** @type {[number, number][]} */
  const found = [];
  for (let page = 0; page * PAGE < memory.length; page += 1) {
    const bytes = memory.subarray(page * PAGE, (page + 1) * PAGE);
    if (bytes.every((byte) => byte === 0) || !wanted(page, bytes)) continue;
    const last = found.at(-1);
    if (last && last[0] + last[1] === page) last[1] += 1;
    else found.push([page, 1]);
  }
  return found;
}

/**
 * @param {string} folder
 * @returns {string[]} paths of the files below it, in the order of their characters
 */
function filesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !FOR_COMPILERS.test(entry.name))
    .map((entry) => `${entry.parentPath}/${entry.name}`.slice(folder.length + 1))
    .sort();
}

await command(async () => {
  const values = process.argv.slice(2);
  const [folder, site, modules, out] = ["--dist", "--site", "--import", "--out"].map((name) => option(values, name));
  if (!folder || !site || modules === undefined || !out || values.length > 0) throw new UsageError(USAGE);
  const distribution = `${resolve(folder)}/`;
  const { loadPyodide } = await import(pathToFileURL(`${distribution}pyodide.mjs`).href);
  const { default: createModule } = await import(pathToFileURL(`${distribution}pyodide.asm.mjs`).href);
  const lock = JSON.parse(readFileSync(`${distribution}pyodide-lock.json`, "utf8"));

  const contents = new Contents();
  const paths = filesBelow(site);
  const files = paths.map((path) => contents.add(path, readFileSync(`${site}/${path}`)));
  const libraries = files.filter(([path]) => path.endsWith(".so"));
  const installed = `/lib/python${lock.info.python.split(".").slice(0, 2).join(".")}/site-packages`;

  /** @type {any} */
  let module;
  /** @type {import("../worker/image.js").Place} */
  let begin = [0, 0];
  /** @type {import("../worker/image.js").Place[]} */
  let places = [];
  const settings = {
    indexURL: distribution,
    lockFileContents: JSON.stringify({ info: lock.info, packages: {} }),
    env: { ...ENVIRONMENT },
    _makeSnapshot: true,
    _sysExecutable: PROGRAM,
  };
  /** Pyodide's core with the libraries, before Python starts. @param {object} core */
  const beginning = async (core) => {
    module = await createModule({ ...core, noInitialRun: true });
    begin = firstPlace(module);
    places = addLibraries(module, installed, libraries.map(
      ([path, offset, length]) => [path, new WebAssembly.Module(contents.part(offset, length))],
    ), begin);
    return module;
  };
  // What is drawn at random before Python starts is another in the second.
  const twins = [await memoryOf(loadPyodide, settings, beginning), await memoryOf(loadPyodide, settings, beginning)];
  const pyodide = await loadPyodide({
    ...settings,
    createPyodideModule: async (/** @type {any} */ core) => {
      startPython(await beginning(core));
      return module;
    },
  });
  const table = module.wasmTable.length;
  placeFiles(module, new Image(packed({ folder: installed, files }, contents)));
  const asleep = pyodide.pyimport("pyodide_runtime.awakening");
  const compiled = new Set(JSON.parse(asleep.fall_asleep(modules)));
  asleep.destroy();
  for (let at = table; at < module.wasmTable.length; at += 1) {
    // What was put there for the time of a call is gone again.
    if (module.wasmTable.get(at)) throw new Error("a module put functions where an image cannot put them again");
  }
  emptyFreeMemory(module);

  const snapshot = pyodide.makeMemorySnapshot();
  const [magic, length] = new Uint32Array(snapshot.buffer, snapshot.byteOffset, 2);
  if (!length || length > snapshot.length) throw new Error(`this Pyodide makes snapshots of another form (${magic})`);
  const memory = snapshot.subarray(length);
  const alike = alikeEverywhere(module, begin);
  const isFresh = (/** @type {number} */ page, /** @type {Uint8Array} */ bytes) => alike(page) && twins.every(
    (twin) => Buffer.compare(twin.subarray(page * PAGE, (page + 1) * PAGE), bytes) === 0,
  );
  const fresh = runs(memory, isFresh);
  const pages = runs(memory, (page, bytes) => !isFresh(page, bytes));
  const handles = Object.fromEntries(Object.entries(module.LDSO.loadedLibsByHandle)
    .map(([handle, library]) => [handle, /** @type {any} */ (library).name]).filter(([, name]) => name !== "__main__"));
  const kept = new Contents();
  const left = files.filter(([path]) => !compiled.has(`${installed}/${path}`));
  const isLibrary = (/** @type {string} */ path) => path.endsWith(".so");
  /** @param {[string, number, number]} file */
  const keep = ([path, offset, size]) => kept.add(path, contents.part(offset, size));
  const keptLibraries = left.filter(([path]) => isLibrary(path)).map(keep);
  const start = kept.length;
  for (const [first, count] of pages) kept.add("", memory.subarray(first * PAGE, (first + count) * PAGE));
  const others = new Map(left.filter(([path]) => !isLibrary(path)).map((file) => [file[0], keep(file)]));
  const known = new Map([...keptLibraries.map((file) => /** @type {const} */ ([file[0], file])), ...others]);
  const bytes = packed({
    folder: installed,
    libraries: keptLibraries,
    begin,
    places,
    handles,
    files: left.map(([path]) => known.get(path)),
    memory: memory.length,
    pages,
    start,
    fresh,
    sum: sumOf(memory, fresh),
  }, kept);
  writeFileSync(out, bytes);
  process.stdout.write(`${JSON.stringify({
    sha256: sha256(bytes).toString("hex"),
    pieces: pieces(bytes).map((piece) => sha256(piece).toString("hex")),
    bytes: bytes.length,
    head: Buffer.from(snapshot.subarray(0, length)).toString("base64"),
  })}\n`);
  return 0;
});
