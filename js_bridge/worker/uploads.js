/**
 * @file Carries chunks to the server and says which were stored. Chunks of one kind go one after the other, for the
 * server takes them in sequence only. It resends nothing and reads no chunk: what was not stored is Python's to send
 * again.
 */

/** @typedef {import("../records.js").Upload} Upload */
/** @typedef {{type: "stored", upload: number} | {type: "unstored", upload: number, error: string}} Answer */

/** A request that outlives its page may carry no more than 64 KiB in all; some of it is headers. */
const KEEPALIVE_BYTES = 60 * 1024;

/** The way to the server for one player's chunks. */
export class Uploads {
  /** @type {Map<string, Promise<void>>} */
  #last = new Map();
  #url;
  #answer;
  #timeout;
  #fetch;
  #leaving = false;
  #incarnation = 0;

  /**
   * @param {string} url that chunks are posted under, without a slash at its end
   * @param {(answer: Answer) => void} answer called once for each chunk
   * @param {{timeout?: number, fetch?: typeof fetch}} [options] `timeout` in milliseconds for one chunk
   */
  constructor(url, answer, { timeout = 20_000, fetch: post = (...request) => fetch(...request) } = {}) {
    this.#url = url;
    this.#answer = answer;
    this.#timeout = timeout;
    this.#fetch = post;
  }

  /**
   * What is sent from now on is of this page of the player's, whose chunks are numbered for themselves.
   *
   * @param {number} incarnation
   */
  begin(incarnation) {
    this.#incarnation = incarnation;
  }

  /** From now on nothing waits for its turn, and requests outlive the page where they are small enough. */
  leave() {
    this.#leaving = true;
  }

  /**
   * Posts a chunk; the answer comes later.
   *
   * @param {Upload} upload its body is copied
   */
  send({ upload, kind, sequence, body }) {
    const bytes = body.slice();
    const again = this.#incarnation > 0 ? `&incarnation=${this.#incarnation}` : "";
    const post = () => this.#post(upload, `${this.#url}/${kind}?sequence=${sequence}${again}`, bytes);
    const turn = this.#leaving ? post() : (this.#last.get(kind) ?? Promise.resolve()).then(post);
    this.#last.set(kind, turn);
  }

  /**
   * @param {number} upload
   * @param {string} url
   * @param {Uint8Array<ArrayBuffer>} body
   */
  async #post(upload, url, body) {
    try {
      const response = await this.#fetch(url, {
        method: "POST",
        body,
        headers: { "content-type": "application/x-ndjson" },
        keepalive: this.#leaving && body.length <= KEEPALIVE_BYTES,
        signal: AbortSignal.timeout(this.#timeout),
      });
      const text = await response.text();
      if (response.ok) {
        this.#answer({ type: "stored", upload });
      } else {
        const error = `the server answered ${response.status}: ${text.slice(0, 500)}`;
        this.#answer({ type: "unstored", upload, error });
      }
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#answer({ type: "unstored", upload, error: `the server was not reached: ${reason}` });
    }
  }
}
