#!/usr/bin/env node
/**
 * @file Runs a Python script in Pyodide under Node, as `python SCRIPT.py` would:
 * `node run.mjs --dist DIR [--load NAME ...] SCRIPT.py [arguments]`. With `--image` Python starts from a memory
 * image of the folder; with `--bare` it comes without any package, from a folder whose lock need not name one.
 */

import { existsSync } from "node:fs";
import { resolve } from "node:path";

import { UsageError, command, loadBare, loadDistribution, option, runPython } from "./loading.mjs";

const USAGE = "usage: node run.mjs --dist DIR [--bare | --image NAME] [--load NAME ...] SCRIPT.py [arguments]";

const SCRIPT = `
import runpy
sys.argv = list(arguments)
sys.path.insert(0, sys.argv[0].rpartition("/")[0])
runpy.run_path(sys.argv[0], run_name="__main__")
`;

/** @param {string | undefined} value */
function takesValue(value) {
  return value !== undefined && value.startsWith("--") && value !== "--bare";
}

await command(async () => {
  const values = process.argv.slice(2);
  const script = values.findIndex((value, at) => !value.startsWith("--") && !takesValue(values[at - 1]));
  if (script === -1) throw new UsageError(USAGE);
  const options = values.slice(0, script);
  const distribution = option(options, "--dist");
  if (!distribution) throw new UsageError(USAGE);
  /** @type {string[]} */
  const packages = [];
  for (let name = option(options, "--load"); name !== undefined; name = option(options, "--load")) packages.push(name);
  const image = option(options, "--image");
  const bare = options.indexOf("--bare");
  if (bare !== -1) options.splice(bare, 1);
  if (options.length > 0) throw new UsageError(`unknown option ${options[0]}\n${USAGE}`);
  const path = resolve(values[script] ?? "");
  if (!existsSync(path)) throw new UsageError(`${path}: no such file`);
  const pyodide = await (bare === -1 ? loadDistribution(distribution, packages, image) : loadBare(distribution));
  return runPython(pyodide, SCRIPT, [path, ...values.slice(script + 1)]);
});
