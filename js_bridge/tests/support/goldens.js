/**
 * @file Golden bytes of the records, which Python's tests read as well, and hexadecimal text.
 */

import { readFileSync } from "node:fs";

/** The contents of goldens/records.json. */
export const GOLDENS = JSON.parse(readFileSync(new URL("../goldens/records.json", import.meta.url), "utf8"));

/** @param {string} text */
export const fromHex = (text) => new Uint8Array(Buffer.from(text, "hex"));

/** @param {Uint8Array} bytes */
export const toHex = (bytes) => Buffer.from(bytes).toString("hex");
