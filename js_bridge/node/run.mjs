#!/usr/bin/env node
/**
 * @file Runs a Python script in Pyodide under Node, as `python SCRIPT.py` would:
 * `node run.mjs --dist DIR [--load NAME ...] SCRIPT.py [arguments]`.
 */

import { existsSync } from "node:fs";
import { resolve } from "node:path";

import { UsageError, command, loadDistribution, option, runPython } from "./loading.mjs";

const USAGE = "usage: node run.mjs --dist DIR [--load NAME ...] SCRIPT.py [arguments]";

const SCRIPT = `
import runpy
sys.argv = list(arguments)
sys.path.insert(0, sys.argv[0].rpartition("/")[0])
runpy.run_path(sys.argv[0], run_name="__main__")
`;

await command(async () => {
  const values = process.argv.slice(2);
  const script = values.findIndex((value, at) => !value.startsWith("--") && !values[at - 1]?.startsWith("--"));
  if (script === -1) throw new UsageError(USAGE);
  const options = values.slice(0, script);
  const distribution = option(options, "--dist");
  if (!distribution) throw new UsageError(USAGE);
  /** @type {string[]} */
  const packages = [];
  for (let name = option(options, "--load"); name !== undefined; name = option(options, "--load")) packages.push(name);
  if (options.length > 0) throw new UsageError(`unknown option ${options[0]}\n${USAGE}`);
  const path = resolve(values[script] ?? "");
  if (!existsSync(path)) throw new UsageError(`${path}: no such file`);
  const pyodide = await loadDistribution(distribution, packages);
  return runPython(pyodide, SCRIPT, [path, ...values.slice(script + 1)]);
});
