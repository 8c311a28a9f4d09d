/**
 * @file A large file that comes in pieces, each of which is known to be the right one before anybody has it. It reads
 * none of them.
 */

/** Bytes of a piece; the last one may have fewer. */
export const PIECE = 1 << 20;

/**
 * @typedef {object} Expected
 * @property {number} bytes in all
 * @property {readonly string[]} pieces the sha256 of each piece, in hex
 */

/**
 * Reads an answer, and gives its pieces one after the other as they arrive.
 *
 * @param {Expected} expected
 * @param {Promise<Response>} response
 * @param {(number: number, bytes: Uint8Array<ArrayBuffer>) => void} give gets each piece, to keep
 * @param {(bytes: number) => void} arrived told of bytes as they come
 * @throws {Error} where they do not arrive, or a piece is not what was expected; those before it were given
 */
export async function readPieces({ bytes, pieces }, response, give, arrived) {
  const { ok, status, body } = await response;
  if (!ok || !body) throw new Error(`the server answered ${status}`);
  const reader = body.getReader();
  let [filled, number] = [0, 0];
  let [piece, at] = [new Uint8Array(Math.min(PIECE, bytes)), 0];
  let given = Promise.resolve();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    let rest = part.value;
    filled += rest.length;
    if (filled > bytes) throw new Error(`it has more than ${bytes} bytes`);
    arrived(rest.length);
    while (rest.length > 0) {
      const taken = rest.subarray(0, piece.length - at);
      piece.set(taken, at);
      rest = rest.subarray(taken.length);
      at += taken.length;
      if (at < piece.length) break;
      // Hashed while the next one arrives, and given in its turn.
      given = inTurn(given, number, piece, pieces[number], give);
      number += 1;
      [piece, at] = [new Uint8Array(Math.max(0, Math.min(PIECE, bytes - number * PIECE))), 0];
    }
  }
  await given;
  if (filled < bytes) throw new Error(`it has ${filled} bytes, not ${bytes}`);
}

/**
 * @param {Promise<void>} before
 * @param {number} number
 * @param {Uint8Array<ArrayBuffer>} piece
 * @param {string | undefined} expected
 * @param {(number: number, bytes: Uint8Array<ArrayBuffer>) => void} give
 * @returns {Promise<void>} rejected where the piece is not the right one, or one before it was not
 */
function inTurn(before, number, piece, expected, give) {
  const hashed = sha256Of(piece);
  const given = before.then(async () => {
    const found = await hashed;
    if (found !== "" && found !== expected) throw new Error("its hash is not the one that is named");
    give(number, piece);
  });
  given.catch(() => {}); // told at the end
  return given;
}

/**
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @returns {Promise<string>} in hex; empty in pages over a line that is not secure, where browsers have no hashes
 */
async function sha256Of(bytes) {
  const digest = await globalThis.crypto?.subtle?.digest("SHA-256", bytes);
  return Array.from(new Uint8Array(digest ?? 0), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
