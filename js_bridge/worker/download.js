/**
 * @file A memory image on its way: its bytes as they arrive, and which of them are known to be the right ones. It reads
 * none of them.
 */

/** Bytes that are hashed at once, while the next ones arrive. */
export const PIECE = 1 << 20;

/**
 * @typedef {object} Expected
 * @property {number} bytes in all
 * @property {readonly string[]} pieces the sha256 of each piece of 1 MiB, and of the rest, in hex
 */

/** The bytes of one image. */
export class Download {
  /** All of it; what has not arrived is zero. @type {Uint8Array<ArrayBuffer>} */
  bytes;
  #expected;
  /** For each piece, when it has arrived and was found to be right. @type {Promise<void>[]} */
  #pieces;
  /** @type {((error?: Error) => void)[]} */
  #settle = [];
  /** How many pieces have arrived as a whole. */
  #whole = 0;

  /**
   * Begins to read.
   *
   * @param {Expected} expected
   * @param {Promise<Response>} response
   * @param {(bytes: number) => void} arrived told of bytes as they come
   */
  constructor(expected, response, arrived) {
    this.bytes = new Uint8Array(expected.bytes);
    this.#expected = expected;
    this.#pieces = Array.from({ length: Math.ceil(expected.bytes / PIECE) }, () => new Promise((resolve, reject) => {
      this.#settle.push((error) => (error ? reject(error) : resolve()));
    }));
    for (const piece of this.#pieces) piece.catch(() => {}); // told by whoever waits for it
    this.#read(response, arrived).catch((error) => {
      for (const settle of this.#settle.slice(this.#whole)) settle(error);
    });
  }

  /**
   * Waits for the first so many bytes.
   *
   * @param {number} [end] without it, for all
   * @throws {Error} where they do not arrive, or are not those that the distribution names
   */
  async until(end = this.bytes.length) {
    await Promise.all(this.#pieces.slice(0, Math.ceil(end / PIECE)));
  }

  /**
   * @param {Promise<Response>} response
   * @param {(bytes: number) => void} arrived
   */
  async #read(response, arrived) {
    const { ok, status, body } = await response;
    if (!ok || !body) throw new Error(`the server answered ${status}`);
    const size = this.bytes.length;
    const reader = body.getReader();
    let filled = 0;
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      if (filled + part.value.length > size) throw new Error(`it has more than ${size} bytes`);
      this.bytes.set(part.value, filled);
      filled += part.value.length;
      arrived(part.value.length);
      const whole = filled === size ? this.#pieces.length : Math.floor(filled / PIECE);
      for (; this.#whole < whole; this.#whole += 1) void this.#check(this.#whole);
    }
    if (filled < size) throw new Error(`it has ${filled} bytes, not ${size}`);
  }

  /** @param {number} piece */
  async #check(piece) {
    const settle = this.#settle[piece] ?? (() => {});
    try {
      const found = await sha256Of(this.bytes.subarray(piece * PIECE, (piece + 1) * PIECE));
      const right = found === "" || found === this.#expected.pieces[piece];
      settle(right ? undefined : new Error("its hash is not the one that is named"));
    } catch (error) {
      settle(error instanceof Error ? error : new Error(String(error)));
    }
  }
}

/**
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @returns {Promise<string>} in hex; empty in pages over a line that is not secure, where browsers have no hashes
 */
async function sha256Of(bytes) {
  const digest = await globalThis.crypto?.subtle?.digest("SHA-256", bytes);
  return Array.from(new Uint8Array(digest ?? 0), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
