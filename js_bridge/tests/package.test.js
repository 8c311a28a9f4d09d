/**
 * @file The laws of the package: what a consumer imports is there, typed as it behaves, and the lock names no
 * registry.
 */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL("..", import.meta.url));
const TSC = join(ROOT, "node_modules", "typescript", "bin", "tsc");

/** An empty folder that is gone after the test. @param {import("node:test").TestContext} context */
async function folder(context) {
  const path = await mkdtemp(join(tmpdir(), "bridge-"));
  context.after(() => rm(path, { recursive: true }));
  return path;
}

/** A project that has the bridge installed. @param {import("node:test").TestContext} context */
async function consumer(context) {
  const path = await folder(context);
  await mkdir(join(path, "node_modules"));
  await symlink(ROOT, join(path, "node_modules", "pyodide-runtime-bridge"), "dir");
  await writeFile(join(path, "package.json"), JSON.stringify({ name: "consumer", type: "module" }));
  return path;
}

/** Runs tsc; its messages are the error. @param {string[]} options @param {string} cwd */
async function compile(options, cwd) {
  await run(process.execPath, [TSC, ...options], { cwd }).catch(({ stdout }) => assert.fail(stdout));
}

test("a consumer imports the public entry and the records by the package's name", async (context) => {
  const path = await consumer(context);
  await writeFile(join(path, "main.js"), `
    import { connect, Connection } from "pyodide-runtime-bridge";
    import { encodeRecords } from "pyodide-runtime-bridge/records";
    import * as records from "pyodide-runtime-bridge/records";
    const hidden = await import("pyodide-runtime-bridge/failure.js").catch((error) => error.code);
    const worker = import.meta.resolve("pyodide-runtime-bridge/worker");
    console.log(JSON.stringify([
      typeof connect, typeof Connection, encodeRecords([]).length, Object.keys(records).length > 5, hidden,
      worker.endsWith("/worker/worker.js"),
    ]));
  `);
  const { stdout } = await run(process.execPath, ["main.js"], { cwd: path });
  assert.deepEqual(JSON.parse(stdout), ["function", "function", 0, true, "ERR_PACKAGE_PATH_NOT_EXPORTED", true]);
});

test("a consumer in TypeScript gets types that know right from wrong", async (context) => {
  const path = await consumer(context);
  await writeFile(join(path, "main.ts"), `
    import { connect, type Connection, type Phase } from "pyodide-runtime-bridge";
    import { decodeOutbox, type FlatRecord } from "pyodide-runtime-bridge/records";
    const canvas = document.createElement("canvas");
    const connection: Connection = connect({ room: "r", playerId: "A", canvas, onPhase: (phase: Phase) => phase });
    const frame: number | undefined = connection.stats()["frame"];
    const records: FlatRecord[] = decodeOutbox(new Uint8Array(8)).records;
    // @ts-expect-error a canvas is needed
    connect({ room: "r", playerId: "A" });
    // @ts-expect-error there is no such phase
    const wrong: Phase = "dancing";
    export { frame, records, wrong };
  `);
  const compilerOptions = { strict: true, noEmit: true, module: "nodenext", lib: ["es2022", "dom"], types: [] };
  await writeFile(join(path, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["main.ts"] }));
  await compile(["-p", "."], path);
});

test("the declarations are what the sources say", async (context) => {
  const path = await folder(context);
  await compile(["-p", "tsconfig.declarations.json", "--outDir", path], ROOT);
  const names = async (/** @type {string} */ at) => {
    const entries = await readdir(at, { recursive: true });
    return entries.filter((name) => name.endsWith(".d.ts")).sort();
  };
  assert.deepEqual(await names(join(ROOT, "types")), await names(path));
  for (const name of await names(path)) {
    const [kept, made] = await Promise.all([join(ROOT, "types"), path].map((at) => readFile(join(at, name), "utf8")));
    assert.equal(kept, made, `types/${name} is out of date: npm run types`);
  }
});

test("every file that the package exports or lists is there", async () => {
  const { exports, files, bin } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8"));
  const targets = Object.values(exports).flatMap((one) => (typeof one === "string" ? one : Object.values(one)));
  const entries = await readdir(ROOT, { recursive: true });
  for (const target of [...targets.filter((path) => !path.includes("*")), ...files, ...Object.values(bin)]) {
    assert.ok(entries.includes(target.replace("./", "")), target);
  }
});

test("the lock names no registry", async () => {
  const lock = await readFile(join(ROOT, "package-lock.json"), "utf8");
  assert.doesNotMatch(lock, /"resolved"/);
});
