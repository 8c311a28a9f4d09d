/**
 * @file Hands chunks to the page, which keeps them where no server does, in place of `Uploads`. What was handed over is
 * stored. It reads no chunk.
 */

/** @typedef {import("./uploads.js").Answer} Answer */

/** The way to the page for one player's chunks. */
export class Handover {
  #post;
  #answer;

  /**
   * @param {(message: import("../messages.js").ToPage, transfer: Transferable[]) => void} post to the page
   * @param {(answer: Answer) => void} answer called once for each chunk, not before `send` has returned
   */
  constructor(post, answer) {
    this.#post = post;
    this.#answer = answer;
  }

  /** A page that keeps its data itself is the only one of its player. */
  begin() {}

  /** Nothing waits in any case. */
  leave() {}

  /**
   * Hands a chunk over.
   *
   * @param {import("../records.js").Upload} upload its body is copied
   */
  send({ upload, kind, body }) {
    const bytes = body.slice().buffer;
    this.#post({ type: "chunk", kind, body: bytes }, [bytes]);
    queueMicrotask(() => this.#answer({ type: "stored", upload }));
  }
}
