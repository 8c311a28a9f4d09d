/**
 * @file Fetches a large file for the worker, which is busy with other things while it arrives: a stream that nobody
 * reads stands still. What the file is for is not known here.
 */

import { readPieces } from "../pieces.js";

/** How often the worker is told of bytes that have arrived, in milliseconds. */
const TELL_EVERY = 50;

/**
 * @typedef {object} Order
 * @property {string} url
 * @property {number} bytes of the file
 * @property {string[]} pieces the sha256 of each of its pieces, in hex
 * @property {MessagePort} port where it is to be brought: `{piece, bytes}`, one after the other, `{arrived}`, how many
 *   bytes came since that was told last, and `{error}`, once, if there will be no more
 */

/**
 * Fetches a file, and brings it piece by piece.
 *
 * @param {Order} order
 * @param {(url: string) => Promise<Response>} [get]
 * @returns {Promise<void>} resolved when all is brought, or why it cannot be
 */
export async function carry({ url, bytes, pieces, port }, get = (address) => fetch(address)) {
  let [arrived, told] = [0, -Infinity];
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const tell = () => {
    clearTimeout(timer);
    timer = undefined;
    if (arrived > 0) port.postMessage({ arrived });
    [arrived, told] = [0, performance.now()];
  };
  const give = (/** @type {number} */ piece, /** @type {Uint8Array<ArrayBuffer>} */ { buffer }) => {
    port.postMessage({ piece, bytes: buffer }, [buffer]);
  };
  try {
    await readPieces({ bytes, pieces }, get(url), give, (count) => {
      arrived += count;
      if (performance.now() - told >= TELL_EVERY) tell();
      else timer ??= setTimeout(tell, TELL_EVERY); // the line may stand still from here on
    });
    tell();
  } catch (error) {
    tell();
    port.postMessage({ error: error instanceof Error ? error.message : String(error) });
  }
}
