/**
 * @file The data of a match that no server keeps: chunks as the worker cut them, held by the page until a person takes
 * them away. It looks into none of them; the table is made of them by Python.
 */

/** @typedef {import("../messages.js").ToWorker} ToWorker */

/** How long the worker may take to make the table, in milliseconds. One that has crashed never does. */
export const PATIENCE = 20_000;

const NDJSON = "application/x-ndjson";

/** @typedef {{name: string, blob: Blob}} DataFile */

/** What one page keeps. */
export class Keeping {
  /** @type {Map<string, ArrayBuffer[]>} */
  #chunks = new Map();
  #post;
  /** @type {((csv: ArrayBuffer | null) => void)[]} */
  #asked = [];

  /** @param {(message: ToWorker, transfer?: Transferable[]) => void} post to the worker */
  constructor(post) {
    this.#post = post;
  }

  /** Whether nothing is kept. */
  get empty() {
    return this.#chunks.size === 0;
  }

  /**
   * Takes a message of the worker: a chunk, which goes behind those of its kind, or the table that was asked for.
   *
   * @param {Extract<import("../messages.js").ToPage, {type: "chunk" | "exported"}>} message
   */
  take(message) {
    if (message.type === "exported") {
      for (const resolve of this.#asked.splice(0)) resolve(message.csv);
      return;
    }
    const chunks = this.#chunks.get(message.kind);
    if (chunks) chunks.push(message.body);
    else this.#chunks.set(message.kind, [message.body]);
  }

  /**
   * All that is kept by now, as files: those that a server would have. Where Python is no more, the rows come as they
   * are, which `rerun` of the record makes a table of.
   *
   * @returns {Promise<DataFile[]>}
   */
  async collect() {
    const rows = new Blob(this.#chunks.get("rows") ?? []);
    const csv = await this.#export(await rows.arrayBuffer());
    const blob = (/** @type {string} */ kind, type = NDJSON) => new Blob(this.#chunks.get(kind) ?? [], { type });
    return [
      csv ? { name: "export.csv", blob: new Blob([csv], { type: "text/csv" }) } : { name: "rows.ndjson", blob: rows },
      { name: "record.ndjson", blob: blob("record") },
      { name: "diagnostics.ndjson", blob: blob("diagnostics") },
      { name: "outcome.json", blob: blob("outcome", "application/json") },
    ];
  }

  /**
   * @param {ArrayBuffer} rows
   * @returns {Promise<ArrayBuffer | null>}
   */
  #export(rows) {
    return new Promise((resolve) => {
      this.#asked.push(resolve);
      setTimeout(() => resolve(null), PATIENCE);
      this.#post({ type: "export", rows }, [rows]);
    });
  }
}
