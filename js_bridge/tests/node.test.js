/**
 * @file The laws of Python under Node, with Pyodide's real core.
 */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after, before } from "node:test";
import { fileURLToPath } from "node:url";

import { layOut } from "./support/distribution.js";

const NODE = fileURLToPath(new URL("../node", import.meta.url));

const RERUN = `
import json, sys
from .errors import PyodideRuntimeError
def plan_requirements(path, lock_json):
    with open(path) as file:
        text = file.read()
    if not text.startswith("{"):
        raise PyodideRuntimeError(f"{path}:1: this is no record")
    assert "spice" in json.loads(lock_json)["packages"]
    return json.dumps({"load": json.loads(text)["requirements"], "install": []})
def main(arguments):
    host, inline, path = arguments
    assert (host, inline) == ("--host", "inline")
    with open(path) as file:
        told = json.load(file)
    if told.get("bad"):
        raise PyodideRuntimeError("the players differ")
    import spice
    sys.stdout.buffer.write(b"episode,frame\\r\\n0,0\\xff" + spice.NAME)
    return told.get("status", 0)
`;

const PACKAGES = {
  "pyodide-runtime": {
    files: {
      "pyodide_runtime/__init__.py": "",
      "pyodide_runtime/errors.py": "class PyodideRuntimeError(Exception):\n    pass\n",
      "pyodide_runtime/rerun.py": RERUN,
    },
  },
  "spice": { depends: ["salt"], files: { "spice.py": "import salt\nNAME = b'pepper and ' + salt.NAME\n" } },
  "salt": { files: { "salt.py": "NAME = b'salt'\n" } },
};

/** @type {{path: string, remove: () => Promise<void>}} */
let distribution;
/** @type {string} */
let folder;

before(async () => {
  distribution = await layOut(PACKAGES);
  folder = await mkdtemp(join(tmpdir(), "scripts-"));
});

after(async () => {
  await distribution.remove();
  await rm(folder, { recursive: true });
});

/** @param {string} name @param {string} text @returns {Promise<string>} the file's path */
async function file(name, text) {
  await writeFile(join(folder, name), text);
  return join(folder, name);
}

/**
 * Runs one of the commands.
 *
 * @param {"run" | "rerun"} command
 * @param {string[]} values
 * @returns {Promise<{status: number, stdout: Buffer, stderr: string}>}
 */
function run(command, ...values) {
  return new Promise((resolve) => {
    const options = { encoding: /** @type {const} */ ("buffer"), cwd: folder };
    execFile(process.execPath, [join(NODE, `${command}.mjs`), ...values], options, (error, stdout, stderr) => {
      resolve({ status: error ? Number(error.code) : 0, stdout, stderr: stderr.toString() });
    });
  });
}

test("a script runs as it would under Python: its arguments, its folder, the host's files, its bytes", async () => {
  await file("beside.py", "WORD = 'beside'\n");
  const script = await file("script.py", `
import os, sys
from beside import WORD
import spice
assert __name__ == "__main__"
with open("written.txt", "w") as file:
    file.write(os.getcwd())
sys.stdout.write(f"{sys.argv[1:]} {WORD} {hash('set order')}\\n")
sys.stdout.buffer.write(b"\\x00\\xff" + spice.NAME + b"." * 300_000)
print("a warning", file=sys.stderr)
`);
  const values = ["--dist", distribution.path, "--load", "spice", script, "--dist", "own", "--flag"];
  const one = await run("run", ...values);
  assert.equal(one.stderr, "a warning\n");
  assert.equal(one.status, 0);
  const [line = "", rest = ""] = one.stdout.toString("latin1").split("\n");
  assert.match(line, /^\['--dist', 'own', '--flag'\] beside -?\d+$/);
  assert.equal(rest, `\x00\xffpepper and salt${".".repeat(300_000)}`);
  assert.equal(await readFile(join(folder, "written.txt"), "utf8"), folder);
  const two = await run("run", ...values);
  assert.deepEqual(two.stdout, one.stdout, "hashes differ from run to run");
});

test("a script's exit status is the command's", async () => {
  const script = await file("exit.py", "import sys\nsys.exit(eval(sys.argv[1]))\n");
  for (const [value, status, said] of /** @type {const} */ ([
    ["3", 3, ""], ["'no onions'", 1, "no onions\n"],
  ])) {
    const { status: found, stderr } = await run("run", "--dist", distribution.path, script, value);
    assert.deepEqual([found, stderr], [status, said]);
  }
});

test("an exception is a traceback on standard error and status 1", async () => {
  const script = await file("raise.py", "print('before')\nraise ValueError('the pot boiled over')\n");
  const { status, stdout, stderr } = await run("run", "--dist", distribution.path, script);
  assert.deepEqual([status, stdout.toString()], [1, "before\n"]);
  assert.match(stderr, /raise\.py", line 2[^]*ValueError: the pot boiled over\n$/);
});

test("a mistake in the command is one line and status 2", async () => {
  const script = await file("script2.py", "");
  for (const [values, said] of /** @type {const} */ ([
    [[], /^usage: node run\.mjs/],
    [[script], /^usage: node run\.mjs/],
    [["--dist", folder, script], /is no distribution: it lacks pyodide\.mjs/],
    [["--dist", distribution.path, join(folder, "none.py")], /none\.py: no such file/],
    [["--dist", distribution.path, "--load", "pepper", script], /has no package "pepper"/],
    [["--dist", distribution.path, "--lod", "spice", script], /^unknown option --lod/],
  ])) {
    const { status, stderr } = await run("run", ...values);
    assert.match(stderr, said);
    assert.equal(status, 2);
  }
});

test("a record is run with what it requires, and its export comes out byte for byte", async () => {
  const record = await file("record.ndjson", '{"requirements": ["spice"]}');
  const { status, stdout, stderr } = await run("rerun", "--dist", distribution.path, "--record", record);
  assert.deepEqual([status, stderr], [0, ""]);
  assert.equal(stdout.toString("latin1"), "episode,frame\r\n0,0\xffpepper and salt");
});

test("a record whose data differ is status 1", async () => {
  const record = await file("differs.ndjson", '{"requirements": ["spice"], "status": 1}');
  assert.equal((await run("rerun", "--dist", distribution.path, "--record", record)).status, 1);
});

test("a record that cannot be read, or run, is one line and status 1", async () => {
  for (const [text, said] of /** @type {const} */ ([
    ["nonsense", /^.*record\.txt:1: this is no record\n$/],
    ['{"requirements": [], "bad": true}', /^the players differ\n$/],
  ])) {
    const record = await file("record.txt", text);
    const { status, stderr } = await run("rerun", "--dist", distribution.path, "--record", record);
    assert.match(stderr, said);
    assert.equal(status, 1);
  }
});

test("a record that is not there is one line and status 2", async () => {
  const { status, stderr } = await run("rerun", "--dist", distribution.path, "--record", "none.ndjson");
  assert.deepEqual([status, stderr], [2, "none.ndjson: no such file\n"]);
});
