/**
 * @file A small distribution: Pyodide's core as npm has it, and wheels that a test makes up.
 */

import { createHash } from "node:crypto";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { crc32 } from "node:zlib";

const CORE = fileURLToPath(new URL("../../node_modules/pyodide", import.meta.url));

/**
 * Lays a distribution out in a folder of its own.
 *
 * @param {Record<string, {depends?: string[], files: Record<string, string>}>} packages by name; files by path
 * @returns {Promise<{path: string, remove: () => Promise<void>}>}
 */
export async function layOut(packages) {
  const path = await mkdtemp(join(tmpdir(), "distribution-"));
  for (const file of ["pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip"]) {
    await symlink(join(CORE, file), join(path, file));
  }
  const lock = JSON.parse(readFileSync(join(CORE, "pyodide-lock.json"), "utf8"));
  lock.packages = {};
  for (const [name, { depends = [], files }] of Object.entries(packages)) {
    const [module, version] = [name.replaceAll("-", "_"), "1.0"];
    const info = `${module}-${version}.dist-info`;
    const wheel = zip({
      ...files,
      [`${info}/METADATA`]: `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n`,
      [`${info}/WHEEL`]: "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
      [`${info}/RECORD`]: "",
    });
    const file = `${module}-${version}-py3-none-any.whl`;
    await writeFile(join(path, file), wheel);
    lock.packages[name] = {
      name, version, file_name: file, install_dir: "site", package_type: "package", imports: [module], depends,
      sha256: createHash("sha256").update(wheel).digest("hex"), unvendored_tests: false,
    };
  }
  await writeFile(join(path, "pyodide-lock.json"), JSON.stringify(lock));
  return { path, remove: () => rm(path, { recursive: true }) };
}

/**
 * A zip archive of texts, uncompressed.
 *
 * @param {Record<string, string>} files
 * @returns {Buffer}
 */
function zip(files) {
  /** @type {Buffer[]} */
  const parts = [];
  /** @type {Buffer[]} */
  const directory = [];
  let offset = 0;
  for (const [path, text] of Object.entries(files)) {
    const [name, data] = [Buffer.from(path), Buffer.from(text)];
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt32LE(crc32(data), 10);
    common.writeUInt32LE(data.length, 14);
    common.writeUInt32LE(data.length, 18);
    common.writeUInt16LE(name.length, 22);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(offset, 10);
    const local = Buffer.concat([Buffer.from("PK\x03\x04"), common, name, data]);
    directory.push(Buffer.concat([Buffer.from("PK\x01\x02\x14\x00"), common, place, name]));
    parts.push(local);
    offset += local.length;
  }
  const entries = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", "latin1");
  end.writeUInt16LE(directory.length, 8);
  end.writeUInt16LE(directory.length, 10);
  end.writeUInt32LE(entries.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, entries, end]);
}
