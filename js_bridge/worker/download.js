/**
 * @file A memory image on its way: the pieces that the page brings, and who waits for which of them. It reads none of
 * them.
 */

import { PIECE } from "../pieces.js";

/** The bytes of one image. */
export class Download {
  /** All of it; what has not arrived is zero. @type {Uint8Array<ArrayBuffer>} */
  bytes;
  #port;
  /** For each piece, when it has arrived. @type {Promise<void>[]} */
  #pieces;
  /** @type {((error?: Error) => void)[]} */
  #settle = [];
  /** How many pieces have arrived. */
  #whole = 0;

  /**
   * @param {number} bytes in all
   * @param {MessagePort} port where they come from: see `page/carrying.js`
   * @param {(bytes: number) => void} arrived told of bytes as they come
   */
  constructor(bytes, port, arrived) {
    this.bytes = new Uint8Array(bytes);
    this.#port = port;
    this.#pieces = Array.from({ length: Math.ceil(bytes / PIECE) }, () => new Promise((resolve, reject) => {
      this.#settle.push((error) => (error ? reject(error) : resolve()));
    }));
    for (const piece of this.#pieces) piece.catch(() => {}); // told by whoever waits for it
    port.onmessage = ({ data: { piece, bytes: part, arrived: count, error } }) => {
      if (part instanceof ArrayBuffer && piece === this.#whole) this.#keep(part);
      else if (typeof count === "number") arrived(count);
      else this.#end(new Error(error ?? "a piece of it came out of turn"));
    };
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

  /** @param {ArrayBuffer} piece the next one */
  #keep(piece) {
    this.bytes.set(new Uint8Array(piece), this.#whole * PIECE);
    this.#settle[this.#whole]?.();
    this.#whole += 1;
  }

  /** @param {Error} error why there will be no more */
  #end(error) {
    for (const settle of this.#settle.slice(this.#whole)) settle(error);
    this.#port.close();
  }
}
