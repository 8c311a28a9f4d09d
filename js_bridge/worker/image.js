/**
 * @file Memory images: Python as it lay in memory when the distribution was laid out, with packages imported, and the
 * files of those packages. Here is how an image is laid out in bytes, chosen, and put into a Pyodide that starts;
 * `node/image.mjs` makes them. It fetches nothing, and knows no experiment.
 *
 * Pyodide's own snapshots hold Python's memory and nothing of WebAssembly, so they cannot hold a library such as
 * NumPy's: its functions lie in a table outside of that memory. But they get the same places there, if the same
 * libraries are instantiated in the same order before anything else happens. So both who makes an image and who uses
 * one call {@link addLibraries} between the instantiation of Pyodide's core and Python's own start; the places are
 * compared, and an image whose libraries came to lie elsewhere is refused.
 */

/** @typedef {import("pyodide").PyodideAPI} PyodideAPI */

/**
 * @typedef {object} About an entry of `images.json`
 * @property {string} name
 * @property {string} file its name in the distribution
 * @property {string} sha256 of the file, in hex
 * @property {string[]} pieces the sha256 of each of its pieces of 1 MiB, which can be hashed as they arrive
 * @property {number} bytes of the file
 * @property {string} head what Pyodide's own snapshots begin with, in base64: its build, and names of what JavaScript
 *   owns
 * @property {Record<string, string>} packages the wheels in it: names in the lock, and their hashes there
 */

/** @typedef {[number, number]} Place an address in memory, and an index into the table of functions */

/**
 * @typedef {object} Source where an image comes from
 * @property {Uint8Array} bytes all of it, where it has arrived
 * @property {(end?: number) => Promise<void>} until waits for the first so many bytes, or for all
 */

/**
 * @typedef {object} Header what an image begins with: its length in four bytes, and JSON. Then come the libraries, the
 *   pages of memory, and all other files: what is needed first comes first
 * @property {string} folder where packages are installed
 * @property {[string, number, number][]} libraries path below the folder, offset in the image's contents, and length
 * @property {Place} begin where the first library is put
 * @property {Place[]} places where each library's data begin in memory, and its functions in the table
 * @property {Record<string, string>} handles of libraries that Python has opened, with their paths
 * @property {[string, number, number][]} files as `libraries`
 * @property {number} memory bytes in all
 * @property {[number, number][]} pages runs of pages that are in the image: the first, and how many
 * @property {number} start offset of these pages in the image's contents
 * @property {[number, number][]} fresh runs of pages that are not, since the core and the libraries bring them along
 * @property {number} sum of these, by {@link sumOf}; all other pages are empty
 */

/** Bytes of a page of memory, the unit in which empty memory is left out. */
export const PAGE = 4096;

/** Bytes that are written into memory as soon as they have arrived, while the next ones do. */
const AT_ONCE = 256 * PAGE;

/** How many functions an engine may put into the table on its own, before the libraries'. */
const SPARE = 16;

/** Bytes that may be taken by what is not the same in every browser, before the libraries. */
const ROOM = 1 << 16;

/** Bytes that `malloc` puts before each chunk. */
const HEAD = 16;

/** A chunk that is surely not put into a gap. */
const LARGE = 1 << 20;

/** Where Emscripten notes, in its own record of a library, where its data and its functions begin. */
const [MEMORY_BASE, TABLE_BASE] = [12, 20];

/** Every package that an image may hold is loaded with it, and this one in every page. */
const OWN_PACKAGE = "pyodide-runtime";

const REQUIREMENT = /^\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:==\s*([A-Za-z0-9.+!_-]+))?\s*$/;

/**
 * Chooses the image that saves most: the one with the most packages, all of which would be loaded anyway.
 *
 * @param {About[]} images
 * @param {Record<string, {depends: string[], sha256: string, version: string}>} packages of the lock
 * @param {string[]} requirements of the experiment
 * @returns {About | undefined} none where every image holds more than is needed, or is made of other wheels
 */
export function chooseImage(images, packages, requirements) {
  const known = new Map(Object.entries(packages).map(([name, entry]) => [plain(name), entry]));
  /** @type {Set<string>} */
  const needed = new Set();
  const need = (/** @type {string} */ name) => {
    const entry = known.get(plain(name));
    if (!entry || needed.has(plain(name))) return;
    needed.add(plain(name));
    entry.depends.forEach(need);
  };
  need(OWN_PACKAGE);
  for (const requirement of requirements) {
    const [, name = "", version] = REQUIREMENT.exec(requirement) ?? [];
    if (version === undefined || known.get(plain(name))?.version === version) need(name);
  }
  const fitting = images.filter(({ packages: held }) => Object.entries(held).every(
    ([name, sha256]) => needed.has(plain(name)) && known.get(plain(name))?.sha256 === sha256,
  ));
  const size = (/** @type {About} */ image) => Object.keys(image.packages).length;
  return fitting.sort((one, other) => size(other) - size(one))[0];
}

/** An image whose header is there; the rest may still be on its way. */
export class Image {
  /** @type {Header} */
  header;
  #contents;
  #source;

  /**
   * Waits for the header of an image.
   *
   * @param {Source} source
   * @throws {Error} where this is no image, or it does not arrive
   */
  static async read(source) {
    await source.until(4);
    await source.until(4 + lengthOf(source.bytes));
    return new Image(source.bytes, source);
  }

  /**
   * @param {Uint8Array} bytes
   * @param {Source} [source] where the rest comes from, if it is on its way
   * @throws {Error} where this is no image
   */
  constructor(bytes, source = { bytes, until: async () => {} }) {
    const length = lengthOf(bytes);
    this.header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
    this.#contents = bytes.subarray(4 + length);
    this.#source = source;
  }

  /**
   * Waits for the contents up to an offset.
   *
   * @param {number} end
   */
  async until(end) {
    await this.#source.until(this.#source.bytes.length - this.#contents.length + end);
  }

  /**
   * @param {number} offset
   * @param {number} length
   * @returns {Uint8Array} that part of the contents, not a copy
   */
  part(offset, length) {
    return this.#contents.subarray(offset, offset + length);
  }
}

/** @param {Uint8Array} bytes of an image, at least the first four */
function lengthOf(bytes) {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
}

/**
 * Compiles the libraries of an image as soon as they are there.
 *
 * @param {Image} image
 * @returns {Promise<[string, WebAssembly.Module][]>} by their paths
 */
export async function compileLibraries(image) {
  return Promise.all(image.header.libraries.map(async ([path, offset, length]) => {
    await image.until(offset + length);
    const bytes = /** @type {BufferSource} */ (image.part(offset, length));
    return /** @type {[string, WebAssembly.Module]} */ ([path, await WebAssembly.compile(bytes)]);
  }));
}

/**
 * Puts an image into a Pyodide whose core is instantiated, and whose Python has not started.
 *
 * @param {any} module Emscripten's
 * @param {Image} image
 * @param {[string, WebAssembly.Module][]} named its libraries
 * @throws {Error} where its libraries came to lie elsewhere, or there is no memory for it
 */
export async function restore(module, image, named) {
  const { begin, places, handles, memory, fresh, sum, folder } = image.header;
  const trampoline = trampolineOf(module);
  const own = trampoline.read();

  const found = addLibraries(module, folder, named, begin);
  if (JSON.stringify(found) !== JSON.stringify(places)) {
    throw new Error("its libraries came to lie elsewhere in this browser");
  }
  if (sumOf(module.HEAPU8, fresh) !== sum) throw new Error("it was made beside another core, or other libraries");
  if (module.HEAPU8.length < memory) module.growMemory(memory);
  if (module.HEAPU8.length < memory) throw new Error(`there are no ${memory} bytes of memory for it`);
  await fill(module.HEAPU8, image);
  trampoline.write(own);
  for (const [handle, path] of Object.entries(handles)) {
    module.LDSO.loadedLibsByHandle[handle] = module.LDSO.loadedLibsByName[path];
  }
}

/**
 * Writes an image's pages into memory as they arrive, and empties all that is neither in it nor fresh.
 *
 * @param {Uint8Array} heap
 * @param {Image} image
 */
async function fill(heap, image) {
  const { pages, fresh, start } = image.header;
  const stored = pages.map(([page, count]) => ({ page, count, kept: false }));
  const kept = fresh.map(([page, count]) => ({ page, count, kept: true }));
  let [filled, at] = [0, start];
  for (const run of [...stored, ...kept].sort((one, other) => one.page - other.page)) {
    heap.fill(0, filled, run.page * PAGE);
    filled = (run.page + run.count) * PAGE;
    for (let to = run.page * PAGE; to < filled && !run.kept;) {
      const length = Math.min(filled - to, AT_ONCE);
      await image.until(at + length);
      heap.set(image.part(at, length), to);
      to += length;
      at += length;
    }
  }
  heap.fill(0, filled);
}

/**
 * A sum over pages, by the words in them: FNV-1a's steps (Fowler, Noll and Vo) with words in the place of bytes. It
 * tells apart what differs by mistake; it is no proof against anybody.
 *
 * @param {Uint8Array} heap
 * @param {[number, number][]} runs of pages: the first, and how many
 * @returns {number} from 0 to 2 ** 32 - 1
 */
export function sumOf(heap, runs) {
  const words = new Uint32Array(heap.buffer, heap.byteOffset, heap.length >>> 2);
  let sum = 0x811c9dc5;
  for (const [page, count] of runs) {
    const end = ((page + count) * PAGE) >>> 2;
    for (let at = (page * PAGE) >>> 2; at < end; at += 1) sum = Math.imul(sum ^ (words[at] ?? 0), 0x01000193);
  }
  return sum >>> 0;
}

/**
 * Where nothing lies that is not alike in every browser, before Python starts: what the core brings along, up to its
 * stack, and what libraries do, but for the page that holds the trampoline.
 *
 * @param {any} module Emscripten's
 * @param {Place} begin where the first library is put
 * @returns {(page: number) => boolean}
 */
export function alikeEverywhere(module, [address]) {
  const stack = module._emscripten_stack_get_end() >>> 0;
  const own = Math.floor((trampolineOf(module).place() << 2 >>> 0) / PAGE);
  return (page) => page !== own && ((page + 1) * PAGE <= stack || page * PAGE >= address);
}

/**
 * The function by which Python calls others whose parameters it does not know. Engines have different ones, or none,
 * so each keeps its own.
 *
 * @param {any} module Emscripten's
 */
function trampolineOf(module) {
  const place = () => {
    const offset = module.HEAP32[module.__PyEM_EMSCRIPTEN_TRAMPOLINE_OFFSET >>> 2];
    return (module.__PyRuntime + offset) >>> 2;
  };
  return {
    place,
    read: () => module.HEAP32[place()],
    write: (/** @type {number} */ address) => {
      module.HEAP32[place()] = address;
    },
  };
}

/**
 * Where the first library may be put, so that it can be put there in every browser: behind what engines add to the
 * table on their own, and what the environment's variables take in memory.
 *
 * @param {any} module Emscripten's, its core just instantiated
 * @returns {Place}
 */
export function firstPlace(module) {
  return [Math.ceil((nextAddress(module) + ROOM) / ROOM) * ROOM, module.wasmTable.length + SPARE];
}

/**
 * Instantiates libraries between the core's instantiation and Python's start.
 *
 * @param {any} module Emscripten's
 * @param {string} folder where packages are installed
 * @param {[string, WebAssembly.Module][]} libraries by their paths below it, in an order that is always the same
 * @param {Place} begin where the first one is put, if its data need much memory
 * @returns {Place[]} for each where its data begin in memory, and its functions in the table
 * @throws {Error} where memory or table are taken there
 */
export function addLibraries(module, folder, libraries, [address, index]) {
  const next = nextAddress(module);
  if (next + 64 > address || module.wasmTable.length > index) {
    throw new Error("this browser has put something of its own where its libraries should lie");
  }
  module.wasmTable.grow(index - module.wasmTable.length);
  // Chunks of memory follow each other, each with a head of its own.
  module._malloc(address - next - HEAD);
  const told = module.stackAlloc(64) >>> 0;
  return libraries.map(([path, compiled]) => {
    const name = `${folder}/${path}`;
    const library = module.newDSO(name, undefined, "loading");
    library.refcount = Infinity;
    library.global = false;
    library.exports = module.loadWebAssemblyModule(compiled, { loadAsync: false, nodelete: true }, name, {}, told);
    // Python asks for them by name when it imports them; then they have their places already.
    for (const symbol of Object.keys(library.exports).filter((one) => one.startsWith("PyInit_"))) {
      module.addFunction(library.exports[symbol], library.exports[symbol].sig);
    }
    return [module.HEAPU32[(told + MEMORY_BASE) >>> 2], module.HEAPU32[(told + TABLE_BASE) >>> 2]];
  });
}

/**
 * @param {any} module Emscripten's
 * @returns {number} where the next large chunk of memory will be
 */
function nextAddress(module) {
  const at = module._malloc(LARGE) >>> 0;
  module._free(at);
  return at;
}

/**
 * Puts the files of an image's packages where they are installed. Their contents stay where they are.
 *
 * @param {any} module Emscripten's
 * @param {Image} image
 */
export function placeFiles(module, image) {
  const { folder, files } = image.header;
  /** @type {Map<string, any>} */
  const folders = new Map();
  const node = (/** @type {string} */ path) => {
    let found = folders.get(path);
    if (!found) {
      module.FS.mkdirTree(path);
      found = module.FS.lookupPath(path).node;
      folders.set(path, found);
    }
    return found;
  };
  for (const [path, offset, length] of files) {
    const cut = path.lastIndexOf("/");
    const parent = node(cut === -1 ? folder : `${folder}/${path.slice(0, cut)}`);
    const file = parent.node_ops.mknod(parent, path.slice(cut + 1), 0o100644, 0);
    file.contents = image.part(offset, length);
    file.usedBytes = length;
  }
}

/** @param {string} name */
function plain(name) {
  return name.toLowerCase().replace(/[-_.]+/g, "-");
}
