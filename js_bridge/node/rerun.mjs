#!/usr/bin/env node
/**
 * @file Runs the episodes of a record again in Pyodide under Node, whose arithmetic is that of the browsers, and
 * prints the export's bytes: `node rerun.mjs --dist DIR --record FILE`. How a record is read and run is Python's.
 */

import { existsSync } from "node:fs";
import { resolve } from "node:path";

import {
  UsageError, command, loadDistribution, loadRecordRequirements, option, runPython,
} from "./loading.mjs";

const RERUN = `
from pyodide_runtime import errors, rerun
try:
    status = rerun.main(["--host", "inline", arguments[0]])
except errors.PyodideRuntimeError as error:
    status = str(error)
sys.exit(status)
`;

await command(async () => {
  const values = process.argv.slice(2);
  const [distribution, record] = [option(values, "--dist"), option(values, "--record")];
  if (!distribution || !record || values.length > 0) {
    throw new UsageError("usage: node rerun.mjs --dist DIR --record FILE");
  }
  if (!existsSync(record)) throw new UsageError(`${record}: no such file`);
  const pyodide = await loadDistribution(distribution);
  await loadRecordRequirements(pyodide, resolve(record));
  return runPython(pyodide, RERUN, [resolve(record)]);
});
